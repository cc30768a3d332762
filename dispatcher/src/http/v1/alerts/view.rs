//! An alert as it is shown.

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::region::RegionCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::alert::closure::ClosureTexts;
use crate::domain::alert::content::AlertContent;
use crate::domain::alert::evidence::Grounds;
use crate::domain::alert::lifecycle::Lifecycle;
use crate::domain::alert::persons::PersonsNeeded;
use crate::domain::alert::record::Alert;
use crate::domain::fault::Fault;

/// An alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertBody {
    /// Its identifier, also in CAP.
    pub id: String,
    /// For `If-Match`.
    pub version: i64,
    /// `draft`, `submitted`, `approved`, `issued`, `updated`, `closed`.
    pub state: &'static str,
    /// The first alert of its chain.
    pub chain: String,
    /// The alert whose place it takes.
    pub predecessor: Option<String>,
    /// The alert that took its place.
    pub successor: Option<String>,
    /// On whose behalf.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// CAP sender.
    pub sender: String,
    /// CAP sent.
    #[schema(value_type = Option<String>)]
    pub sent: Option<Timestamp>,
    /// `person`, or `cap:<token>`.
    pub origin: String,
    /// What it says.
    pub content: AlertContent,
    /// What an approval names: shown to the approver and given back by them.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// What an officer must answer before it may be submitted.
    pub asked: Vec<Fault>,
    /// Persons who wrote it.
    pub authors: Vec<String>,
    /// The persons that it takes, once submitted.
    pub needed: Option<PersonsNeeded>,
    /// Approvals that count.
    pub approvals: Vec<ApprovalBody>,
    /// Why it was sent back.
    pub rejection: Option<ApprovalBody>,
    /// Who answers for its issue.
    pub issued: Option<IssuedBody>,
    /// The words prepared for each end.
    pub closures: Option<ClosureTexts>,
    /// How it ended.
    pub closed: Option<ClosedBody>,
    /// Until when it may sound.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
    /// When it was begun.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
}

/// A person's decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalBody {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
}

/// An issue.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedBody {
    /// `approved`, `emergency`, `auto_issue`.
    pub grounds: &'static str,
    /// The person who pressed, or the rule.
    pub by: String,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The digest of its CAP document, for `/cap-documents/{digest}`.
    #[schema(value_type = Option<String>)]
    pub cap_digest: Option<Digest>,
    /// For an emergency issue.
    pub emergency: Option<EmergencyBody>,
}

/// An emergency issue.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmergencyBody {
    /// Why it could not wait.
    pub reason: String,
    /// Until when it is to be countersigned.
    #[schema(value_type = String)]
    pub due_at: Timestamp,
    /// By whom it was.
    pub countersigned_by: Option<String>,
    /// Whether that was late.
    pub is_late: bool,
    /// Whether it stands as an open breach.
    pub is_breach: bool,
}

/// An end.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedBody {
    /// `lifted`, `withdrawn`, `expired`.
    pub how: &'static str,
    /// Who; nobody for an expiry.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
}

impl AlertBody {
    /// The alert as it is at `now`.
    pub fn of(alert: &Alert, now: Timestamp) -> Self {
        let lifecycle = &alert.lifecycle;
        let approvals = lifecycle.approvals().iter().map(|approval| ApprovalBody {
            by: approval.by.to_string(),
            reason: approval.reason.clone(),
            at: approval.at,
        });
        Self {
            id: alert.id.clone(),
            version: alert.version,
            state: lifecycle.state(),
            chain: alert.chain.clone(),
            predecessor: alert.predecessor.clone(),
            successor: match lifecycle {
                Lifecycle::Updated { successor, .. } => Some(successor.clone()),
                Lifecycle::Draft(_)
                | Lifecycle::Submitted(_)
                | Lifecycle::Approved(_)
                | Lifecycle::Issued(_)
                | Lifecycle::Closed { .. } => None,
            },
            region: alert.region,
            sender: alert.sender.clone(),
            sent: alert.sent,
            origin: alert.origin.clone(),
            content: alert.content.clone(),
            digest: alert.content_digest(),
            asked: alert.asked.clone(),
            authors: lifecycle.authors().iter().map(ToString::to_string).collect(),
            needed: needed(lifecycle),
            approvals: approvals.collect(),
            rejection: rejection(lifecycle),
            issued: issued(alert, now),
            closures: alert.closures.clone(),
            closed: closed(lifecycle),
            expires_at: alert.expires_at(),
            created_at: alert.created_at,
        }
    }
}

fn needed(lifecycle: &Lifecycle) -> Option<PersonsNeeded> {
    match lifecycle {
        Lifecycle::Submitted(submitted) => Some(submitted.needed),
        Lifecycle::Approved(approved) => Some(approved.submission.needed),
        Lifecycle::Issued(issued)
        | Lifecycle::Updated { issued, .. }
        | Lifecycle::Closed { issued, .. } => match &issued.grounds {
            Grounds::Approved { approved, .. } => Some(approved.submission.needed),
            Grounds::Emergency(_) | Grounds::AutoIssue { .. } => None,
        },
        Lifecycle::Draft(_) => None,
    }
}

fn rejection(lifecycle: &Lifecycle) -> Option<ApprovalBody> {
    let Lifecycle::Draft(draft) = lifecycle else { return None };
    let rejection = draft.rejection.as_ref()?;
    Some(ApprovalBody {
        by: rejection.by.to_string(),
        reason: rejection.reason.clone(),
        at: rejection.at,
    })
}

fn issued(alert: &Alert, now: Timestamp) -> Option<IssuedBody> {
    let issued = alert.lifecycle.issued()?;
    let (grounds, by, emergency) = match &issued.grounds {
        Grounds::Approved { by, .. } => ("approved", by.to_string(), None),
        Grounds::AutoIssue { rule, .. } => ("auto_issue", rule.clone(), None),
        Grounds::Emergency(emergency) => {
            let sign = emergency.countersigned.as_ref();
            let body = EmergencyBody {
                reason: emergency.reason.clone(),
                due_at: emergency.due_at,
                countersigned_by: sign.map(|sign| sign.by.to_string()),
                is_late: sign.is_some_and(|sign| sign.is_late),
                is_breach: emergency.is_breach(now),
            };
            ("emergency", emergency.by.to_string(), Some(body))
        }
    };
    Some(IssuedBody { grounds, by, at: issued.at, cap_digest: alert.cap_digest, emergency })
}

fn closed(lifecycle: &Lifecycle) -> Option<ClosedBody> {
    let Lifecycle::Closed { closed, .. } = lifecycle else { return None };
    Some(ClosedBody {
        how: closed.how.as_str(),
        by: closed.by.clone(),
        reason: closed.reason.clone(),
        at: closed.at,
    })
}
