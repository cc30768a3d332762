//! 审计链头: what a dispatcher says of its record, so that a cut tail shows.

use jiff::Timestamp;

use crate::digest::Digest;
use crate::region::RegionCode;

/// The head of a dispatcher's record at an instant. Signed by the dispatcher; kept in its daily
/// record and told upward. Whoever holds one can prove that the record once reached this far, with
/// exactly this content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct AuditHead {
    /// The region in the signer's certificate.
    #[n(0)]
    pub authority: RegionCode,
    /// The epoch of the record: what was written after a backup is lost by its restore, and only
    /// heads of an earlier epoch may lie beyond the end.
    #[n(1)]
    pub epoch: u32,
    /// Number of the newest entry, from 1.
    #[n(2)]
    pub number: u64,
    /// Its digest, in which all entries before it are bound.
    #[n(3)]
    pub digest: Digest,
    /// When this was said.
    #[cbor(n(4), with = "crate::micros")]
    pub at: Timestamp,
}
