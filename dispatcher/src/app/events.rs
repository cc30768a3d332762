//! The outbox of events: what SSE readers are told, in commit order and without gaps.

use jiff::{SignedDuration, Timestamp};
use protocols::region::RegionCode;

use crate::store::{self, Conn, StoreError, Tx};

/// How long events are kept for readers that come back: a night's sleep of a laptop.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What an event is about. A closed set: readers ask for topics by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Alerts and their life.
    Alerts,
    /// What terminals played.
    Deliveries,
    /// Terminals and their liveness.
    Terminals,
    /// Something a person on duty must look at now.
    Attention,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 4] = [Self::Alerts, Self::Deliveries, Self::Terminals, Self::Attention];

    /// The name in URLs and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Deliveries => "deliveries",
            Self::Terminals => "terminals",
            Self::Attention => "attention",
        }
    }
}

/// A text names no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a topic is alerts, deliveries, terminals or attention")]
pub struct ParseTopicError;

impl std::str::FromStr for Topic {
    type Err = ParseTopicError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == text).ok_or(ParseTopicError)
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place, from 1.
    pub seq: i64,
    /// What about.
    pub topic: Topic,
    /// Where.
    pub region: RegionCode,
    /// JSON with a `type`.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// Pushes an event inside the transaction of what it tells. `body` has a `type` that says what
/// happened. Call it last, just before the commit, and wake [`crate::context::Wake::Events`] after.
pub async fn push(
    tx: &mut Tx,
    now: Timestamp,
    topic: Topic,
    region: RegionCode,
    body: &serde_json::Value,
) -> Result<(), StoreError> {
    let seq = store::events::take(tx).await?;
    let event = Event { seq, topic, region, body: body.to_string(), at: now };
    store::events::insert(tx, &event).await
}

/// Forgets events older than [`KEPT`]; gives how many.
pub async fn purge(connection: &mut Conn, now: Timestamp) -> Result<u64, StoreError> {
    store::events::delete_before(connection, now - KEPT).await
}
