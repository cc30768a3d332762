//! `POST /alerts/{id}/submit`: hand a draft to the approvers (送审).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{AlertBody, finish};
use crate::app::alerts::{approval, speech};
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

/// Submit a draft. Its words are made into clips first, so that approval never waits for speech.
#[utoipa::path(
    post, path = "/alerts/{id}/submit", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "Done", body = AlertBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    ),
    extensions(("x-action" = json!("submit_alert")))
)]
pub(super) async fn submit_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    keyed: Keyed<()>,
) -> Result<Response, Problem> {
    speech::prepare_draft(&app, &actor, &id).await?;
    let ((), begun) = keyed.begin(&app, &actor).await?;
    let mut work = match begun {
        Begun::New(work) => work,
        Begun::Replay(answer) => return Ok(answer.into_response()),
    };
    let alert = approval::submit(&mut work.tx, &app, &actor, &id).await?;
    finish(&app, work, StatusCode::OK, &alert, &[Wake::Alerts]).await
}
