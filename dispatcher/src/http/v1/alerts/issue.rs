//! `POST /alerts/{id}/issue`: issue it (发布).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{AlertBody, finish};
use crate::app::alerts::issue;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

/// Issue an alert that has all its approvals; an author or an approver presses.
#[utoipa::path(
    post, path = "/alerts/{id}/issue", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "Done", body = AlertBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    ),
    extensions(("x-action" = json!("issue_alert")))
)]
pub(super) async fn issue_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    keyed: Keyed<()>,
) -> Result<Response, Problem> {
    let ((), begun) = keyed.begin(&app, &actor).await?;
    let mut work = match begun {
        Begun::New(work) => work,
        Begun::Replay(answer) => return Ok(answer.into_response()),
    };
    let alert = issue::issue(&mut work.tx, &app, &actor, &id).await?;
    finish(&app, work, StatusCode::OK, &alert, &[Wake::Orders, Wake::Alerts]).await
}
