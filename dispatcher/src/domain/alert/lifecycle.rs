//! The life of one alert: draft → submitted → approved → issued → updated | closed. Each state
//! carries the evidence that it may be what it is; a step that is not legal returns one error.
//!
//! An approval carries the digest of what its giver was shown. Any edit leads back to the draft and
//! leaves no approval behind.

use jiff::{SignedDuration, Timestamp};
use protocols::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::domain::alert::PersonId;
use crate::domain::alert::closure::Closure;
use crate::domain::alert::evidence::{
    Approval, Approved, COUNTERSIGN_MIN, Closed, Countersign, Draft, Emergency, Grounds, Issued,
    Rejection, Submitted,
};
use crate::domain::alert::persons::PersonsNeeded;

/// Where an alert is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Lifecycle {
    /// 拟稿
    Draft(Draft),
    /// 送审
    Submitted(Submitted),
    /// 签发
    Approved(Approved),
    /// 发布
    Issued(Issued),
    /// 更新: a successor has taken its place.
    Updated {
        /// As it was issued.
        issued: Issued,
        /// The alert that took its place.
        successor: String,
    },
    /// 结束
    Closed {
        /// As it was issued.
        issued: Issued,
        /// The end.
        closed: Closed,
    },
}

/// Why a step was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    /// The alert is in a state that has no such step.
    #[error("an alert that is {state} can't be changed so")]
    WrongState {
        /// The state it is in.
        state: &'static str,
    },
    /// The content is not the one that was shown or submitted.
    #[error("the content was changed since it was shown")]
    OtherContent,
    /// An author can't approve their own alert.
    #[error("an author can't approve or countersign")]
    IsAuthor,
    /// One person counts once.
    #[error("this person has approved already")]
    ApprovedAlready,
    /// Only an author or an approver issues.
    #[error("only an author or an approver may issue")]
    NotInvolved,
    /// Only an author takes back.
    #[error("only an author may take back")]
    NotAuthor,
    /// It reaches further than when it was submitted, so more persons are needed.
    #[error("more persons are needed than have acted")]
    TooFewPersons,
    /// A decision without a reason.
    #[error("the reason is missing")]
    ReasonMissing,
    /// It was not issued as an emergency, or is countersigned.
    #[error("there is nothing to countersign")]
    NothingToCountersign,
    /// Its time has run out.
    #[error("the alert has expired")]
    Expired,
    /// Its time has not run out yet.
    #[error("the alert has not expired yet")]
    NotExpired,
}

type Step = Result<Lifecycle, LifecycleError>;

fn with_author(mut authors: Vec<PersonId>, by: &PersonId) -> Vec<PersonId> {
    if !authors.contains(by) {
        authors.push(by.clone());
    }
    authors
}

fn stated(reason: &str) -> Result<String, LifecycleError> {
    let reason = reason.trim();
    if reason.is_empty() { Err(LifecycleError::ReasonMissing) } else { Ok(reason.to_owned()) }
}

impl Submitted {
    fn is_sufficient(&self) -> bool {
        self.approvals.len() >= self.needed.approvals()
    }

    fn settled(self, at: Timestamp) -> Lifecycle {
        if self.is_sufficient() {
            Lifecycle::Approved(Approved { submission: self, at })
        } else {
            Lifecycle::Submitted(self)
        }
    }
}

impl Lifecycle {
    /// A new draft by a person, or by a machine (nobody).
    pub fn draft(author: Option<PersonId>) -> Self {
        Self::Draft(Draft { authors: author.into_iter().collect(), rejection: None })
    }

