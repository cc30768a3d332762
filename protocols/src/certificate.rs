//! Delegation certificates and revocation lists: what the two roots sign, and nothing else.

use jiff::Timestamp;

use crate::region::{RegionCode, RegionLevel};
use crate::wire::KeyId;

/// The signature algorithm of a key. Fixed here, never by the message.
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
pub enum Algorithm {
    /// Ed25519 (RFC 8032), COSE algorithm −8.
    #[n(0)]
    Ed25519,
    /// SM2 with SM3 (GB/T 32918, GB/T 32905). Reserved; refused by this version.
    #[n(1)]
    Sm2Sm3,
}

/// A dispatcher may speak for a region. Signed by a root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Certificate {
    /// Unique for its root.
    #[n(0)]
    pub serial: u64,
    /// The public key: 32 bytes for Ed25519.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public_key: Vec<u8>,
    /// Its algorithm.
    #[n(2)]
    pub algorithm: Algorithm,
    /// The region subtree it may speak for.
    #[n(3)]
    pub region: RegionCode,
    /// The level; equal to the level of `region`.
    #[n(4)]
    pub level: RegionLevel,
    /// Valid from.
    #[cbor(n(5), with = "crate::micros")]
    pub not_before: Timestamp,
    /// Valid until, ≤ [`crate::limits::CERTIFICATE_DAYS_MAX`] later.
    #[cbor(n(6), with = "crate::micros")]
    pub not_after: Timestamp,
    /// The name of the dispatcher, for people, ≤ [`crate::limits::CERTIFICATE_NAME_BYTES_MAX`].
    #[n(7)]
    pub name: String,
}

/// Keys that count no more. Signed by a root; a higher number replaces a lower one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct RevocationList {
    /// From 1, rising.
    #[n(0)]
    pub number: u64,
    /// When it was made.
    #[cbor(n(1), with = "crate::micros")]
    pub at: Timestamp,
    /// The keys, ≤ [`crate::limits::REVOCATIONS_MAX`].
    #[n(2)]
    pub keys: Vec<KeyId>,
}
