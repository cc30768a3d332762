//! What is written down: each record is a CBOR array of entries that hold together or not at all.
//!
//! The state of a terminal is the fold of its entries ([`super::state::State::apply`]), so every
//! prefix of a journal is a legal state by construction. The shell frames records with length and
//! checksum; a torn last one is not replayed.

use jiff::Timestamp;
use minicbor::bytes::ByteVec;
use protocols::alert::{AlertColor, AlertKey, AlertReference, BroadcastKind};
use protocols::digest::Digest;
use protocols::order::{Sequence, Stream};
use protocols::receipt::{Reason, Receipt};
use protocols::region::{RegionCode, RegionLevel};
use protocols::vitals::{Counter, SelfTest};
use protocols::wire::{self, KeyId};

/// Orders and commands are numbered apart.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode,
)]
#[cbor(index_only)]
pub(crate) enum Numbering {
    #[n(0)]
    Orders,
    #[n(1)]
    Commands,
}

/// The two self-tests of the loudspeaker path.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode,
)]
#[cbor(index_only)]
pub(crate) enum TestKind {
    /// Daily; nobody hears it.
    #[n(0)]
    Silent,
    /// Weekly.
    #[n(1)]
    Audible,
}

/// How far an order has come; also the whole of it in a compacted journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(crate) struct Progress {
    /// Soundings that drained.
    #[n(0)]
    pub finished: u8,
    /// Started and neither finished nor cut.
    #[n(1)]
    pub is_sounding: bool,
    /// The last sounding was cut or failed: it is due again at once.
    #[n(2)]
    pub is_cut: bool,
    #[cbor(n(3), with = "protocols::micros::option", has_nil)]
    pub last_start_at: Option<Timestamp>,
    /// The local key holds it back until then.
    #[cbor(n(4), with = "protocols::micros::option", has_nil)]
    pub muted_until: Option<Timestamp>,
    /// It will not sound any more, and why.
    #[n(5)]
    pub ended: Option<Reason>,
    /// The last failure that was reported, so that it is reported once.
    #[n(6)]
    pub failure: Option<Reason>,
}

/// How the chain of an alert ended; what is closed can't be updated any more.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode,
)]
#[cbor(index_only)]
pub(crate) enum AlertEnd {
    #[n(0)]
    Updated,
    #[n(1)]
    Closed,
}

/// An alert as this terminal knows it, kept longer than its order.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(crate) struct KnownAlert {
    #[n(0)]
    pub key: AlertKey,
    #[n(1)]
    pub digest: Digest,
    /// Region of the issuer.
    #[n(2)]
    pub authority: RegionCode,
    #[n(3)]
    pub kind: BroadcastKind,
    #[n(4)]
    pub color: Option<AlertColor>,
    /// Alerts it updates or ends: the links of the chain.
    #[n(5)]
    pub links: Vec<AlertKey>,
    #[n(6)]
    pub has_started: bool,
    #[n(7)]
    pub has_finished: bool,
    #[n(8)]
    pub end: Option<AlertEnd>,
    /// Nothing that names it can still be valid after this.
    #[cbor(n(9), with = "protocols::micros")]
    pub forget_at: Timestamp,
}

/// A cancel or update that came before its alert.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(crate) struct Mark {
    #[n(0)]
    pub reference: AlertReference,
    /// Scope of its signer.
    #[n(1)]
    pub authority: RegionCode,
    #[n(2)]
    pub key_id: KeyId,
    /// The order that said so, and its alert.
    #[n(3)]
    pub order: Digest,
    #[n(4)]
    pub alert: AlertKey,
    #[n(5)]
    pub is_closing: bool,
    #[cbor(n(6), with = "protocols::micros")]
    pub forget_at: Timestamp,
}

/// A signed stop in force.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(crate) struct Stop {
    #[n(0)]
    pub region: RegionCode,
    #[n(1)]
    pub level: RegionLevel,
    #[n(2)]
    pub key_id: KeyId,
    #[n(3)]
    pub reason: String,
}

