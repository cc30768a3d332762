//! `POST /tokens`. Without an `Idempotency-Key`: its answer holds a secret, which is not stored.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use protocols::region::RegionCode;
use serde::{Deserialize, Serialize};

use super::TokenBody;
use crate::app::tokens::{self, NewToken, Scope};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::extract::Json;
use crate::http::problem::{Problem, ProblemBody};

/// A new token.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateTokenRequest {
    /// Which machine will hold it.
    name: String,
    /// What for.
    scope: Scope,
    /// For which region and all below.
    #[schema(value_type = String)]
    region: RegionCode,
    /// Until when, within 400 days.
    expires_at: Timestamp,
}

/// A token with its secret, shown once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CreatedTokenBody {
    #[serde(flatten)]
    token: TokenBody,
    /// For `Authorization: Bearer`. It can't be shown again.
    secret: String,
}

/// Make a token for a machine.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", request_body = CreateTokenRequest,
    responses(
        (status = 201, description = "Made", body = CreatedTokenBody),
        (status = 422, description = "A field breaks a rule", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_tokens")))
)]
pub(super) async fn create_token(
    State(app): State<Arc<App>>,
    actor: Actor,
    Json(body): Json<CreateTokenRequest>,
) -> Result<Response, Problem> {
    actor.may(Action::ManageTokens, body.region, None, app.now())?;
    let new = NewToken {
        name: body.name,
        scope: body.scope,
        region: body.region,
        expires_at: body.expires_at,
    };
    let mut tx = app.db.begin().await?;
    let (token, secret) = tokens::add(&mut tx, &app.ports, actor.id, new).await?;
    tx.commit().await?;
    let body = CreatedTokenBody { token: token.into(), secret };
    Ok(answer::json(StatusCode::CREATED, &body))
}
