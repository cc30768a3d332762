//! Drill enrolments: terminals that take part in a drill, and when.

mod create;
mod end;
mod list;

use std::sync::Arc;

use jiff::Timestamp;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::drills::DrillError;
use crate::context::App;
use crate::http::problem::{Finding, Kind, Problem};
use crate::store::drill_enrolments::DrillEnrolment;

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create_drill_enrolment, list::list_drill_enrolments))
        .routes(routes!(end::end_drill_enrolment))
}

/// An enrolment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DrillEnrolmentBody {
    /// Its identifier.
    id: String,
    /// Rises with each change.
    version: i64,
    /// The drill, as alerts of kind `exercise` name it.
    drill: String,
    /// The smallest single region that holds all of it.
    #[schema(value_type = String)]
    region: RegionCode,
    /// Whole regions that take part.
    #[schema(value_type = Vec<String>)]
    regions: Vec<RegionCode>,
    /// Single terminals that take part.
    #[schema(value_type = Vec<String>)]
    terminals: Vec<TerminalId>,
    /// From this instant.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Until this instant, unless it was ended before.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// `planned`, `open`, `over` or `ended`.
    state: String,
    /// Who made it.
    made_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// Who ended it before its time.
    ended_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl DrillEnrolmentBody {
    fn of(enrolment: DrillEnrolment, now: Timestamp) -> Self {
        let state = match enrolment.ended {
            Some(_) => "ended",
            None if enrolment.until <= now => "over",
            None if enrolment.from <= now => "open",
            None => "planned",
        };
        Self {
            id: enrolment.id,
            version: enrolment.version,
            drill: enrolment.drill,
            region: enrolment.region,
            regions: enrolment.scope.regions,
            terminals: enrolment.scope.terminals,
            from: enrolment.from,
            until: enrolment.until,
            state: state.to_owned(),
            made_by: enrolment.made_by.to_string(),
            made_at: enrolment.made_at,
            ended_by: enrolment.ended.map(|(by, _)| by.to_string()),
            ended_at: enrolment.ended.map(|(_, at)| at),
        }
    }
}

impl From<DrillError> for Problem {
    fn from(error: DrillError) -> Self {
        let en = error.to_string();
        match error {
            DrillError::Denied(denied) => denied.into(),
            DrillError::Faults(faults) => Self::new(Kind::RuleBroken)
                .detail(
                    format!("有 {} 处不符合要求", faults.len()),
                    format!("{} rules are broken", faults.len()),
                )
                .findings(faults.into_iter().map(Finding::from)),
            DrillError::Overlaps(id) => {
                Self::wrong_state(format!("与登记 {id} 的终端重叠，请先结束该登记"), en)
            }
            DrillError::NotFound => Self::not_found("drill enrolment"),
            DrillError::Over => Self::wrong_state("该登记已结束", en),
            DrillError::CannotSign(error) => error.into(),
            DrillError::Store(error) => error.into(),
        }
    }
}
