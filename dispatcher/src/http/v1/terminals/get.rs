//! `GET /api/v1/terminals/{id}`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocols::terminal::TerminalId;

use super::TerminalBody;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};
use crate::store;

/// One terminal and how it is, with the `ETag` of its version.
#[utoipa::path(
    get,
    path = "/terminals/{id}",
    tag = "terminals",
    params(("id" = String, Path, description = "village and number, 350211102201-0001")),
    responses(
        (status = 200, description = "It", body = TerminalBody),
        (status = 401, description = "Nobody is logged in", body = ProblemBody),
        (status = 403, description = "No grant covers it", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_terminals"))),
)]
pub(super) async fn get_terminal(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<TerminalId>,
) -> Result<Response, Problem> {
    actor.may(Action::ReadTerminals, id.village(), None, app.now())?;
    let mut connection = app.db.read().await?;
    let terminal = store::terminals::get(&mut connection, id).await?;
    let terminal = terminal.ok_or_else(|| Problem::not_found("terminal"))?;
    let heard = store::terminal_states::heard_of(&mut connection, id).await?;
    Ok(answer::versioned(terminal.version, &TerminalBody::heard(&terminal, &app, heard)))
}
