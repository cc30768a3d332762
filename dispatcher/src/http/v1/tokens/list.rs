//! `GET /tokens`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::TokenBody;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{self, Items, PageQuery};
use crate::http::parameters::Parameters;
use crate::http::problem::Problem;
use crate::store;

/// Tokens, oldest first, ended ones included.
#[utoipa::path(
    get, path = "/tokens", tag = "tokens", params(PageQuery),
    responses((status = 200, description = "A page", body = Items<TokenBody>)),
    extensions(("x-action" = json!("read_accounts")))
)]
pub(super) async fn list_tokens(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Response, Problem> {
    actor.may(Action::ReadAccounts, app.region(), None, app.now())?;
    let page = page::page::<String>(query.limit, query.cursor.as_deref(), "")?;
    let mut connection = app.db.read().await?;
    let after = page.after.clone().unwrap_or_default();
    let tokens = store::tokens::list(&mut connection, &after, page.limit + 1).await?;
    let bodies = tokens.into_iter().map(TokenBody::from).collect();
    Ok(answer::ok(&page.items(bodies, |token| token.id.to_string())))
}
