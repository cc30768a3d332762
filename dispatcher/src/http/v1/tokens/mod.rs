//! Tokens of machines.

mod create;
mod delete;
mod list;

use std::sync::Arc;

use jiff::Timestamp;
use protocols::region::RegionCode;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::tokens::{Scope, Token, TokenError};
use crate::context::App;
use crate::http::problem::Problem;

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create_token, list::list_tokens))
        .routes(routes!(delete::delete_token))
}

/// A token, without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TokenBody {
    /// Its identifier.
    pub id: Uuid,
    /// Which machine holds it.
    pub name: String,
    /// What for.
    pub scope: Scope,
    /// For which region and all below.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// When it was ended by hand.
    pub revoked_at: Option<Timestamp>,
}

impl From<Token> for TokenBody {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scope: token.scope,
            region: token.region,
            created_by: token.created_by.to_string(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Fault(fault) => Self::faults([fault]),
            TokenError::Store(error) => error.into(),
        }
    }
}
