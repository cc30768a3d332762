//! `POST /accounts`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::AccountBody;
use crate::app::accounts::{self, NewAccount};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

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
    let (body, begun) = keyed.begin(&app, &actor).await?;
    let mut work = match begun {
        Begun::Replay(answer) => return Ok(answer.into_response()),
        Begun::New(work) => work,
    };
    let new =
        NewAccount { name: body.name, full_name: body.full_name, password_hash, totp_secret: None };
    let account = accounts::add(&mut work.tx, &app.ports, actor.id, new).await?;
    let location = format!("/api/v1/accounts/{}", account.name);
    let body = AccountBody::load(&mut work.tx, account).await?;
    let answer = answer::kept(StatusCode::CREATED, Some(location), &body);
    work.finish(&answer).await?;
    Ok(answer.into_response())
}
