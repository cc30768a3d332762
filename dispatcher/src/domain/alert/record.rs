//! One alert as a whole: its place in its chain, its content, its life.

use jiff::Timestamp;
use protocols::alert::{AlertColor, AlertKey};
use protocols::digest::Digest;
use protocols::region::RegionCode;

use crate::domain::alert::closure::ClosureTexts;
use crate::domain::alert::content::AlertContent;
use crate::domain::alert::lifecycle::Lifecycle;
use crate::domain::alert::validation;
use crate::domain::fault::Fault;

/// An alert. Every change of it raises `version` by one in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its identifier here; also its CAP identifier.
    pub id: String,
    /// As it was read.
    pub version: i64,
    /// The first alert of its chain; itself for the first.
    pub chain: String,
    /// The alert whose place it takes.
    pub predecessor: Option<String>,
    /// On whose behalf.
    pub region: RegionCode,
    /// CAP sender.
    pub sender: String,
    /// CAP sent: when it was issued.
    pub sent: Option<Timestamp>,
    /// What it says.
    pub content: AlertContent,
    /// What an officer must answer before it may be submitted.
    pub asked: Vec<Fault>,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// The words prepared for each end; from the moment of issue.
    pub closures: Option<ClosureTexts>,
    /// Digest of its CAP document; from the moment of issue.
    pub cap_digest: Option<Digest>,
    /// `person`, or `cap:<token>`.
    pub origin: String,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl Alert {
    /// The digest that an approval names.
    pub fn content_digest(&self) -> Digest {
        self.content.digest(self.region, self.predecessor.as_deref())
    }

    /// Its identity for others, once it was issued.
    pub fn key(&self) -> Option<AlertKey> {
        let sent = self.sent?;
        Some(AlertKey { sender: self.sender.clone(), identifier: self.id.clone(), sent })
    }

    /// Until when it may sound: as issued, or as written so far.
    pub fn expires_at(&self) -> Timestamp {
        self.lifecycle.issued().map_or_else(
            || validation::expiry(&self.content, self.created_at),
            |issued| issued.expires_at,
        )
    }

    /// The colour that authority is asked for: a move-out notice counts as orange.
    pub fn effective_color(&self) -> Option<AlertColor> {
        if self.content.does_move_out() {
            self.content.color.max(Some(AlertColor::Orange))
        } else {
            self.content.color
        }
    }
}
