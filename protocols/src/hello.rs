//! 上线对账: on every connect a terminal says what it has; the answer says what it should have.

use jiff::Timestamp;

use crate::digest::Digest;
use crate::order::{Sequence, Stream};
use crate::terminal::TerminalId;

/// The highest number a terminal has seen in one stream of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub struct StreamHead {
    /// Which stream.
    #[n(0)]
    pub stream: Stream,
    /// Its highest number.
    #[n(1)]
    pub highest: Sequence,
}

/// What a terminal says on every connect. Signed by the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Hello {
    /// Who.
    #[n(0)]
    pub terminal: TerminalId,
    /// Fresh random bytes that the reply echoes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// The life of its journal.
    #[n(2)]
    pub journal_id: u64,
    /// Heads of its streams, newest first, ≤ [`crate::limits::HELLO_LIST_MAX`].
    #[n(3)]
    pub heads: Vec<StreamHead>,
    /// Digests of the live sealed orders it holds, ≤ [`crate::limits::HELLO_LIST_MAX`].
    #[n(4)]
    pub held: Vec<Digest>,
    /// Its time floor: the newest signed time it has verified.
    #[cbor(n(5), with = "crate::micros")]
    pub time_floor: Timestamp,
    /// Whether its clock can't be trusted until a reply comes.
    #[n(6)]
    pub clock_unsure: bool,
    /// Highest revocation list it has journalled; 0 for none.
    #[n(7)]
    pub revocation_number: u64,
    /// Program and version, ≤ 64 bytes.
    #[n(8)]
    pub version: String,
}

/// The dispatcher's answer. Signed by the dispatcher. Orders that the terminal lacks follow on its
/// own topic as the same signed bytes. A digest that is not listed is *not* thereby cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct HelloReply {
    /// To whom.
    #[n(0)]
    pub terminal: TerminalId,
    /// The nonce of the hello.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// The dispatcher's time.
    #[cbor(n(2), with = "crate::micros")]
    pub at: Timestamp,
    /// Digests of the sealed orders at the heads of all live chains for this terminal.
    #[n(3)]
    pub live: Vec<Digest>,
    /// Receipts on disk up to this number of the hello's journal.
    #[n(4)]
    pub receipts_up_to: u64,
    /// Number of the newest revocation list; 0 for none.
    #[n(5)]
    pub revocation_number: u64,
    /// Head of the dispatcher's audit chain.
    #[n(6)]
    pub audit_head: Option<Digest>,
}
