//! The evidence that the states of an alert carry: who decided what, when, and why.

use jiff::Timestamp;
use protocols::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::domain::alert::PersonId;
use crate::domain::alert::closure::Closure;
use crate::domain::alert::persons::PersonsNeeded;

/// Minutes in which an emergency issue is to be countersigned before it stands as a breach.
pub const COUNTERSIGN_MIN: i64 = 30;

/// A named person's decision over exactly this content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: PersonId,
    /// The digest of what was shown.
    pub digest: Digest,
    /// Why.
    pub reason: String,
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
}

/// Why an alert was sent back to its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Who.
    pub by: PersonId,
    /// Why.
    pub reason: String,
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
}

/// 拟稿: being written. Whoever edits or submits is an author.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Persons who wrote it; empty only while nobody but a machine has.
    pub authors: Vec<PersonId>,
    /// Why it came back last time.
    pub rejection: Option<Rejection>,
}

/// 送审: with its approvals so far, fewer than it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Persons who wrote or submitted it: at least one.
    pub authors: Vec<PersonId>,
    /// What was submitted.
    pub digest: Digest,
    /// How many persons it takes.
    pub needed: PersonsNeeded,
    /// Those given so far.
    pub approvals: Vec<Approval>,
    /// When it was submitted.
    #[serde(with = "micros")]
    pub at: Timestamp,
}

/// 签发: with every approval it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// The submission, whose approvals now suffice.
    pub submission: Submitted,
    /// When the last needed approval was given.
    #[serde(with = "micros")]
    pub at: Timestamp,
}

/// Who answers for an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Grounds {
    /// The persons it takes.
    Approved {
        /// Authors and approvals.
        approved: Approved,
        /// The author or approver who pressed.
        by: PersonId,
    },
    /// One person at once, to be countersigned.
    Emergency(Emergency),
    /// A rule that an author and an approver made beforehand.
    AutoIssue {
        /// The rule.
        rule: String,
        /// Author and approver of the rule.
        persons: Vec<PersonId>,
    },
}

/// An issue by one person at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// Who pressed.
    pub by: PersonId,
    /// Everybody who wrote it; none of them may countersign.
    pub authors: Vec<PersonId>,
    /// Why it could not wait.
    pub reason: String,
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// Until when another person is to countersign.
    #[serde(with = "micros")]
    pub due_at: Timestamp,
    /// By whom and when it was, at last.
    pub countersigned: Option<Countersign>,
}

/// A second person answers for an emergency issue afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countersign {
    /// Who.
    pub by: PersonId,
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// Whether it came after the due time. The record keeps it.
    pub is_late: bool,
}

impl Emergency {
    /// Whether it stands as an open breach. It never cancels the alert.
    pub fn is_breach(&self, now: Timestamp) -> bool {
        self.countersigned.is_none() && now >= self.due_at
    }
}

/// 发布: in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Who answers for it.
    pub grounds: Grounds,
    /// What was issued.
    pub digest: Digest,
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// Until when it may start to sound.
    #[serde(with = "micros")]
    pub expires_at: Timestamp,
}

/// How an alert ended, by whom and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The end.
    pub how: Closure,
    /// Who; nobody for an expiry.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
}

/// Instants in the stored record: microseconds, as everywhere in the store.
mod micros {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(at.as_microsecond())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        Timestamp::from_microsecond(i64::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}
