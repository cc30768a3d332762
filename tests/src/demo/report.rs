//! `target/demo/report.json`: what happened, in the shape that others script against.

use serde::Serialize;

/// What became of one alert at one terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It sounded to its end at least once.
    Played,
    /// Received and verified; not meant for this terminal.
    OutOfArea,
    /// Refused for another reason.
    Refused,
    /// Nothing was heard and nothing was said about it.
    Silent,
}

/// One alert at one terminal. Times in milliseconds from the issue request (`correction_ms`: from
/// the withdrawal request), all on the one clock of this machine; `None` where it did not happen.
#[derive(Debug, Clone, Serialize)]
pub struct AtTerminal {
    /// Terminal id.
    pub id: String,
    /// Its village.
    pub region: String,
    /// Whether it was meant.
    pub targeted: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// In its journal.
    pub received_ms: Option<i64>,
    /// Signature, authority, number and target were right.
    pub verified_ms: Option<i64>,
    /// First non-silent frame left the device buffer.
    pub first_sound_ms: Option<i64>,
    /// First non-silent frame of the correction.
    pub correction_ms: Option<i64>,
    /// A sounding ran to its end.
    pub finished: bool,
    /// What the terminal played over the whole run: 16-bit WAV.
    pub wav: Option<String>,
}

/// One alert.
#[derive(Debug, Clone, Serialize)]
pub struct AlertReport {
    /// Its id at the dispatcher.
    pub alert: String,
    /// What it was, for people.
    pub title: String,
    /// At each terminal.
    pub terminals: Vec<AtTerminal>,
}

/// Sums over the first alert.
#[derive(Debug, Clone, Serialize)]
pub struct Totals {
    /// Terminals in the demo.
    pub terminals: usize,
    /// Meant by the first alert.
    pub targeted: usize,
    /// Of those, heard.
    pub played: usize,
    /// Receipts that the dispatcher holds of all alerts.
    pub coverage: f64,
}

/// What made the report.
#[derive(Debug, Clone, Serialize)]
pub struct Versions {
    /// Tongluo.
    pub tongluo: String,
    /// espeak-ng, as it names itself.
    pub espeak_ng: String,
    /// Where the sound went: `card` or `file`.
    pub sound: String,
}

/// The whole report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The first alert at each terminal.
    pub terminals: Vec<AtTerminal>,
    /// Each alert at each terminal.
    pub alerts: Vec<AlertReport>,
    /// From the withdrawal request until the last terminal was silent.
    pub cancel_to_silence_ms: Option<i64>,
    /// Sums.
    pub totals: Totals,
    /// Versions.
    pub versions: Versions,
    /// Everything that should have been true and was not; empty when the demo succeeded.
    pub failures: Vec<String>,
}
