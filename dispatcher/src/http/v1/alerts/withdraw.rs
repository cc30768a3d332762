//! `POST /alerts/{id}/withdraw`: it was issued in error (撤销).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::lift::CloseAlertRequest;
use super::{AlertBody, finish};
use crate::app::alerts::close;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::alert::closure::Closure;
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

/// End the chain of an alert: it was issued in error. Speaks the prepared words, or those given.
#[utoipa::path(
    post, path = "/alerts/{id}/withdraw", tag = "alerts", request_body = CloseAlertRequest,
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "Done", body = AlertBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    ),
    extensions(("x-action" = json!("withdraw_alert")))
)]
pub(super) async fn withdraw_alert(
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
        close::close(&mut work.tx, &app, &actor, &id, Closure::Withdrawn, body.text, &body.reason)
            .await?;
    finish(&app, work, StatusCode::OK, &alert, &[Wake::Orders, Wake::Alerts]).await
}
