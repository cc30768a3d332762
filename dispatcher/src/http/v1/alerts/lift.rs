//! `POST /alerts/{id}/lift`: the danger is over (解除).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{AlertBody, finish};
use crate::app::alerts::close;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::alert::closure::{BilingualText, Closure};
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

/// An end.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseAlertRequest {
    /// Why, for the record.
    pub(super) reason: String,
    /// The words, where the prepared ones do not fit.
    #[serde(default)]
    pub(super) text: Option<BilingualText>,
}

/// End the chain of an alert: the danger is over. Speaks the prepared words, or those given.
#[utoipa::path(
    post, path = "/alerts/{id}/lift", tag = "alerts", request_body = CloseAlertRequest,
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "Done", body = AlertBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    ),
    extensions(("x-action" = json!("lift_alert")))
)]
pub(super) async fn lift_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    keyed: Keyed<CloseAlertRequest>,
) -> Result<Response, Problem> {
    let (body, begun) = keyed.begin(&app, &actor).await?;
    let mut work = match begun {
        Begun::New(work) => work,
        Begun::Replay(answer) => return Ok(answer.into_response()),
    };
    let alert =
        close::close(&mut work.tx, &app, &actor, &id, Closure::Lifted, body.text, &body.reason)
            .await?;
    finish(&app, work, StatusCode::OK, &alert, &[Wake::Orders, Wake::Alerts]).await
}
