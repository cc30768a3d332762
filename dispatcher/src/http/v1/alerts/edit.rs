//! `PUT /alerts/{id}`: change what is not issued yet.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::AlertBody;
use crate::app::alerts::draft;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::alert::content::AlertContent;
use crate::http::answer;
use crate::http::extract::{Json, if_match};
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};

/// The whole content, as it shall be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditAlertRequest {
    /// What it says.
    content: AlertContent,
    /// Pointers of the questions in `asked` that are settled by it.
    #[serde(default)]
    answered: Vec<String>,
}

/// Change an alert that is not issued yet. Whoever edits is an author from then on, and every
/// approval is void.
#[utoipa::path(
    put, path = "/alerts/{id}", tag = "alerts", request_body = EditAlertRequest,
    params(
        ("id" = String, Path, description = "The alert"),
        ("If-Match" = String, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "Changed", body = AlertBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Issued already", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody),
    ),
    extensions(("x-action" = json!("edit_alert")))
)]
pub(super) async fn edit_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    headers: HeaderMap,
    Json(body): Json<EditAlertRequest>,
) -> Result<Response, Problem> {
    let version = if_match(&headers)?;
    let mut tx = app.db.begin().await?;
    let edited =
        draft::edit(&mut tx, &app, &actor, &id, version, body.content, &body.answered).await?;
    tx.commit().await?;
    app.notifier.wake(Wake::Events);
    Ok(answer::versioned(edited.version, &AlertBody::of(&edited, app.now())))
}
