//! `POST /api/v1/terminals/{id}/retire`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use protocols::terminal::TerminalId;

use super::TerminalBody;
use crate::app::terminals;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::extract::{Nothing, if_match};
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};

/// Takes a terminal away for good: no alert means it any more, the broker
/// drops it at once and refuses it from then on, and its
/// number is never given again.
#[utoipa::path(
    post,
    path = "/terminals/{id}/retire",
    tag = "terminals",
    params(
        ("id" = String, Path, description = "village and number, 350211102201-0001"),
        ("If-Match" = String, Header),
    ),
    responses(
        (status = 200, description = "It", body = TerminalBody),
        (status = 401, description = "Nobody is logged in", body = ProblemBody),
        (status = 403, description = "No grant covers it", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "Its state does not allow it", body = ProblemBody),
        (status = 412, description = "Somebody else changed it", body = ProblemBody),
        (status = 428, description = "A required header is missing", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_terminals"))),
)]
pub(super) async fn retire_terminal(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<TerminalId>,
    headers: HeaderMap,
    Nothing {}: Nothing,
) -> Result<Response, Problem> {
    let now = app.now();
    actor.may(Action::ManageTerminals, id.village(), None, now)?;
    let version = if_match(&headers)?;
    let mut tx = app.db.begin().await?;
    let terminal = terminals::retire(&mut tx, now, &actor, id, version).await?;
    tx.commit().await?;
    for wake in [Wake::Terminals, Wake::Retired, Wake::Events] {
        app.notifier.wake(wake);
    }
    Ok(answer::versioned(terminal.version, &TerminalBody::from(&terminal)))
}
