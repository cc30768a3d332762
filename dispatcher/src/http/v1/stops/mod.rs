//! Stops: regions that were silenced.

mod create;
mod lift;
mod list;

use std::sync::Arc;

use jiff::Timestamp;
use protocols::region::RegionCode;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::stops::StopError;
use crate::context::App;
use crate::http::problem::{Kind, Problem};
use crate::store::stops::Stop;

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create_stop, list::list_stops))
        .routes(routes!(lift::lift_stop))
}

/// A stop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StopBody {
    /// Its identifier.
    id: String,
    /// Rises with each change.
    version: i64,
    /// The region that is silent.
    #[schema(value_type = String)]
    region: RegionCode,
    /// Why.
    reason: String,
    /// Who silenced it.
    placed_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    /// Whether it is in force.
    is_in_force: bool,
    /// Who let it sound again.
    lifted_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    lifted_at: Option<Timestamp>,
}

impl From<Stop> for StopBody {
    fn from(stop: Stop) -> Self {
        Self {
            id: stop.id,
            version: stop.version,
            region: stop.region,
            reason: stop.reason,
            placed_by: stop.placed_by.to_string(),
            placed_at: stop.placed_at,
            is_in_force: stop.lifted.is_none(),
            lifted_by: stop.lifted.map(|(by, _)| by.to_string()),
            lifted_at: stop.lifted.map(|(_, at)| at),
        }
    }
}

impl From<StopError> for Problem {
    fn from(error: StopError) -> Self {
        let en = error.to_string();
        match error {
            StopError::Denied(denied) => denied.into(),
            StopError::OutsideCertificate(region) => {
                let zh = format!("{region} 不在本平台证书的区域内");
                Self::rule("/region", "outside-certificate", &zh, &en)
            }
            StopError::Reason => Self::rule("/reason", "length", "原因须为 1 至 200 字节", &en),
            StopError::Already(_) => Self::new(Kind::WrongState).detail("该区域已停播", en),
            StopError::NotInForce => Self::new(Kind::WrongState).detail("该停播已解除", en),
            StopError::NotFound => Self::not_found("stop"),
            StopError::CannotSign(error) => error.into(),
            StopError::Store(error) => error.into(),
        }
    }
}
