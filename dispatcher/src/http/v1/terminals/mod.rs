//! `/api/v1/terminals`: planned, enrolled and retired terminals.

mod create;
mod edit;
mod get;
mod list;
mod retire;

use std::sync::Arc;

use protocols::region::RegionCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::terminals::TerminalError;
use crate::context::App;
use crate::domain::targeting::GeoPoint;
use crate::domain::terminal::{Terminal, TerminalDetails};
use crate::http::problem::{Kind, Problem};
use crate::http::v1::liveness::LivenessState;
use crate::store::terminal_states::Heard;

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list_terminals, create::create_terminal))
        .routes(routes!(get::get_terminal, edit::edit_terminal))
        .routes(routes!(retire::retire_terminal))
}

/// A terminal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Terminal)]
pub struct TerminalBody {
    /// Village and number, `350211102201-0001`; also its MQTT client id.
    pub id: String,
    /// The village.
    #[schema(value_type = String)]
    pub village: RegionCode,
    /// The place as people call it.
    pub name: String,
    /// Where it stands; absent: the representative point of its village counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<GeoPoint>,
    /// Whether it has a loudspeaker.
    pub is_speaking: bool,
    /// planned, enrolled, retired.
    pub state: &'static str,
    /// When it joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub enrolled_at: Option<jiff::Timestamp>,
    /// When it was taken away for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retired_at: Option<jiff::Timestamp>,
    /// For `If-Match`.
    pub version: i64,
    /// How it is; shown when one or all are read, absent before it joined and after it was retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<LivenessState>,
}

impl TerminalBody {
    /// With how it is, where it was heard like this.
    fn heard(terminal: &Terminal, app: &App, heard: Option<Heard>) -> Self {
        let liveness = heard.map(|heard| LivenessState::of(app.now(), app.link.get(), heard));
        Self { liveness, ..Self::from(terminal) }
    }
}

impl From<&Terminal> for TerminalBody {
    fn from(terminal: &Terminal) -> Self {
        let state = match (terminal.retired_at, terminal.enrolled_at) {
            (Some(_), _) => "retired",
            (None, Some(_)) => "enrolled",
            (None, None) => "planned",
        };
        Self {
            id: terminal.id.to_string(),
            village: terminal.id.village(),
            name: terminal.name.clone(),
            position: terminal.position.map(GeoPoint::from),
            is_speaking: terminal.is_speaking,
            state,
            enrolled_at: terminal.enrolled_at,
            retired_at: terminal.retired_at,
            version: terminal.version,
            liveness: None,
        }
    }
}

const fn yes() -> bool {
    true
}

/// What a person says about a terminal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// The place as people call it, 1 to 120 bytes.
    name: String,
    /// Where it stands.
    #[serde(default)]
    position: Option<GeoPoint>,
    /// Whether it has a loudspeaker.
    #[serde(default = "yes")]
    is_speaking: bool,
}

impl From<Details> for TerminalDetails {
    fn from(details: Details) -> Self {
        Self {
            name: details.name,
            place: details.position.map(|at| (at.lat, at.lon)),
            is_speaking: details.is_speaking,
        }
    }
}

impl From<TerminalError> for Problem {
    fn from(error: TerminalError) -> Self {
        match error {
            TerminalError::NotFound => Self::not_found("terminal"),
            TerminalError::Faults(faults) => Self::faults(faults),
            TerminalError::Retired => {
                Self::wrong_state("该终端已停用，不能再更改", "the terminal is retired for good")
            }
            TerminalError::Stale => Self::new(Kind::Stale),
            TerminalError::Store(error) => error.into(),
        }
    }
}
