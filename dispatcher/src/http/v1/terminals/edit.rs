//! `PUT /api/v1/terminals/{id}`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use protocols::terminal::TerminalId;

use super::{Details, TerminalBody};
use crate::app::terminals;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::extract::{Json, if_match};
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};

/// Changes name, position and loudspeaker of the version that `If-Match` names.
#[utoipa::path(
    put,
    path = "/terminals/{id}",
    tag = "terminals",
    params(
        ("id" = String, Path, description = "village and number, 350211102201-0001"),
        ("If-Match" = String, Header),
    ),
    request_body = Details,
    responses(
        (status = 200, description = "It", body = TerminalBody),
        (status = 400, description = "Not well-formed", body = ProblemBody),
        (status = 401, description = "Nobody is logged in", body = ProblemBody),
        (status = 403, description = "No grant covers it", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "Its state does not allow it", body = ProblemBody),
        (status = 412, description = "Somebody else changed it", body = ProblemBody),
        (status = 422, description = "A field breaks a rule", body = ProblemBody),
        (status = 428, description = "A required header is missing", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_terminals"))),
)]
pub(super) async fn edit_terminal(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<TerminalId>,
    headers: HeaderMap,
    Json(details): Json<Details>,
) -> Result<Response, Problem> {
    let now = app.now();
    actor.may(Action::ManageTerminals, id.village(), None, now)?;
    let version = if_match(&headers)?;
    let mut tx = app.db.begin().await?;
    let terminal = terminals::edit(&mut tx, now, &actor, id, version, &details.into()).await?;
    tx.commit().await?;
    app.notifier.wake(Wake::Terminals);
    app.notifier.wake(Wake::Events);
    Ok(answer::versioned(terminal.version, &TerminalBody::from(&terminal)))
}