    /// As stored and shown.
    pub const fn state(&self) -> &'static str {
        match self {
            Self::Draft(_) => "draft",
            Self::Submitted(_) => "submitted",
            Self::Approved(_) => "approved",
            Self::Issued(_) => "issued",
            Self::Updated { .. } => "updated",
            Self::Closed { .. } => "closed",
        }
    }

    /// The persons who wrote it.
    pub fn authors(&self) -> &[PersonId] {
        match self {
            Self::Draft(draft) => &draft.authors,
            Self::Submitted(submitted) => &submitted.authors,
            Self::Approved(approved) => &approved.submission.authors,
            Self::Issued(issued) | Self::Updated { issued, .. } | Self::Closed { issued, .. } => {
                match &issued.grounds {
                    Grounds::Approved { approved, .. } => &approved.submission.authors,
                    Grounds::Emergency(emergency) => &emergency.authors,
                    Grounds::AutoIssue { .. } => &[],
                }
            }
        }
    }

    /// Approvals that count now, or counted when it was issued.
    pub fn approvals(&self) -> &[Approval] {
        match self {
            Self::Draft(_) => &[],
            Self::Submitted(submitted) => &submitted.approvals,
            Self::Approved(approved) => &approved.submission.approvals,
            Self::Issued(issued) | Self::Updated { issued, .. } | Self::Closed { issued, .. } => {
                match &issued.grounds {
                    Grounds::Approved { approved, .. } => &approved.submission.approvals,
                    Grounds::Emergency(_) | Grounds::AutoIssue { .. } => &[],
                }
            }
        }
    }

    /// The issue, once there was one.
    pub fn issued(&self) -> Option<&Issued> {
        match self {
            Self::Issued(issued) | Self::Updated { issued, .. } | Self::Closed { issued, .. } => {
                Some(issued)
            }
            Self::Draft(_) | Self::Submitted(_) | Self::Approved(_) => None,
        }
    }

    /// The emergency issue, if it was one.
    pub fn emergency(&self) -> Option<&Emergency> {
        match &self.issued()?.grounds {
            Grounds::Emergency(emergency) => Some(emergency),
            Grounds::Approved { .. } | Grounds::AutoIssue { .. } => None,
        }
    }

    fn wrong_state(&self) -> LifecycleError {
        LifecycleError::WrongState { state: self.state() }
    }

    /// The content was changed by `by`, who is an author from now on. Every approval is void.
    pub fn edit(self, by: &PersonId) -> Step {
        match self {
            Self::Draft(draft) => Ok(Self::Draft(Draft {
                authors: with_author(draft.authors, by),
                rejection: draft.rejection,
            })),
            Self::Submitted(submitted) => Ok(Self::Draft(Draft {
                authors: with_author(submitted.authors, by),
                rejection: None,
            })),
            Self::Approved(approved) => Ok(Self::Draft(Draft {
                authors: with_author(approved.submission.authors, by),
                rejection: None,
            })),
            Self::Issued(_) | Self::Updated { .. } | Self::Closed { .. } => Err(self.wrong_state()),
        }
    }

    /// 送审. Whoever submits is an author. What takes one person is approved by that.
    pub fn submit(
        self,
        by: &PersonId,
        digest: Digest,
        needed: PersonsNeeded,
        now: Timestamp,
    ) -> Step {
        let Self::Draft(draft) = self else { return Err(self.wrong_state()) };
        let authors = with_author(draft.authors, by);
        Ok(Submitted { authors, digest, needed, approvals: Vec::new(), at: now }.settled(now))
    }

    /// An author takes it back to mend it.
    pub fn take_back(self, by: &PersonId) -> Step {
        let authors = match self {
            Self::Submitted(submitted) => submitted.authors,
            Self::Approved(approved) => approved.submission.authors,
            Self::Draft(_) | Self::Issued(_) | Self::Updated { .. } | Self::Closed { .. } => {
                return Err(self.wrong_state());
            }
        };
        if !authors.contains(by) {
            return Err(LifecycleError::NotAuthor);
        }
        Ok(Self::Draft(Draft { authors, rejection: None }))
    }

    /// A person other than the authors approves what was `shown`. An approval beyond those needed
    /// is kept too.
    pub fn approve(self, by: &PersonId, shown: Digest, reason: &str, now: Timestamp) -> Step {
        let (mut submitted, approved_at) = match self {
            Self::Submitted(submitted) => (submitted, now),
            Self::Approved(approved) => (approved.submission, approved.at),
            Self::Draft(_) | Self::Issued(_) | Self::Updated { .. } | Self::Closed { .. } => {
                return Err(self.wrong_state());
            }
        };
        if shown != submitted.digest {
            return Err(LifecycleError::OtherContent);
        }
        if submitted.authors.contains(by) {
            return Err(LifecycleError::IsAuthor);
        }
        if submitted.approvals.iter().any(|approval| approval.by == *by) {
            return Err(LifecycleError::ApprovedAlready);
        }
        submitted.approvals.push(Approval {
            by: by.clone(),
            digest: shown,
            reason: stated(reason)?,
            at: now,
        });
        Ok(submitted.settled(approved_at))
    }

    /// Sent back to its authors with a reason.
    pub fn reject(self, by: &PersonId, reason: &str, now: Timestamp) -> Step {
        let reason = stated(reason)?;
        let authors = match self {
            Self::Submitted(submitted) => submitted.authors,
            Self::Approved(approved) => approved.submission.authors,
            Self::Draft(_) | Self::Issued(_) | Self::Updated { .. } | Self::Closed { .. } => {
                return Err(self.wrong_state());
            }
        };
        let rejection = Some(Rejection { by: by.clone(), reason, at: now });
        Ok(Self::Draft(Draft { authors, rejection }))
    }

    /// 发布 by an author or an approver. `digest` is of the content as it stands, `needed` is asked
    /// again with the target as it is frozen now: terminals may have been enrolled since.
    pub fn issue(
        self,
        by: &PersonId,
        digest: Digest,
        needed: PersonsNeeded,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Step {
        let approved = match self {
            Self::Approved(approved) => approved,
            Self::Submitted(_) => return Err(LifecycleError::TooFewPersons),
            Self::Draft(_) | Self::Issued(_) | Self::Updated { .. } | Self::Closed { .. } => {
                return Err(self.wrong_state());
            }
        };
        let submission = &approved.submission;
        let is_same = submission.digest == digest
            && submission.approvals.iter().all(|approval| approval.digest == digest);
        if !is_same {
            return Err(LifecycleError::OtherContent);
        }
        if submission.approvals.len() < needed.approvals() {
            return Err(LifecycleError::TooFewPersons);
        }
        let is_involved = submission.authors.contains(by)
            || submission.approvals.iter().any(|approval| approval.by == *by);
        if !is_involved {
            return Err(LifecycleError::NotInvolved);
        }
        if expires_at <= now {
            return Err(LifecycleError::Expired);
        }
        let grounds = Grounds::Approved { approved, by: by.clone() };
        Ok(Self::Issued(Issued { grounds, digest, at: now, expires_at }))
    }

    /// One person issues at once, from any state before the issue. Logged with its reason; due to
    /// be countersigned.
    pub fn issue_at_once(
        self,
        by: &PersonId,
        digest: Digest,
        reason: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Step {
        let reason = stated(reason)?;
        let authors = match &self {
            Self::Draft(_) | Self::Submitted(_) | Self::Approved(_) => self.authors().to_vec(),
            Self::Issued(_) | Self::Updated { .. } | Self::Closed { .. } => {
                return Err(self.wrong_state());
            }
        };
        if expires_at <= now {
            return Err(LifecycleError::Expired);
        }
        let grounds = Grounds::Emergency(Emergency {
            by: by.clone(),
            authors,
            reason,
            at: now,
            due_at: now + SignedDuration::from_mins(COUNTERSIGN_MIN),
            countersigned: None,
        });
        Ok(Self::Issued(Issued { grounds, digest, at: now, expires_at }))
    }

    /// A rule that `persons` made issues a draft that no person has touched.
    pub fn issue_by_rule(
        self,
        rule: &str,
        persons: Vec<PersonId>,
        digest: Digest,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Step {
        let Self::Draft(Draft { authors, .. }) = &self else { return Err(self.wrong_state()) };
        if !authors.is_empty() {
            return Err(self.wrong_state());
        }
        if persons.len() < 2 || persons[0] == persons[1] {
            return Err(LifecycleError::TooFewPersons);
        }
        if expires_at <= now {
            return Err(LifecycleError::Expired);
        }
        let grounds = Grounds::AutoIssue { rule: rule.to_owned(), persons };
        Ok(Self::Issued(Issued { grounds, digest, at: now, expires_at }))
    }

    /// Another person answers for an emergency issue. The caller has checked that their grant lies
    /// on a wider region, or on an equal one at the top. Legal after the alert's end too: the
    /// breach outlives the alert.
    pub fn countersign(mut self, by: &PersonId, now: Timestamp) -> Step {
        let wrong_state = self.wrong_state();
        let (Self::Issued(issued) | Self::Updated { issued, .. } | Self::Closed { issued, .. }) =
            &mut self
        else {
            return Err(wrong_state);
        };
        let Grounds::Emergency(emergency) = &mut issued.grounds else {
            return Err(LifecycleError::NothingToCountersign);
        };
        if emergency.countersigned.is_some() {
            return Err(LifecycleError::NothingToCountersign);
        }
        if emergency.by == *by || emergency.authors.contains(by) {
            return Err(LifecycleError::IsAuthor);
        }
        let is_late = now > emergency.due_at;
        emergency.countersigned = Some(Countersign { by: by.clone(), at: now, is_late });
        Ok(self)
    }

    /// Its successor was issued.
    pub fn supersede(self, successor: &str) -> Step {
        let Self::Issued(issued) = self else { return Err(self.wrong_state()) };
        Ok(Self::Updated { issued, successor: successor.to_owned() })
    }

    /// 解除 or 撤销 by one authorised person or by a rule. (Use [`Lifecycle::expire`] for the third
    /// end.) An alert whose time has run out but that was not yet swept can still be corrected.
    pub fn close(self, how: Closure, by: &str, reason: &str, now: Timestamp) -> Step {
        if how == Closure::Expired {
            return self.expire(now);
        }
        let reason = stated(reason)?;
        let Self::Issued(issued) = self else { return Err(self.wrong_state()) };
        let closed = Closed { how, by: Some(by.to_owned()), reason, at: now };
        Ok(Self::Closed { issued, closed })
    }

    /// 失效.
    pub fn expire(self, now: Timestamp) -> Step {
        let Self::Issued(issued) = self else { return Err(self.wrong_state()) };
        if now < issued.expires_at {
            return Err(LifecycleError::NotExpired);
        }
        let closed =
            Closed { how: Closure::Expired, by: None, reason: "expiry".to_owned(), at: now };
        Ok(Self::Closed { issued, closed })
    }
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
