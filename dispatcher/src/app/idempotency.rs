//! One request, one effect: the answer to a request with an `Idempotency-Key` is stored in the
//! transaction of its effect and given again to its repeat.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use kill_points::kill_point;
use protocols::digest::Digest;

use crate::domain::actor::ActorId;
use crate::store::{self, Conn, Db, StoreError, Tx};

/// How long an answer is kept for the repeat.
pub const KEPT: SignedDuration = SignedDuration::from_hours(48);

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON; empty for none.
    pub body: String,
    /// The `Location` header.
    pub location: Option<String>,
}

/// A key with what it was first used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub actor: ActorId,
    /// The header's value.
    pub key: String,
    /// Digest of method, path and body.
    pub fingerprint: Digest,
}

/// Why a keyed request is not worked on.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The same key came with another request.
    #[error("the Idempotency-Key was used for another request")]
    OtherRequest,
    /// The first request with this key has not been answered yet.
    #[error("the first request with this Idempotency-Key is still running")]
    Running,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What to do with a keyed request.
#[derive(Debug)]
pub enum Begin {
    /// Do it, in this transaction.
    New(Box<Work>),
    /// It was done: this is its answer.
    Replay(Answer),
}

/// A request being worked on. Dropped unfinished, nothing of it remains and the key is free.
#[derive(Debug)]
pub struct Work {
    /// The transaction of the effect.
    pub tx: Tx,
    request: Request,
    _turn: Turn,
}

/// Keys being worked on in this process. Between processes the primary key does the same by
/// making the second wait for the first.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<BTreeSet<(ActorId, String)>>>);

#[derive(Debug)]
struct Turn {
    running: Running,
    key: (ActorId, String),
}

impl Running {
    fn enter(&self, request: &Request) -> Result<Turn, KeyError> {
        let key = (request.actor, request.key.clone());
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.insert(key.clone()) {
            return Err(KeyError::Running);
        }
        Ok(Turn { running: self.clone(), key })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Begins a keyed request, or finds its answer.
pub async fn begin(
    db: &Db,
    running: &Running,
    request: Request,
    now: Timestamp,
) -> Result<Begin, KeyError> {
    let turn = running.enter(&request)?;
    let mut tx = db.begin().await?;
    store::idempotency::delete_expired(&mut tx, &request, now - KEPT).await?;
    if store::idempotency::insert(&mut tx, &request, now).await? {
        return Ok(Begin::New(Box::new(Work { tx, request, _turn: turn })));
    }
    let (fingerprint, answer) = store::idempotency::find(&mut tx, &request).await?;
    if fingerprint != request.fingerprint {
        return Err(KeyError::OtherRequest);
    }
    answer.map(Begin::Replay).ok_or(KeyError::Running)
}

impl Work {
    /// Stores the answer and commits it together with the effect.
    pub async fn finish(mut self, answer: &Answer) -> Result<(), StoreError> {
        store::idempotency::answer(&mut self.tx, &self.request, answer).await?;
        kill_point!("answer.storing");
        self.tx.commit().await?;
        kill_point!("answer.stored");
        Ok(())
    }
}

/// Forgets answers older than [`KEPT`]; gives how many.
pub async fn purge(connection: &mut Conn, now: Timestamp) -> Result<u64, StoreError> {
    store::idempotency::purge(connection, now - KEPT).await
}
