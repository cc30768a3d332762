//! Which terminals are online, late or lost.

mod list;

use std::sync::Arc;

use jiff::Timestamp;
use protocols::vitals::Vitals;
use protocols::wire;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::App;
use crate::domain::liveness::{self, Link};
use crate::domain::terminal_fault::{self, TerminalFault};
use crate::store::terminal_states::Heard;

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list::list_liveness))
}

/// How a terminal is, as a part of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LivenessState {
    /// `online`, `late`, `lost`, or `unknown` while the dispatcher itself is deaf.
    pub state: String,
    /// Since when it is late, lost or awaited; absent while it is online.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// When it was last heard.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen_at: Option<Timestamp>,
    /// The broker's unsigned word that it is connected.
    pub is_connected_hint: bool,
    /// What it last said of itself.
    pub vitals: Option<VitalsBody>,
    /// What is wrong with it by that: `audio_absent`, `audio_stalled`, `clock_unsure`,
    /// `mains_lost`, `battery_low`, `disk_nearly_full`, `certificate_due`.
    pub faults: Vec<String>,
}

/// Vitals, as far as a person asks.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VitalsBody {
    /// When, by its clock.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whether that clock can't be trusted.
    clock_unsure: bool,
    /// Program and version.
    version: String,
    /// Seconds since it started.
    uptime_s: u64,
    /// `present`, `absent` or `stalled`.
    #[schema(value_type = String)]
    audio: protocols::vitals::AudioState,
    /// Digest of the order that sounds now.
    sounding: Option<String>,
    /// Whether a signed stop is in force there.
    is_stopped: bool,
    /// Receipts that wait for an acknowledgement.
    receipts_waiting: u32,
    /// Free bytes of its disk.
    disk_free_bytes: Option<u64>,
    /// Battery in percent.
    battery_percent: Option<u8>,
    /// On mains power.
    is_on_mains: Option<bool>,
    /// The nearest end of a certificate it relies on.
    #[schema(value_type = Option<String>, format = DateTime)]
    certificate_expires: Option<Timestamp>,
    /// Number of the newest revocation list it holds; 0 for none.
    revocation_number: u64,
}

impl LivenessState {
    /// Of a terminal that was heard like this.
    pub fn of(now: Timestamp, link: Link, heard: Heard) -> Self {
        let vitals = heard.vitals.and_then(|bytes| wire::decode::<Vitals>(&bytes).ok());
        let faults = vitals.as_ref().map(|vitals| terminal_fault::faults(vitals, now));
        let names = faults.unwrap_or_default().into_iter().map(TerminalFault::as_str);
        Self {
            state: liveness::liveness(now, heard.last_seen_at, link).as_str().to_owned(),
            since: liveness::since(now, heard.last_seen_at, link),
            last_seen_at: heard.last_seen_at,
            is_connected_hint: heard.is_connected_hint,
            vitals: vitals.map(VitalsBody::from),
            faults: names.map(str::to_owned).collect(),
        }
    }
}

impl From<Vitals> for VitalsBody {
    fn from(vitals: Vitals) -> Self {
        Self {
            at: vitals.at,
            clock_unsure: vitals.clock_unsure,
            version: vitals.version,
            uptime_s: vitals.uptime_s,
            audio: vitals.audio,
            sounding: vitals.sounding.map(|digest| digest.to_string()),
            is_stopped: vitals.is_stopped,
            receipts_waiting: vitals.receipts_waiting,
            disk_free_bytes: vitals.disk_free_bytes,
            battery_percent: vitals.battery_percent,
            is_on_mains: vitals.is_on_mains,
            certificate_expires: vitals.certificate_expires,
            revocation_number: vitals.revocation_number,
        }
    }
}
