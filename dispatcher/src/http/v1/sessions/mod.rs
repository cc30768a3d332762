//! Login, second factor, logout.

mod create;
mod delete;
mod list;
mod step_up;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::sessions::LoginError;
use crate::context::App;
use crate::domain::account::Session;
use crate::http::problem::{Kind, Problem};

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create_session, list::list_sessions))
        .routes(routes!(step_up::step_up_session))
        .routes(routes!(delete::delete_session))
}

/// A session as its owner sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionBody {
    /// Its identifier.
    pub id: Uuid,
    /// Since when.
    pub created_at: Timestamp,
    /// Last request, within a minute.
    pub seen_at: Timestamp,
    /// From where.
    pub address: String,
    /// With what.
    pub agent: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl SessionBody {
    fn new(session: Session, current: Uuid) -> Self {
        Self {
            is_current: session.id == current,
            id: session.id,
            created_at: session.created_at,
            seen_at: session.seen_at,
            address: session.address,
            agent: session.agent,
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Wrong => Self::new(Kind::WrongCredentials),
            LoginError::Locked(seconds) => Self::new(Kind::TooManyRequests)
                .detail(
                    "失败次数过多，账号已暂时锁定",
                    "locked for a while after too many failures",
                )
                .retry_after(seconds),
            LoginError::Store(error) => error.into(),
        }
    }
}

/// Sessions belong to persons: a machine's token has none.
fn own(session: Option<Session>) -> Result<Session, Problem> {
    session.ok_or_else(|| Problem::not_found("session"))
}
