//! 运行状态: liveness and measurements of one terminal, every 60 s ± 20 %.

use jiff::Timestamp;

use crate::digest::Digest;
use crate::receipt::{Evidence, Reason};
use crate::terminal::TerminalId;

/// What the loudspeaker path looks like from inside.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum AudioState {
    /// A device could be opened last time it was tried.
    #[n(0)]
    Present,
    /// No device.
    #[n(1)]
    Absent,
    /// A device that accepts frames and does not play them.
    #[n(2)]
    Stalled,
}

/// Vitals. Signed by the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Vitals {
    /// Who.
    #[n(0)]
    pub terminal: TerminalId,
    /// When, by its clock.
    #[cbor(n(1), with = "crate::micros")]
    pub at: Timestamp,
    /// The life of its journal.
    #[n(2)]
    pub journal_id: u64,
    /// Numbered within the journal's life, so that an old one can't pass for news.
    #[n(3)]
    pub number: u64,
    /// Whether its clock can't be trusted.
    #[n(4)]
    pub clock_unsure: bool,
    /// Seconds since the program started.
    #[n(5)]
    pub uptime_s: u64,
    /// Program and version, ≤ 64 bytes.
    #[n(6)]
    pub version: String,
    /// The loudspeaker path.
    #[n(7)]
    pub audio: AudioState,
    /// The order that sounds now.
    #[n(8)]
    pub sounding: Option<Digest>,
    /// A signed stop is in force.
    #[n(9)]
    pub is_stopped: bool,
    /// Journal size in bytes.
    #[n(10)]
    pub journal_bytes: u64,
    /// Free bytes on the disk of the journal.
    #[n(11)]
    pub disk_free_bytes: Option<u64>,
    /// Nearest expiry of a certificate it relies on.
    #[cbor(n(12), with = "crate::micros::option", has_nil)]
    pub certificate_expires: Option<Timestamp>,
    /// Highest revocation list it has journalled; 0 for none.
    #[n(13)]
    pub revocation_number: u64,
    /// Receipts not yet acknowledged by the dispatcher.
    #[n(14)]
    pub receipts_waiting: u32,
    /// Refusals and failures since the journal began, by reason; also what had no room in the
    /// outbox.
    #[n(15)]
    pub counters: Vec<Counter>,
    /// Battery in percent, where there is one.
    #[n(16)]
    pub battery_percent: Option<u8>,
    /// On mains power, where it is measured.
    #[n(17)]
    pub is_on_mains: Option<bool>,
    /// The last near-silent self-test.
    #[n(18)]
    pub silent_test: Option<SelfTest>,
    /// The last self-test that people heard.
    #[n(19)]
    pub audible_test: Option<SelfTest>,
}

/// What a self-test of the loudspeaker path came to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct SelfTest {
    /// When it ended.
    #[cbor(n(0), with = "crate::micros")]
    pub at: Timestamp,
    /// Why it failed; absent when it passed.
    #[n(1)]
    pub reason: Option<Reason>,
    /// What the device did.
    #[n(2)]
    pub evidence: Evidence,
}

/// How often one thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub struct Counter {
    /// What.
    #[n(0)]
    pub reason: Reason,
    /// How often.
    #[n(1)]
    pub times: u64,
}

/// The retained word on a terminal's status topic: unsigned, a hint and nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusHint {
    /// `online`
    Online,
    /// `offline`: the terminal's last will.
    Offline,
}

impl StatusHint {
    /// The payload.
    pub const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Online => b"online",
            Self::Offline => b"offline",
        }
    }
}
