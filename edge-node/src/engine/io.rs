//! What crosses the wall between the engine and its shell: inputs, outputs, and their types.
//!
//! Contract: the shell calls [`super::Engine::handle`], drains [`super::Engine::poll`] to `None` and
//! carries out the outputs **in their order**, then waits until the next event or
//! [`super::Engine::next_wakeup`]. Three rules bind the shell:
//!
//! 1. [`Output::Journal`] is answered by [`Input::Journalled`] only after the record is on disk
//!    (fsync). The engine has at most one write in flight and itself holds back all that depends
//!    on it.
//! 2. [`Output::FetchClip`] of a clip that is in the cache is answered by [`Input::ClipReady`]
//!    before the next journal write is answered, so that a red alert, which waits for nothing,
//!    still uses a clip that is there.
//! 3. [`Output::Play`] and [`Output::SelfTest`] are answered by exactly one [`Input::SoundEnded`], whatever happens; after
//!    it nothing more of that sounding is heard. The engine never asks for two at once.

use std::time::Duration;

use jiff::Timestamp;
use protocols::alert::{AlertColor, BroadcastKind, EventCode};
use protocols::digest::Digest;
use protocols::order::{ClipReference, Purpose};
use protocols::receipt::{Evidence, Reason};
use protocols::vitals::AudioState;
use protocols::wire::Topic;

/// The instant of an input, by both clocks of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The system clock. It may be wrong; see [`Input::Booted`].
    pub clock: Timestamp,
    /// Monotonic time since the process started.
    pub uptime: Duration,
}

/// Names a message to be acknowledged to the broker. Drawn by the shell; never reused in a
/// process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckToken(pub u64);

/// Names one write to the journal. Drawn by the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalToken(pub u64);

/// Names one sounding. Drawn by the engine, unique within a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SoundingId(pub u64);

/// The journal could not be written: no room, or a broken disk. The shell logs the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal can't be written")]
pub struct JournalError;

/// What happens to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// One whole record of the journal, at boot, in the order of writing. Records whose frame is
    /// torn or fails its checksum are not given; what follows a torn one is not given either.
    Replay(Vec<u8>),
    /// The journal was read to its end. Nothing sounds or is sent before this.
    Booted {
        /// Random: the identity of the journal, if it is a new one. A journal that was replayed
        /// has its own.
        fresh_journal_id: u64,
        /// Whether the system clock is known to be right (synchronised, or a battery-backed clock
        /// that says so).
        clock_is_trusted: bool,
    },
    /// The session with the broker stands and the filters are subscribed.
    Connected {
        /// Whether the broker remembered us. The engine asks anew either way.
        session_present: bool,
        /// Fresh random bytes for the hello.
        nonce: [u8; 16],
    },
    /// The session is gone.
    Disconnected,
    /// The broker delivered a message.
    Message {
        /// The topic as received.
        topic: String,
        /// The bytes as received.
        payload: Vec<u8>,
        /// What [`Output::Ack`] will name. A message that is never acknowledged is delivered again
        /// by the broker in the next session.
        ack: AckToken,
    },
    /// Answer to [`Output::Journal`].
    Journalled {
        /// Which write.
        token: JournalToken,
        /// Whether it is on disk.
        result: Result<(), JournalError>,
    },
    /// Answer to [`Output::CompactJournal`].
    Compacted {
        /// Which replacement.
        token: JournalToken,
        /// Whether the new journal stands; otherwise the old one does, untouched.
        result: Result<(), JournalError>,
    },
    /// The clip is in the cache and its digest is right.
    ClipReady {
        /// Which clip.
        digest: Digest,
    },
    /// The clip could not be had before its deadline, or it is not what its digest says.
    ClipFailed {
        /// Which clip.
        digest: Digest,
    },
    /// The first non-silent frame left the device buffer.
    SoundStarted {
        /// Which sounding.
        sounding: SoundingId,
        /// When.
        at: Timestamp,
    },
    /// The sounding is over and the device is silent.
    SoundEnded {
        /// Which sounding.
        sounding: SoundingId,
        /// How it ended.
        outcome: SoundOutcome,
        /// What the device can prove. A missing `first_sound_at` is filled in by the engine, and a
        /// missing `source` as the plan had it; a plan with [`Segment::ClipOrVoice`] leaves it to
        /// the shell.
        evidence: Evidence,
    },
    /// Somebody pressed the local key.
    LocalStop,
    /// The machine measured itself; the last values go into the vitals.
    Measured(Measurements),
    /// The time of [`super::Engine::next_wakeup`] came. Harmless at any time.
    Wakeup,
}

/// How a sounding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundOutcome {
    /// The device drained to the last frame of the plan.
    Finished,
    /// Cut as asked by [`Output::CutSound`].
    Cut,
    /// It could not sound, or not to its end.
    Failed(SoundFailure),
}

/// Why a sounding failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundFailure {
    /// No sound card, or it vanished.
    NoAudioDevice,
    /// It takes frames and never plays them.
    DeviceStalled,
    /// A clip can't be decoded, or the local voice gives nothing.
    NoSpeech,
}

impl SoundFailure {
    /// The reason as it stands in a receipt.
    pub const fn reason(self) -> Reason {
        match self {
            Self::NoAudioDevice => Reason::NoAudioDevice,
            Self::DeviceStalled => Reason::DeviceStalled,
            Self::NoSpeech => Reason::NoSpeech,
        }
    }
}

