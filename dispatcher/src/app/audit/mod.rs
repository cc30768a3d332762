//! 审计记录: the append-only record, one hash chain a dispatcher.
//!
//! Each entry's digest is SHA-256 over the previous digest and the entry's canonical bytes (each
//! field with its length before it), so that no entry can be changed, dropped or put elsewhere
//! without breaking all after it. A cut tail shows by the head, which is signed from time to time
//! ([`head`]) and told to others; [`check`] compares both.

pub mod check;
pub mod head;

use jiff::Timestamp;
use protocols::digest::Digest;

use crate::domain::actor::{Actor, ActorId};
use crate::store::{self, StoreError, Tx};

/// One entry as it stands in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: ActorId,
    /// What: the slug of an action, or of something the dispatcher did itself.
    pub action: String,
    /// To what, as `alert:<id>`.
    pub object: String,
    /// JSON: before, after, reason.
    pub detail: String,
    /// Digest of the entry before; empty for the first.
    pub previous: Vec<u8>,
    /// Digest of this one.
    pub digest: Vec<u8>,
}

/// Appends to the record, inside the transaction of what it records. Call it last, just before
/// the commit: from here the transaction holds the sequence.
pub async fn append(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    action: &str,
    object: &str,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    append_as(tx, now, actor.id, action, object, detail).await
}

/// As [`append`], for one who is known by identifier alone.
pub async fn append_as(
    tx: &mut Tx,
    now: Timestamp,
    actor: ActorId,
    action: &str,
    object: &str,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    let (seq, previous) = store::audit::take(tx).await?;
    let mut entry = Entry {
        seq,
        at: now,
        actor,
        action: action.to_owned(),
        object: object.to_owned(),
        detail: detail.to_string(),
        previous,
        digest: Vec::new(),
    };
    entry.digest = entry.expected_digest().0.to_vec();
    store::audit::insert(tx, &entry).await
}

impl Entry {
    /// What the digest of this content after this predecessor must be.
    pub fn expected_digest(&self) -> Digest {
        let mut bytes = Vec::new();
        let mut field = |part: &[u8]| {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        field(&self.previous);
        field(&self.seq.to_be_bytes());
        field(&self.at.as_microsecond().to_be_bytes());
        field(self.actor.to_string().as_bytes());
        field(self.action.as_bytes());
        field(self.object.as_bytes());
        field(self.detail.as_bytes());
        Digest::of(&bytes)
    }
}

/// Where a chain breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// A number is missing before this one.
    #[error("entries are missing before {0}")]
    Gap(i64),
    /// This entry does not name the one before it.
    #[error("entry {0} does not follow the one before it")]
    Link(i64),
    /// This entry's content is not what was recorded.
    #[error("entry {0} was changed")]
    Content(i64),
}

/// Checks a run of entries in their order. `previous` is the digest and number of the entry before
/// the first (`None` when the first is number 1). Gives the head.
pub fn verify(
    previous: Option<(i64, &[u8])>,
    entries: &[Entry],
) -> Result<(i64, Vec<u8>), BrokenChain> {
    let (mut seq, mut digest) =
        previous.map_or((0, Vec::new()), |(seq, digest)| (seq, digest.to_vec()));
    for entry in entries {
        if entry.seq != seq + 1 {
            return Err(BrokenChain::Gap(entry.seq));
        }
        if entry.previous != digest {
            return Err(BrokenChain::Link(entry.seq));
        }
        if entry.digest != entry.expected_digest().0 {
            return Err(BrokenChain::Content(entry.seq));
        }
        seq = entry.seq;
        digest.clone_from(&entry.digest);
    }
    Ok((seq, digest))
}
