//! `GET /accounts`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::AccountBody;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{self, Items, PageQuery};
use crate::http::parameters::Parameters;
use crate::http::problem::Problem;
use crate::store;

/// Accounts by login name.
#[utoipa::path(
    get, path = "/accounts", tag = "accounts", params(PageQuery),
    responses((status = 200, description = "A page", body = Items<AccountBody>)),
    extensions(("x-action" = json!("read_accounts")))
)]
pub(super) async fn list_accounts(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Response, Problem> {
    actor.may(Action::ReadAccounts, app.region(), None, app.now())?;
    let page = page::page::<String>(query.limit, query.cursor.as_deref(), "")?;
    let mut connection = app.db.read().await?;
    let after = page.after.clone().unwrap_or_default();
    let accounts = store::accounts::list(&mut connection, &after, page.limit + 1).await?;
    let mut bodies = Vec::with_capacity(accounts.len());
    for account in accounts {
        bodies.push(AccountBody::load(&mut connection, account).await?);
    }
    Ok(answer::ok(&page.items(bodies, |account| account.name.clone())))
}
