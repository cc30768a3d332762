//! `DELETE /tokens/{id}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use uuid::Uuid;

use crate::app::tokens;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::problem::{Problem, ProblemBody};
use crate::store;

/// Revoke a token; what it handed in stays.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "The token")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "No such token", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_tokens")))
)]
pub(super) async fn delete_token(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let mut tx = app.db.begin().await?;
    let token = store::tokens::by_id(&mut tx, id).await?;
    let token = token.ok_or_else(|| Problem::not_found("token"))?;
    actor.may(Action::ManageTokens, token.region, None, app.now())?;
    tokens::revoke(&mut tx, app.now(), actor.id, id).await?;
    tx.commit().await?;
    Ok(answer::nothing())
}
