//! The use cases of an alert's life. Each takes the open transaction; its caller commits and wakes.
//!
//! | file | does |
//! |---|---|
//! | [`draft`] | begins, edits, begins the update of an issued one |
//! | [`approval`] | submits, takes back, approves, rejects |
//! | [`target`] | resolves the area against regions and terminals |
//! | [`preview`] | shows who would hear it and who would stay silent |
//! | [`issue`] | issues, by its persons, at once, or by rule; countersigns |
//! | [`orders`] | numbers, signs and keeps the orders of an issue or an end |
//! | [`document`] | composes the CAP document |
//! | [`speech`] | has clips made ahead of their need |
//! | [`close`] | lifts, withdraws, expires |

pub mod approval;
pub mod close;
pub mod document;
pub mod draft;
pub mod issue;
pub mod orders;
pub mod preview;
pub mod speech;
pub mod target;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::{audit, events};
use crate::context::App;
use crate::domain::actor::{Actor, ActorId, Denied};
use crate::domain::alert::PersonId;
use crate::domain::alert::lifecycle::LifecycleError;
use crate::domain::alert::record::Alert;
use crate::domain::authority::Action;
use crate::domain::fault::Fault;
use crate::domain::keys::CannotSign;
use crate::store::{self, Conn, StoreError, Tx};

/// Bytes of the reason for a decision: some three hundred Chinese characters. It stays in the record
/// for ever.
pub const REASON_BYTES_MAX: usize = 1_000;

/// Why a use case of an alert was refused.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Only a natural person may, whatever a token is granted.
    #[error("only a person may do this")]
    NotAPerson,
    /// There is none, or none that the actor may know of.
    #[error("there is no such alert")]
    NotFound,
    /// Its life does not allow it.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// Rules are broken; all of them are named.
    #[error("the content breaks {} rules", .0.len())]
    Faults(Vec<Fault>),
    /// The version that the actor saw is not the present one.
    #[error("somebody else changed it meanwhile")]
    Stale,
    /// This dispatcher's key or certificate counts no more.
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AlertError {
    /// One broken rule.
    pub fn fault(pointer: &str, rule: &str, zh: &str, en: &str) -> Self {
        Self::Faults(vec![Fault::new(pointer, rule, zh, en)])
    }
}

/// Whether a reason may go into the record; that one is needed is a rule of the lifecycle.
pub fn check_reason(reason: &str) -> Result<(), AlertError> {
    if reason.len() <= REASON_BYTES_MAX {
        return Ok(());
    }
    let (zh, en) = ("理由最多 1000 字节（约 330 个汉字）", "a reason has at most 1,000 bytes");
    Err(AlertError::fault("/reason", "reason-too-long", zh, en))
}

/// The person behind an actor; a token is none.
pub fn person(actor: &Actor) -> Result<PersonId, AlertError> {
    match actor.id {
        ActorId::Account(_) => Ok(PersonId(actor.id.to_string())),
        ActorId::Token(_) | ActorId::System => Err(AlertError::NotAPerson),
    }
}

/// The alert, if the actor may read it.
pub async fn load(connection: &mut Conn, actor: &Actor, id: &str) -> Result<Alert, AlertError> {
    let alert = store::alerts::find(connection, id).await?.ok_or(AlertError::NotFound)?;
    if !actor.is_granted(Action::ReadAlerts, alert.region, None) {
        return Err(AlertError::NotFound);
    }
    Ok(alert)
}

/// Whether the actor may do `action` to this alert now.
pub fn ask(actor: &Actor, action: Action, alert: &Alert, now: Timestamp) -> Result<(), AlertError> {
    Ok(actor.may(action, alert.region, alert.effective_color(), now)?)
}

/// Saves the alert, whose version rises, and records what was done to it. Call it last.
pub async fn save(
    tx: &mut Tx,
    app: &App,
    actor: ActorId,
    alert: &mut Alert,
    action: &str,
    detail: Value,
) -> Result<(), AlertError> {
    store::alerts::save(tx, alert).await?;
    alert.version += 1;
    announce(tx, app, actor, alert, action, detail).await
}

/// Records and tells what was done to an alert. Call it last: the record's head is held from here
/// to the commit.
pub async fn announce(
    tx: &mut Tx,
    app: &App,
    actor: ActorId,
    alert: &Alert,
    action: &str,
    detail: Value,
) -> Result<(), AlertError> {
    let now = app.now();
    let body = json!({
        "type": action,
        "alert": alert.id,
        "chain": alert.chain,
        "state": alert.lifecycle.state(),
        "version": alert.version,
    });
    events::push(tx, now, events::Topic::Alerts, alert.region, &body).await?;
    let record = json!({
        "region": alert.region,
        "state": alert.lifecycle.state(),
        "version": alert.version,
        "content_digest": alert.content_digest(),
        "detail": detail,
    });
    audit::append_as(tx, now, actor, action, &format!("alert:{}", alert.id), &record).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