/// A drill this terminal is part of.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(crate) struct Enrolment {
    #[n(0)]
    pub drill: String,
    #[n(1)]
    pub authority: RegionCode,
    #[n(2)]
    pub key_id: KeyId,
    #[cbor(n(3), with = "protocols::micros")]
    pub from: Timestamp,
    #[cbor(n(4), with = "protocols::micros")]
    pub until: Timestamp,
    /// A real alert cut it then; only an order made later starts it again.
    #[cbor(n(5), with = "protocols::micros::option", has_nil)]
    pub suspended_at: Option<Timestamp>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub(crate) enum Entry {
    /// The journal's first word. Every alert sent from then on would be known to it.
    #[n(0)]
    Born {
        #[n(0)]
        journal_id: u64,
        #[cbor(n(1), with = "protocols::micros::option", has_nil)]
        complete_since: Option<Timestamp>,
    },
    /// No time before this can be now.
    #[n(1)]
    Floor(#[cbor(n(0), with = "protocols::micros")] Timestamp),
    /// An order was accepted, as it came.
    #[n(2)]
    Order {
        #[n(0)]
        sealed: ByteVec,
        #[cbor(n(1), with = "protocols::micros")]
        received_at: Timestamp,
        #[n(2)]
        progress: Progress,
    },
    /// A number was used.
    #[n(3)]
    Seen(#[n(0)] Numbering, #[n(1)] Stream, #[n(2)] Sequence, #[n(3)] Digest),
    #[n(4)]
    Started(#[n(0)] Digest, #[cbor(n(1), with = "protocols::micros")] Timestamp),
    #[n(5)]
    Finished(#[n(0)] Digest),
    /// Cut; the time is until when the local key holds it back.
    #[n(6)]
    Cut(
        #[n(0)] Digest,
        #[cbor(n(1), with = "protocols::micros::option", has_nil)] Option<Timestamp>,
    ),
    /// A failure that is reported now, or, without a reason, is mended.
    #[n(7)]
    Failed(#[n(0)] Digest, #[n(1)] Option<Reason>),
    #[n(8)]
    Ended(#[n(0)] Digest, #[n(1)] Reason),
    /// The order has expired or made room; nothing of it is kept but its number.
    #[n(9)]
    Dropped(#[n(0)] Digest),
    #[n(10)]
    Alert(#[n(0)] KnownAlert),
    #[n(11)]
    AlertEnded(#[n(0)] AlertKey, #[n(1)] AlertEnd),
    #[n(12)]
    Mark(#[n(0)] Mark),
    #[n(13)]
    Unmark(#[n(0)] Digest, #[n(1)] AlertKey),
    #[n(14)]
    Stop(#[n(0)] Stop),
    #[n(15)]
    Lifted(#[n(0)] RegionCode, #[n(1)] RegionLevel),
    #[n(16)]
    Enrolled(#[n(0)] Enrolment),
    #[n(17)]
    DrillSuspended(#[n(0)] String, #[cbor(n(1), with = "protocols::micros")] Timestamp),
    /// Whether the next Actual sounding begins with "the drill is aborted".
    #[n(18)]
    AbortPending(#[n(0)] bool),
    #[n(19)]
    Revocations(#[n(0)] ByteVec),
    /// The next receipt.
    #[n(20)]
    Receipt(#[n(0)] Receipt),
    #[n(21)]
    Acknowledged(#[n(0)] u64),
    /// Receipts from this number on stand in a compacted journal.
    #[n(22)]
    ReceiptsFrom(#[n(0)] u64),
    #[n(23)]
    Counters(#[n(0)] Vec<Counter>),
    /// Vitals up to this number may have been sent.
    #[n(24)]
    VitalsUpTo(#[n(0)] u64),
    #[n(25)]
    SelfTested(#[n(0)] TestKind, #[n(1)] SelfTest),
}

/// Bytes of the shell's frame around one record, as counted towards the journal's growth.
pub(crate) const FRAME_BYTES: u64 = 8;

pub(crate) fn encode(entries: &[Entry]) -> Vec<u8> {
    wire::encode(&entries.to_vec())
}

pub(crate) fn decode(record: &[u8]) -> Result<Vec<Entry>, minicbor::decode::Error> {
    wire::decode(record)
}

/// The entries of a record as text, for a person who reads the journal.
pub fn describe(record: &[u8]) -> Result<Vec<String>, minicbor::decode::Error> {
    let text = |entry: &Entry| match entry {
        // Bytes as text help nobody: their digest is the name people know.
        Entry::Order { sealed, received_at, progress } => format!(
            "Order {{ digest: {}, bytes: {}, received_at: {received_at}, progress: {progress:?} }}",
            Digest::of(sealed),
            sealed.len(),
        ),
        Entry::Revocations(sealed) => format!("Revocations({} bytes)", sealed.len()),
        Entry::Born { .. }
        | Entry::Floor(_)
        | Entry::Seen(..)
        | Entry::Started(..)
        | Entry::Finished(_)
        | Entry::Cut(..)
        | Entry::Failed(..)
        | Entry::Ended(..)
        | Entry::Dropped(_)
        | Entry::Alert(_)
        | Entry::AlertEnded(..)
        | Entry::Mark(_)
        | Entry::Unmark(..)
        | Entry::Stop(_)
        | Entry::Lifted(..)
        | Entry::Enrolled(_)
        | Entry::DrillSuspended(..)
        | Entry::AbortPending(_)
        | Entry::Receipt(_)
        | Entry::Acknowledged(_)
        | Entry::ReceiptsFrom(_)
        | Entry::Counters(_)
        | Entry::VitalsUpTo(_)
        | Entry::SelfTested(..) => format!("{entry:?}"),
    };
    Ok(decode(record)?.iter().map(text).collect())
}
