//! Accounts of persons and what is granted to them.

mod create;
mod disable;
mod get_own;
mod list;
mod set_grant;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::accounts::AccountError;
use crate::context::App;
use crate::domain::account::Account;
use crate::domain::actor::Grant;
use crate::http::problem::Problem;
use crate::store::{self, Conn, StoreError};

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create_account, list::list_accounts))
        .routes(routes!(get_own::get_own_account))
        .routes(routes!(disable::disable_account))
        .routes(routes!(set_grant::create_grant, set_grant::delete_grant))
}

/// An account, without its secrets.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AccountBody {
    /// Its identifier.
    pub id: Uuid,
    /// The login name.
    pub name: String,
    /// The person's name.
    pub full_name: String,
    /// What was granted.
    #[schema(value_type = Vec<Object>)]
    pub grants: Vec<Grant>,
    /// Whether a second factor is enrolled.
    pub has_second_factor: bool,
    /// Since when it counts no more.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: i64,
}

impl AccountBody {
    async fn load(connection: &mut Conn, account: Account) -> Result<Self, StoreError> {
        Ok(Self {
            grants: store::accounts::grants(connection, account.id).await?,
            id: account.id,
            name: account.name,
            full_name: account.full_name,
            has_second_factor: account.totp_secret.is_some(),
            disabled_at: account.disabled_at,
            created_at: account.created_at,
            version: account.version,
        })
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Fault(fault) => Self::faults([fault]),
            AccountError::NotFound => Self::not_found("account"),
            AccountError::NotForPersons => {
                Self::rule("/role", "role-of-machines", "该角色只用于系统令牌", &error.to_string())
            }
            AccountError::Store(error) => error.into(),
        }
    }
}
