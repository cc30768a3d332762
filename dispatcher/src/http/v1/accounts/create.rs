//! `POST /accounts`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::AccountBody;
use crate::app::accounts::{self, NewAccount};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::extract::Keyed;
use crate::http::problem::{Problem, ProblemBody};
use crate::store::Tx;

/// A new account. Its second factor is enrolled on the machine itself: `dispatcher user totp`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateAccountRequest {
    /// The login name.
    name: String,
    /// The person's name.
    full_name: String,
    /// The first password.
    password: String,
}

/// Make an account; it may nothing until something is granted.
#[utoipa::path(
    post, path = "/accounts", tag = "accounts", request_body = CreateAccountRequest,
    params(("Idempotency-Key" = String, Header, description = "Once for this account")),
    responses(
        (status = 201, description = "Made", body = AccountBody),
        (status = 409, description = "The name is taken", body = ProblemBody),
        (status = 422, description = "A field breaks a rule", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_accounts")))
)]
pub(super) async fn create_account(
    State(app): State<Arc<App>>,
    actor: Actor,
    keyed: Keyed<CreateAccountRequest>,
) -> Result<Response, Problem> {
    actor.may(Action::ManageAccounts, app.region(), None, app.now())?;
    let password_hash = accounts::hashed(&app.ports, keyed.body.password.clone()).await?;
    let act = async |tx: &mut Tx, body: CreateAccountRequest| {
        let (name, full_name) = (body.name, body.full_name);
        let new = NewAccount { name, full_name, password_hash, totp_secret: None };
        let account = accounts::add(tx, &app.ports, actor.id, new).await?;
        let location = format!("/api/v1/accounts/{}", account.name);
        let body = AccountBody::load(tx, account).await?;
        Ok(answer::kept(StatusCode::CREATED, Some(location), &body))
    };
    keyed.once(&app, &actor, &[], act).await
}
