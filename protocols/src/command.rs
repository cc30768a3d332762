//! Signed commands to terminals other than orders: stop, and its lifting; drill enrolment.

use jiff::Timestamp;

use crate::order::{Sequence, Stream};
use crate::region::{RegionCode, RegionLevel};
use crate::terminal::TerminalId;

/// A command. Numbered in its own sequence per [`Stream`], apart from orders.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Command {
    /// Authority and topic region; equal to the stream in the envelope.
    #[n(0)]
    pub stream: Stream,
    /// Place in the stream of commands.
    #[n(1)]
    pub sequence: Sequence,
    /// Level of the authority; equal to the level in the certificate.
    #[n(2)]
    pub level: RegionLevel,
    /// When it was made.
    #[cbor(n(3), with = "crate::micros")]
    pub sent: Timestamp,
    /// A command first seen at or after this is refused.
    #[cbor(n(4), with = "crate::micros")]
    pub expires: Timestamp,
    /// What to do.
    #[n(5)]
    pub action: CommandAction,
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub enum CommandAction {
    /// Be silent at once and start nothing in this region, until lifted by this level or above.
    /// It is journalled and survives a power cut.
    #[n(0)]
    Stop {
        /// The region that falls silent.
        #[n(0)]
        region: RegionCode,
        /// Why, for the record and the vitals, ≤ 200 bytes.
        #[n(1)]
        reason: String,
    },
    /// Lifts every stop of this region that the sender's level may lift.
    #[n(1)]
    LiftStop {
        /// The region that may sound again.
        #[n(0)]
        region: RegionCode,
    },
    /// Enrols terminals in a drill. An Exercise order outside its window is refused.
    #[n(2)]
    EnrolDrill {
        /// The drill.
        #[n(0)]
        drill: String,
        /// The terminals; empty means each terminal that receives it.
        #[n(1)]
        terminals: Vec<TerminalId>,
        /// From this instant.
        #[cbor(n(2), with = "crate::micros")]
        from: Timestamp,
        /// Until this instant, ≤ 24 h later.
        #[cbor(n(3), with = "crate::micros")]
        until: Timestamp,
    },
}
