//! `POST /alerts/{id}/take_back`: make a draft of it again.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{AlertBody, finish};
use crate::app::alerts::approval;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

/// Take a submitted alert back to mend it. Its approvals are void.
#[utoipa::path(
    post, path = "/alerts/{id}/take_back", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "Done", body = AlertBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    ),
    extensions(("x-action" = json!("take_back_alert")))
)]
pub(super) async fn take_back_alert(
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
    let alert = approval::take_back(&mut work.tx, &app, &actor, &id).await?;
    finish(&app, work, StatusCode::OK, &alert, &[Wake::Alerts]).await
}
