//! Submits, takes back, approves, rejects.

use protocols::digest::Digest;
use serde_json::{Value, json};

use super::target::{self, Resolved};
use super::{AlertError, ask, check_reason, load, person, save};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::lifecycle::{Lifecycle, LifecycleError};
use crate::domain::alert::record::Alert;
use crate::domain::alert::validation::{self, Frame};
use crate::domain::authority::Action;
use crate::store::{self, Conn, Tx};

/// Checks everything that must be true before a submit and again before an issue, and resolves the
/// area. Every fault is named.
pub async fn check(
    connection: &mut Conn,
    app: &App,
    alert: &Alert,
) -> Result<Resolved, AlertError> {
    let mut faults = alert.asked.clone();
    let predecessors = members(connection, alert).await?.len();
    let frame = Frame { region: alert.region, predecessors, now: app.now() };
    faults.extend(validation::faults(&alert.content, &frame));
    if !faults.is_empty() {
        return Err(AlertError::Faults(faults));
    }
    target::resolve_for(connection, app, alert, predecessors).await
}

/// The issued members of the chain that an alert is to follow, oldest first; none for a new one.
pub async fn members(connection: &mut Conn, alert: &Alert) -> Result<Vec<Alert>, AlertError> {
    if alert.predecessor.is_none() && alert.lifecycle.issued().is_none() {
        return Ok(Vec::new());
    }
    let mut members = store::alerts::chain(connection, &alert.chain).await?;
    members.retain(|member| member.id != alert.id && member.lifecycle.issued().is_some());
    Ok(members)
}

/// 送审.
pub async fn submit(tx: &mut Tx, app: &App, actor: &Actor, id: &str) -> Result<Alert, AlertError> {
    let mut alert = load(tx, actor, id).await?;
    ask(actor, Action::SubmitAlert, &alert, app.now())?;
    let by = person(actor)?;
    if !matches!(alert.lifecycle, Lifecycle::Draft(_)) {
        let state = alert.lifecycle.state();
        return Err(LifecycleError::WrongState { state }.into());
    }
    let resolved = check(tx, app, &alert).await?;
    let digest = alert.content_digest();
    alert.lifecycle = alert.lifecycle.submit(&by, digest, resolved.needed, app.now())?;
    let detail = json!({
        "digest": digest,
        "needed": resolved.needed,
        "terminals": resolved.resolution.terminals.len(),
    });
    save(tx, app, actor.id, &mut alert, "alert_submitted", detail).await?;
    Ok(alert)
}

/// An author mends what was submitted.
pub async fn take_back(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
) -> Result<Alert, AlertError> {
    let mut alert = load(tx, actor, id).await?;
    ask(actor, Action::TakeBackAlert, &alert, app.now())?;
    alert.lifecycle = alert.lifecycle.take_back(&person(actor)?)?;
    save(tx, app, actor.id, &mut alert, "alert_taken_back", Value::Null).await?;
    Ok(alert)
}

/// A person other than the authors approves what was shown.
pub async fn approve(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
    shown: Digest,
    reason: &str,
) -> Result<Alert, AlertError> {
    let mut alert = load(tx, actor, id).await?;
    ask(actor, Action::ApproveAlert, &alert, app.now())?;
    check_reason(reason)?;
    alert.lifecycle = alert.lifecycle.approve(&person(actor)?, shown, reason, app.now())?;
    let detail = json!({ "digest": shown, "reason": reason });
    save(tx, app, actor.id, &mut alert, "alert_approved", detail).await?;
    Ok(alert)
}

/// Sent back with a reason.
pub async fn reject(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
    reason: &str,
) -> Result<Alert, AlertError> {
    let mut alert = load(tx, actor, id).await?;
    ask(actor, Action::ApproveAlert, &alert, app.now())?;
    check_reason(reason)?;
    alert.lifecycle = alert.lifecycle.reject(&person(actor)?, reason, app.now())?;
    save(tx, app, actor.id, &mut alert, "alert_rejected", json!({ "reason": reason })).await?;
    Ok(alert)
}
