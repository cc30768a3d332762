//! Issues an alert: by its persons, by one at once, or by a rule. One transaction decides, freezes
//! the target, takes the numbers, signs, and writes orders, deliveries, document, event and record.

use jiff::Timestamp;
use protocols::cap::profile::Words;
use serde_json::{Value, json};

use super::orders::{self, Plan};
use super::target::Resolved;
use super::{AlertError, approval, ask, check_reason, document, load, person, save};
use crate::app::drills;
use crate::context::App;
use crate::domain::actor::{Actor, ActorId};
use crate::domain::alert::closure::ClosureTexts;
use crate::domain::alert::lifecycle::{Lifecycle, LifecycleError};
use crate::domain::alert::persons::PersonsNeeded;
use crate::domain::alert::record::Alert;
use crate::domain::alert::validation;
use crate::domain::authority::Action;
use crate::domain::auto_issue::AutoIssueRule;
use crate::domain::targeting::ResolvedOrder;
use crate::store::{self, Tx};

/// 发布 by an author or an approver.
pub async fn issue(tx: &mut Tx, app: &App, actor: &Actor, id: &str) -> Result<Alert, AlertError> {
    let mut alert = load(tx, actor, id).await?;
    let now = app.now();
    let by = person(actor)?;
    // First who may at all, then what is wrong with it: a bystander learns nothing of the content.
    let is_ready = matches!(alert.lifecycle, Lifecycle::Approved(_) | Lifecycle::Submitted(_));
    if !is_ready {
        ask(actor, Action::IssueAlert, &alert, now)?;
        return Err(LifecycleError::WrongState { state: alert.lifecycle.state() }.into());
    }
    let resolved = approval::check(tx, app, &alert).await?;
    if resolved.needed == PersonsNeeded::One && alert.lifecycle.approvals().is_empty() {
        // One person alone acts inside one town: asked for the town, not for the whole authority.
        let region = resolved.common().unwrap_or(alert.region);
        actor.may(Action::IssueAlone, region, alert.effective_color(), now)?;
    } else {
        ask(actor, Action::IssueAlert, &alert, now)?;
    }
    let expires_at = validation::expiry(&alert.content, now);
    let digest = alert.content_digest();
    alert.lifecycle = alert.lifecycle.issue(&by, digest, resolved.needed, now, expires_at)?;
    let detail = json!({ "needed": resolved.needed });
    carry_out(tx, app, actor.id, alert, resolved, now, "alert_issued", detail).await
}

/// One person issues at once; another is to countersign within half an hour.
pub async fn issue_at_once(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
    reason: &str,
) -> Result<Alert, AlertError> {
    let mut alert = load(tx, actor, id).await?;
    let now = app.now();
    ask(actor, Action::OverrideAlert, &alert, now)?;
    check_reason(reason)?;
    let by = person(actor)?;
    let resolved = approval::check(tx, app, &alert).await?;
    let expires_at = validation::expiry(&alert.content, now);
    let digest = alert.content_digest();
    alert.lifecycle = alert.lifecycle.issue_at_once(&by, digest, reason, now, expires_at)?;
    let detail = json!({
        "reason": reason,
        "needed": resolved.needed,
        "countersign_due_at": alert.lifecycle.emergency().map(|it| it.due_at),
    });
    carry_out(tx, app, actor.id, alert, resolved, now, "alert_overridden", detail).await
}

/// A rule issues what came in, after [`AutoIssueRule::admits`] let it.
pub async fn issue_by_rule(
    tx: &mut Tx,
    app: &App,
    actor: ActorId,
    mut alert: Alert,
    resolved: Resolved,
    rule: &AutoIssueRule,
) -> Result<Alert, AlertError> {
    let now = app.now();
    let expires_at = validation::expiry(&alert.content, now);
    let digest = alert.content_digest();
    let persons = rule.persons();
    alert.lifecycle = alert.lifecycle.issue_by_rule(&rule.id, persons, digest, now, expires_at)?;
    store::auto_issue_rules::record_issue(tx, &rule.id, &alert.id, now).await?;
    let detail = json!({ "rule": rule.id });
    carry_out(tx, app, actor, alert, resolved, now, "alert_issued_by_rule", detail).await
}

/// Another person answers for an emergency issue. Their grant lies on a wider region than the
/// alert's, or on an equal one where this dispatcher has no wider.
pub async fn countersign(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
) -> Result<Alert, AlertError> {
    let mut alert = load(tx, actor, id).await?;
    let now = app.now();
    let is_top = alert.region == app.region();
    let wider = if is_top { alert.region } else { alert.region.parent().unwrap_or(alert.region) };
    actor.may(Action::CountersignAlert, wider, alert.effective_color(), now)?;
    alert.lifecycle = alert.lifecycle.countersign(&person(actor)?, now)?;
    let is_late = alert
        .lifecycle
        .emergency()
        .and_then(|emergency| emergency.countersigned.as_ref())
        .is_some_and(|sign| sign.is_late);
    let detail = json!({ "is_late": is_late });
    save(tx, app, actor.id, &mut alert, "alert_countersigned", detail).await?;
    Ok(alert)
}

