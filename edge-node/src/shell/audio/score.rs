//! What is played: parts in a row, each of them ready or still being made.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::Source;

/// Identifies one sounding; the caller chooses it and gets it back.
pub type ScoreId = u64;

/// One sounding.
pub struct Score {
    /// Whose account this is.
    pub id: ScoreId,
    /// What is played, in this order.
    pub parts: Vec<Part>,
    /// Factor on every sample, 0 to 1.
    pub gain: f32,
    /// The first frame leaves the device at this instant; absent: at once.
    pub start_at: Option<jiff::Timestamp>,
    /// Milliseconds left out at the start: joins a sounding that others began.
    pub skip_ms: u32,
}

/// A stretch of a sounding. The border between two is a sentence end.
pub enum Part {
    /// Can be read at once.
    Ready(Box<dyn Source>),
    /// Is being made elsewhere (speech, a clip from disk); the player is silent until it comes.
    Later(Receiver<Made>),
    /// Chosen when its turn comes, not before.
    Either(Choice),
}

/// Two ways to say the same words.
pub struct Choice {
    /// Spoken if it is there when its turn comes.
    pub preferred: Receiver<Made>,
    /// Spoken otherwise, all of it.
    pub otherwise: VecDeque<Part>,
}

/// What came of a part that was being made. An error is the one line for the log.
pub type Made = Result<Box<dyn Source>, String>;

/// A part to be made, and the end by which its maker hands it over. A maker that is dropped
/// without a word counts as failed.
pub fn later() -> (SyncSender<Made>, Part) {
    let (sender, receiver) = sync_channel(1);
    (sender, Part::Later(receiver))
}

/// Words that may yet be had in a better way: the end by which that is handed over, and the part.
pub fn either(otherwise: impl IntoIterator<Item = Part>) -> (SyncSender<Made>, Part) {
    let (sender, preferred) = sync_channel(1);
    (sender, Part::Either(Choice { preferred, otherwise: otherwise.into_iter().collect() }))
}

/// Why a sounding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The last frame left the device.
    Drained,
    /// It was cut on demand, at once or at the end of a sentence.
    Cut,
    /// No device could be opened, or it vanished.
    NoDevice,
    /// The device took frames and did not play them.
    Stalled,
    /// A part that was being made did not come; what was ready has been played.
    NoSpeech,
}

/// The exact account of one sounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// When the first non-silent frame left the device buffer.
    pub first_sound_at: Option<jiff::Timestamp>,
    /// That frame's number, counted from the opening of the device: its place in a capture.
    pub first_sound_frame: Option<u64>,
    /// Frames that the device consumed.
    pub frames: u64,
    /// Times the device ran dry.
    pub underruns: u32,
    /// How its choices went.
    pub words: ChosenWords,
}

/// How the choices of a sounding went, as far as it came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChosenWords {
    /// What was preferred was there.
    pub n_preferred: u32,
    /// It was not.
    pub n_otherwise: u32,
}

/// What the player tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayerEvent {
    /// The first non-silent frame left the device buffer.
    FirstSound {
        /// Of which sounding.
        id: ScoreId,
        /// When.
        at: jiff::Timestamp,
    },
    /// A sounding is over.
    Ended {
        /// Which.
        id: ScoreId,
        /// How.
        ending: Ending,
        /// What the device did.
        account: Account,
    },
}
