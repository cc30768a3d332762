//! `GET /accounts/own`: who am I, and what may I?

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::AccountBody;
use crate::context::App;
use crate::http::answer;
use crate::http::login::LoggedIn;
use crate::http::problem::Problem;
use crate::store;

/// The account that asks.
#[utoipa::path(
    get, path = "/accounts/own", tag = "accounts",
    responses((status = 200, description = "The account", body = AccountBody)),
    extensions(("x-action" = json!("own")))
)]
pub(super) async fn get_own_account(
    State(app): State<Arc<App>>,
    login: LoggedIn,
) -> Result<Response, Problem> {
    let session = login.session.ok_or_else(|| Problem::not_found("account"))?;
    let mut connection = app.db.read().await?;
    let account = store::accounts::by_id(&mut connection, session.account).await?;
    let account = account.ok_or_else(|| Problem::not_found("account"))?;
    Ok(answer::ok(&AccountBody::load(&mut connection, account).await?))
}