/// Makes an issue true: `alert` is issued by its lifecycle, nothing is stored yet.
#[expect(clippy::too_many_arguments, reason = "one transaction's worth of decided facts")]
async fn carry_out(
    tx: &mut Tx,
    app: &App,
    actor: ActorId,
    mut alert: Alert,
    resolved: Resolved,
    now: Timestamp,
    action: &str,
    detail: Value,
) -> Result<Alert, AlertError> {
    check_drill(tx, &alert, &resolved, now).await?;
    if alert.predecessor.is_some() {
        store::alerts::hold_chain(tx, &alert.chain).await?;
    }
    let members = approval::members(tx, &alert).await?;
    alert.sent = Some(orders::sent_at(now, &members));
    alert.closures = Some(ClosureTexts::prepare(&alert.content));
    let Some(key) = alert.key() else { return Err(AlertError::Stale) };
    let mut plan = Plan::issue(app, &alert, &members, key, now);
    orders::attach_clips(tx, app, &mut plan).await?;
    let words = alert.content.texts.iter().map(|text| Words {
        language: text.language.clone(),
        headline: text.headline.clone(),
        description: text.description.clone(),
        instruction: text.instruction.clone(),
    });
    let words = words.collect::<Vec<_>>();
    let area = &alert.content.area;
    plan.digest = document::keep(tx, app, &plan, &words, &resolved.places, area).await?;
    alert.cap_digest = Some(plan.digest);

    let mut orders = resolved.resolution.orders;
    if let Some(predecessor) = alert.predecessor.clone() {
        orders.extend(left_behind(tx, &members, &orders).await?);
        orders.sort_by_key(|order| order.topic);
        supersede(tx, &members, &predecessor, &alert.id, now).await?;
    }
    orders::keep(tx, app, &alert.id, &plan, &orders).await?;
    let terminals = resolved.resolution.terminals.len();
    let detail = json!({
        "act": detail,
        "cap_digest": plan.digest,
        "orders": orders.len(),
        "terminals": terminals,
        "closures": alert.closures,
    });
    save(tx, app, actor, &mut alert, action, detail).await?;
    Ok(alert)
}

/// An exercise that no terminal would sound is a mistake of whoever issues it: the enrolment was
/// forgotten, or the drill's name is misspelt.
async fn check_drill(
    tx: &mut Tx,
    alert: &Alert,
    resolved: &Resolved,
    now: Timestamp,
) -> Result<(), AlertError> {
    let Some(drill) = &alert.content.drill else { return Ok(()) };
    let meant = &resolved.resolution.terminals;
    let until = validation::expiry(&alert.content, now);
    if drills::enrolled(tx, drill, meant, now, until).await? > 0 {
        return Ok(());
    }
    Err(AlertError::fault(
        "/drill",
        "not-enrolled",
        &format!("目标终端均未登记演练 {drill}，演练信息不会播出；请先登记"),
        &format!("no terminal of the target is enrolled in the drill {drill}: enrol them first"),
    ))
}

/// Orders for the topics of earlier members that the update does not reach any more: they name the
/// members that end and mean nobody, so that who was warned before falls silent.
async fn left_behind(
    tx: &mut Tx,
    members: &[Alert],
    orders: &[ResolvedOrder],
) -> Result<Vec<ResolvedOrder>, AlertError> {
    let mut topics = Vec::new();
    for member in members {
        let earlier = store::orders::of_alert(tx, &member.id).await?;
        topics.extend(earlier.into_iter().map(|order| order.topic));
    }
    topics.sort_unstable();
    topics.dedup();
    topics.retain(|topic| !orders.iter().any(|order| order.topic.contains(*topic)));
    Ok(topics
        .into_iter()
        .map(|topic| ResolvedOrder {
            topic,
            target: protocols::area::Target {
                regions: vec![topic],
                excluded: vec![topic],
                ..protocols::area::Target::default()
            },
            terminals: Vec::new(),
        })
        .collect())
}

/// The successor takes the place of its predecessor, which must still be the live one; the orders
/// of every earlier member end.
async fn supersede(
    tx: &mut Tx,
    members: &[Alert],
    predecessor: &str,
    successor: &str,
    now: Timestamp,
) -> Result<(), AlertError> {
    let found = members.iter().find(|member| member.id == predecessor);
    let mut live = found.cloned().ok_or(AlertError::NotFound)?;
    live.lifecycle = live.lifecycle.supersede(successor)?;
    store::alerts::save(tx, &live).await?;
    for member in members {
        store::orders::end(tx, &member.id, now).await?;
    }
    Ok(())
}
