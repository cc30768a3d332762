//! 回执: what a terminal says it did, signed, numbered and acknowledged end to end.

use jiff::Timestamp;

use crate::alert::AlertKey;
use crate::digest::Digest;
use crate::limits;
use crate::terminal::TerminalId;

/// The steps of one order at one terminal.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// Received and in the journal.
    #[n(0)]
    Accepted,
    /// Signature, authority, sequence and target are right; it is in the queue.
    #[n(1)]
    Verified,
    /// A sounding began (journalled before the first frame).
    #[n(2)]
    Started,
    /// A sounding drained out of the device.
    #[n(3)]
    Finished,
    /// A sounding was cut; `reason` says by what.
    #[n(4)]
    Interrupted,
    /// It could not sound; `reason` says why.
    #[n(5)]
    Failed,
    /// It will not sound here; `reason` says why.
    #[n(6)]
    Refused,
}

/// Why something was refused, cut or failed. Also the label of the counters in vitals.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    // --- refused: envelope and trust ---
    /// Not CBOR, not COSE, wrong type of message, or an unknown enumeration value.
    #[n(0)]
    Malformed,
    /// Larger than its named limit.
    #[n(1)]
    Oversize,
    /// The signature does not fit the bytes, the type or the stream.
    #[n(2)]
    BadSignature,
    /// No certificate, or one that no pinned root signed.
    #[n(3)]
    UnknownSigner,
    /// The certificate is not valid at this time.
    #[n(4)]
    CertificateExpired,
    /// The key is on the revocation list.
    #[n(5)]
    KeyRevoked,
    /// The signer's region does not hold this terminal or this target.
    #[n(6)]
    OutOfScope,
    /// Same stream and number as an earlier one, other bytes.
    #[n(7)]
    Tampered,
    /// Below the window of numbers that are remembered.
    #[n(8)]
    BelowWindow,
    // --- refused: content ---
    /// A rule of [`crate::order::Order::validate`] is broken.
    #[n(9)]
    Invalid,
    /// This terminal is not meant.
    #[n(10)]
    OutOfArea,
    /// Expired before it could start.
    #[n(11)]
    Expired,
    /// A drill this terminal is not enrolled in, or outside its window.
    #[n(12)]
    NotInDrill,
    /// A cancel or update by somebody who may not; the alert stays.
    #[n(13)]
    StrayCancel,
    /// Its alert was cancelled or updated before it came.
    #[n(14)]
    Superseded,
    /// Its words are not needed here: a minor update whose predecessor was heard, or a lifting or
    /// withdrawal of an alert that never sounded here.
    #[n(15)]
    Unneeded,
    // --- interrupted ---
    /// A higher priority took the channel; it resumes.
    #[n(20)]
    Preempted,
    /// A drill or test was cut by a real alert; it does not resume.
    #[n(21)]
    DrillSuspended,
    /// Its alert was lifted or withdrawn.
    #[n(22)]
    Cancelled,
    /// Its alert was updated.
    #[n(23)]
    Updated,
    /// A signed stop.
    #[n(24)]
    Stopped,
    /// The local key.
    #[n(25)]
    StoppedLocally,
    /// The power was cut while it sounded (reported after the restart).
    #[n(26)]
    PowerCut,
    /// It ran into its expiry and ended with its sentence.
    #[n(27)]
    ExpiredWhileSounding,
    // --- failed ---
    /// No sound card, or it vanished.
    #[n(40)]
    NoAudioDevice,
    /// The sound card takes frames and never plays them.
    #[n(41)]
    DeviceStalled,
    /// No clip and no local voice.
    #[n(42)]
    NoSpeech,
    /// The journal has no room or can't be written.
    #[n(43)]
    JournalFull,
    /// In quiet hours this colour and kind may not start.
    #[n(44)]
    QuietHours,
    /// More live orders than this terminal can hold.
    #[n(45)]
    TooManyOrders,
}

/// What made the sound.
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
pub enum SoundSource {
    /// The prepared clip of the order.
    #[n(0)]
    Clip,
    /// Pre-positioned phrase, then the order's text by the local voice.
    #[n(1)]
    LocalVoice,
}

/// What proves that it sounded, weakest first.
#[derive(
    Debug,
    Clone,
    Default,
    PartialEq,
    Eq,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(map)]
pub struct Evidence {
    /// When the first non-silent frame left the device buffer.
    #[cbor(n(0), with = "crate::micros::option", has_nil)]
    pub first_sound_at: Option<Timestamp>,
    /// Frames (samples of one channel at 48 kHz) that the device consumed.
    #[n(1)]
    pub frames: u64,
    /// Times the device ran dry.
    #[n(2)]
    pub underruns: u32,
    /// What made the sound.
    #[n(3)]
    pub source: Option<SoundSource>,
    /// Amplifier current in milliampere, where it is measured.
    #[n(4)]
    pub amplifier_ma: Option<u32>,
    /// Level at the control microphone in dB relative to full scale, times 10, where there is one.
    #[n(5)]
    pub microphone_dbfs_x10: Option<i32>,
}

/// One receipt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Receipt {
    /// SHA-256 of the sealed order (or command) as received.
    #[n(0)]
    pub order: Digest,
    /// The alert it carried; absent when the bytes could not be read.
    #[n(1)]
    pub alert: Option<AlertKey>,
    /// What happened.
    #[n(2)]
    pub state: ReceiptState,
    /// Why; present for interrupted, failed and refused.
    #[n(3)]
    pub reason: Option<Reason>,
    /// Which sounding, from 1; 0 for steps that are not about one.
    #[n(4)]
    pub repeat: u8,
    /// When, by the terminal's clock.
    #[cbor(n(5), with = "crate::micros")]
    pub at: Timestamp,
    /// Whether that clock could not be trusted.
    #[n(6)]
    #[cbor(default)]
    pub clock_unsure: bool,
    /// Proof, for finished and interrupted.
    #[n(7)]
    pub evidence: Option<Evidence>,
}

/// Receipts in the order of their numbers: the first has `first_number`, the next one more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct ReceiptBatch {
    /// Who says it.
    #[n(0)]
    pub terminal: TerminalId,
    /// Which life of the journal: drawn at random when a journal is created, so that a wiped one
    /// does not take up numbers that were used.
    #[n(1)]
    pub journal_id: u64,
    /// Number of the first receipt, from 1.
    #[n(2)]
    pub first_number: u64,
    /// 1 to [`limits::RECEIPTS_PER_BATCH_MAX`].
    #[n(3)]
    pub receipts: Vec<Receipt>,
}

impl ReceiptBatch {
    /// Whether the number of receipts is within bounds.
    pub fn is_bounded(&self) -> bool {
        !self.receipts.is_empty() && self.receipts.len() <= limits::RECEIPTS_PER_BATCH_MAX
    }
}

/// The dispatcher has these receipts on disk; the terminal may forget them. Signed by the
/// dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct ReceiptAck {
    /// Whose.
    #[n(0)]
    pub terminal: TerminalId,
    /// Which journal.
    #[n(1)]
    pub journal_id: u64,
    /// All up to this number.
    #[n(2)]
    pub up_to: u64,
}
