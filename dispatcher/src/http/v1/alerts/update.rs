//! `POST /alerts/{id}/update`: begin the successor of an issued alert (更新).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{AlertBody, finish};
use crate::app::alerts::draft;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::alert::content::AlertContent;
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

/// The successor of an alert.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateAlertRequest {
    /// Its content; absent: that of the alert, to be edited.
    content: Option<AlertContent>,
}

/// Begin the draft that takes the place of an issued alert when it is issued itself.
#[utoipa::path(
    post, path = "/alerts/{id}/update", tag = "alerts", request_body = UpdateAlertRequest,
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 201, description = "Begun", body = AlertBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    ),
    extensions(("x-action" = json!("update_alert")))
)]
pub(super) async fn update_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    keyed: Keyed<UpdateAlertRequest>,
) -> Result<Response, Problem> {
    let (body, begun) = keyed.begin(&app, &actor).await?;
    let mut work = match begun {
        Begun::New(work) => work,
        Begun::Replay(answer) => return Ok(answer.into_response()),
    };
    let alert = draft::update(&mut work.tx, &app, &actor, &id, body.content).await?;
    finish(&app, work, StatusCode::CREATED, &alert, &[Wake::Alerts]).await
}