/// What the machine measured about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measurements {
    /// The loudspeaker path. When it turns to `Present`, what failed for want of it is tried again.
    pub audio: AudioState,
    /// Bytes of the journal on disk.
    pub journal_bytes: u64,
    /// Free bytes on that disk.
    pub disk_free_bytes: Option<u64>,
    /// Battery, where there is one.
    pub battery_percent: Option<u8>,
    /// On mains power, where it is measured.
    pub is_on_mains: Option<bool>,
}

/// What the engine wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Append one record (the shell frames it with length and checksum), make it durable, answer.
    Journal {
        /// For the answer.
        token: JournalToken,
        /// CBOR; see [`super::journal`].
        record: Vec<u8>,
    },
    /// Replace the journal by these records, atomically (temporary file, fsync, rename, fsync of
    /// the folder), answer.
    CompactJournal {
        /// For the answer.
        token: JournalToken,
        /// The whole new journal.
        records: Vec<Vec<u8>>,
    },
    /// Acknowledge a message to the broker (PUBACK).
    Ack(AckToken),
    /// Publish with QoS 1. It may be lost; the engine says it again where that matters.
    Publish {
        /// Where to.
        topic: Topic,
        /// What.
        payload: Vec<u8>,
        /// Whether the broker keeps it.
        retain: bool,
    },
    /// Get a clip into the cache, and keep it there until `keep_until`.
    FetchClip {
        /// Which.
        reference: ClipReference,
        /// Until then the first sounding waits for it. After that it is still wanted, for the next
        /// repeat.
        deadline: Timestamp,
        /// The expiry of its order; nobody asks for the clip after it.
        keep_until: Timestamp,
    },
    /// Play this plan from its start, segment after segment without a gap.
    Play {
        /// For the answers.
        sounding: SoundingId,
        /// The order it belongs to (for logs).
        order: Digest,
        /// Which sounding of the order, from 1 (for logs).
        repeat: u8,
        /// What.
        plan: Vec<Segment>,
        /// How loud.
        volume_percent: u8,
        /// The first frame leaves the device at this instant; absent: at once.
        start_at: Option<Timestamp>,
        /// Join so far into the plan; 0 for its start.
        skip_ms: u32,
    },
    /// Play this plan to find out whether it can be heard; otherwise as [`Output::Play`], at once.
    SelfTest {
        /// For the answers.
        sounding: SoundingId,
        /// What.
        plan: Vec<Segment>,
        /// How loud.
        volume_percent: u8,
    },
    /// End the sounding early and answer [`Input::SoundEnded`] with `Cut` (or `Finished`, when it
    /// had already drained). A later `Now` overrides an earlier `AtSentenceEnd`.
    CutSound {
        /// Which.
        sounding: SoundingId,
        /// How.
        how: CutHow,
    },
    /// Something was refused or failed; for metrics and the log.
    Count {
        /// Why.
        reason: Reason,
        /// The message or order it is about, if it is about one.
        about: Option<Digest>,
    },
}

/// How to end a sounding early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutHow {
    /// Silence within one device period.
    Now,
    /// At the end of the current sentence (a pause in the sound), and in any case within the bound.
    AtSentenceEnd {
        /// The bound in milliseconds.
        within_ms: u32,
    },
}

/// One piece of a plan. The plan of an order never ends with a tone: words follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// The attention tone of a hazard. Generated by the shell.
    Tone {
        /// Hazard.
        event: EventCode,
        /// Colour; `None` for a notice of one's own.
        color: Option<AlertColor>,
        /// What it is for: a drill's or test's tone is a gentler one.
        kind: BroadcastKind,
        /// What the order does: a lifting or withdrawal never begins with a siren.
        purpose: Purpose,
    },
    /// The pre-positioned phrase and action of a hazard; skipped by a shell that has none in this
    /// language.
    Phrase {
        /// Hazard.
        event: EventCode,
        /// BCP 47 tag.
        language: String,
    },
    /// A prepared clip, known to be in the cache.
    Clip {
        /// Which.
        reference: ClipReference,
        /// BCP 47 tag (for logs).
        language: String,
    },
    /// A prepared clip that is not in the cache yet: if it comes before its turn, it is spoken, or
    /// else the phrase of the hazard and the text by the local voice. Which of the two it is, is
    /// settled when the segment's turn comes and reported in [`Evidence::source`].
    ClipOrVoice {
        /// Which.
        reference: ClipReference,
        /// Hazard of the phrase.
        event: EventCode,
        /// BCP 47 tag.
        language: String,
        /// What is said without it.
        text: String,
    },
    /// Words by the local voice.
    LocalVoice {
        /// BCP 47 tag.
        language: String,
        /// What is said.
        text: String,
    },
    /// "This is a drill", before and after; words by [`super::plan::drill_frame_words`].
    DrillFrame {
        /// BCP 47 tag.
        language: String,
    },
    /// "The drill is aborted, what follows is real"; words by
    /// [`super::plan::drill_aborted_words`].
    DrillAborted {
        /// BCP 47 tag.
        language: String,
    },
    /// A tone too soft to be heard, which the device must play all the same.
    NearSilence {
        /// Length in milliseconds.
        duration_ms: u32,
    },
    /// Nothing.
    Silence {
        /// Length in milliseconds.
        duration_ms: u32,
    },
}
