//! 解除, 撤销, 失效: ends a chain. The first two speak prepared words to everybody whom any member
//! of the chain was meant for.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use protocols::alert::AlertKey;
use protocols::cap::profile::Words;
use protocols::limits;
use protocols::order::{Purpose, Repeats, SpokenText};
use serde_json::{Value, json};

use super::orders::{self, Plan};
use super::{AlertError, announce, ask, check_reason, document, load, save};
use crate::app::places::Places;
use crate::context::App;
use crate::domain::actor::{Actor, ActorId};
use crate::domain::alert::closure::{BilingualText, Closure, ClosureTexts};
use crate::domain::alert::lifecycle::{Lifecycle, LifecycleError};
use crate::domain::alert::record::Alert;
use crate::domain::authority::Action;
use crate::domain::targeting::{RequestedArea, ResolvedOrder, resolve};
use crate::store::{self, Conn, StoreError, Tx};

/// Hours for which the end of an alert is told to who comes back late, at least.
const CLOSING_H: i64 = 1;

/// Soundings of closing words: once, as a correction is heard by who was just listening.
const CLOSING_REPEATS: Repeats = Repeats::ONCE;

/// 解除 or 撤销 of the chain that the alert belongs to, by one authorised person. `text` takes the
/// place of the prepared words; its clip is used if there is one, and never waited for.
pub async fn close(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
    how: Closure,
    text: Option<BilingualText>,
    reason: &str,
) -> Result<Alert, AlertError> {
    let asked = load(tx, actor, id).await?;
    let action = match how {
        Closure::Lifted => Action::LiftAlert,
        Closure::Withdrawn => Action::WithdrawAlert,
        Closure::Expired => return Err(AlertError::NotFound),
    };
    ask(actor, action, &asked, app.now())?;
    // A draft of an update has nothing to end, though its chain is in force.
    if asked.lifecycle.issued().is_none() {
        return Err(LifecycleError::WrongState { state: asked.lifecycle.state() }.into());
    }
    check_reason(reason)?;
    let faults = text.as_ref().map(BilingualText::faults).unwrap_or_default();
    if !faults.is_empty() {
        return Err(AlertError::Faults(faults));
    }
    // An update that is on its way is waited for: then it is the update that ends.
    store::alerts::hold_chain(tx, &asked.chain).await?;
    let (live, members) = live_member(tx, &asked).await?;
    // The live member may be more serious, or another's, than the one that was named.
    ask(actor, action, &live, app.now())?;
    close_chain(tx, app, actor.id, live, &members, how, text, reason).await
}

/// The member of the alert's chain that is in force, and all that were issued, oldest first.
pub async fn live_member(
    connection: &mut Conn,
    alert: &Alert,
) -> Result<(Alert, Vec<Alert>), AlertError> {
    let mut members = store::alerts::chain(connection, &alert.chain).await?;
    members.retain(|member| member.lifecycle.issued().is_some());
    let live = members.iter().find(|member| matches!(member.lifecycle, Lifecycle::Issued(_)));
    match live.cloned() {
        Some(live) => Ok((live, members)),
        None => Err(LifecycleError::WrongState { state: alert.lifecycle.state() }.into()),
    }
}

/// Ends the chain of `live`: orders with the closing words to the union of its targets.
#[expect(clippy::too_many_arguments, reason = "one transaction's worth of decided facts")]
pub async fn close_chain(
    tx: &mut Tx,
    app: &App,
    actor: ActorId,
    mut live: Alert,
    members: &[Alert],
    how: Closure,
    text: Option<BilingualText>,
    reason: &str,
) -> Result<Alert, AlertError> {
    let now = app.now();
    let Some(purpose) = how.purpose() else { return Err(AlertError::NotFound) };
    live.lifecycle = live.lifecycle.close(how, &actor.to_string(), reason, now)?;
    let prepared = live.closures.take();
    let mut prepared = prepared.unwrap_or_else(|| ClosureTexts::prepare(&live.content));
    if let Some(text) = text {
        match how {
            Closure::Lifted => prepared.lifted = text,
            Closure::Withdrawn => prepared.withdrawn = text,
            Closure::Expired => prepared.expired = text,
        }
    }
    let text = prepared.of(how).clone();
    // What was spoken stays with the alert.
    live.closures = Some(prepared);

    let mut plan = closing_plan(app, &live, members, purpose, &text, now);
    orders::attach_clips(tx, app, &mut plan).await?;
    let places = app.places.current(tx).await?;
    let (area, orders) = union(tx, app, &live, members, &places, &plan).await?;
    let words = plan.texts.iter().map(|text| Words {
        language: text.language.clone(),
        headline: headline(how, &text.language).to_owned(),
        description: text.text.clone(),
        instruction: String::new(),
    });
    let words = words.collect::<Vec<_>>();
    plan.digest = document::keep(tx, app, &plan, &words, &places, &area).await?;
    for member in members {
        store::orders::end(tx, &member.id, now).await?;
    }
    orders::keep(tx, app, &live.id, &plan, &orders).await?;
    let detail = json!({
        "closure": how,
        "reason": reason,
        "text": text,
        "cap_digest": plan.digest,
        "orders": orders.len(),
        "members": members.iter().map(|member| &member.id).collect::<Vec<_>>(),
    });
    save(tx, app, actor, &mut live, &format!("alert_{}", how.as_str()), detail).await?;
    Ok(live)
}

fn headline(how: Closure, language: &str) -> &'static str {
    match (how, crate::domain::alert::content::is_chinese(language)) {
        (Closure::Lifted, true) => "预警解除",
        (Closure::Lifted, false) => "Warning lifted",
        (Closure::Withdrawn, true) => "预警撤销（误发）",
        (Closure::Withdrawn, false) => "Warning withdrawn (issued in error)",
        (Closure::Expired, true) => "预警失效",
        (Closure::Expired, false) => "Warning expired",
    }
}

fn closing_plan(
    app: &App,
    live: &Alert,
    members: &[Alert],
    purpose: Purpose,
    text: &BilingualText,
    now: Timestamp,
) -> Plan {
    let identifier = app.id().to_string();
    let sent = orders::sent_at(now, members);
    let key = AlertKey { sender: live.sender.clone(), identifier, sent };
    let languages = live.content.texts.iter().map(|text| text.language.clone());
    let texts = text
        .spoken(&languages.collect::<Vec<_>>())
        .into_iter()
        .map(|(language, text)| SpokenText { language, text, clip: None });
    let mut plan = Plan::issue(app, live, members, key, now);
    plan.purpose = purpose;
    plan.references = orders::references(members);
    plan.texts = texts.collect();
    plan.repeats = CLOSING_REPEATS;
    plan.play_at = None;
    // Who is out of reach now must learn of the end as long as the alert itself could sound.
    let last = members.iter().map(Alert::expires_at).max().unwrap_or(now);
    let latest = now + SignedDuration::from_hours(limits::EXPIRY_MAX_H);
    plan.expires = last.max(now + SignedDuration::from_hours(CLOSING_H)).min(latest);
    plan
}

/// Everybody whom any member was meant for. A chain whose members all name one area is closed
/// exactly as it was addressed; otherwise the union of the areas is resolved again, and where that
/// is not possible the end follows each order of the chain on its own topic.
async fn union(
    tx: &mut Tx,
    app: &App,
    live: &Alert,
    members: &[Alert],
    places: &Places,
    plan: &Plan,
) -> Result<(RequestedArea, Vec<ResolvedOrder>), AlertError> {
    let areas = members.iter().map(|member| &member.content.area).collect::<Vec<_>>();
    let area = union_area(&areas);
    let is_same = members.iter().all(|member| member.content.area == live.content.area);
    if !is_same {
        let resolution = resolve(&area, live.region, places.table(), orders::room(app, plan));
        if let Ok(resolution) = resolution {
            return Ok((area, resolution.orders));
        }
    }
    let mut orders = Vec::new();
    for member in members.iter().filter(|member| !is_same || member.id == live.id) {
        orders.extend(as_addressed(tx, &member.id).await?);
    }
    orders.sort_by_key(|order| order.topic);
    Ok((area, orders))
}

async fn as_addressed(tx: &mut Tx, alert: &str) -> Result<Vec<ResolvedOrder>, StoreError> {
    let mut orders = Vec::new();
    for order in store::orders::of_alert(tx, alert).await? {
        let terminals = store::orders::terminals_of(tx, &order.id).await?;
        orders.push(ResolvedOrder { topic: order.topic, target: order.target, terminals });
    }
    Ok(orders)
}

/// The union of areas. What one of them excludes stays excluded unless another one includes it.
fn union_area(areas: &[&RequestedArea]) -> RequestedArea {
    let mut union = RequestedArea::default();
    for area in areas.iter().copied() {
        union.regions.extend(&area.regions);
        union.terminals.extend(&area.terminals);
        union.polygons.extend(area.polygons.iter().cloned());
        union.circles.extend(&area.circles);
        let others = areas.iter().copied().filter(|other| *other != area);
        let kept = area.excluded.iter().filter(|excluded| {
            others.clone().all(|other| {
                let has_shape = !other.polygons.is_empty() || !other.circles.is_empty();
                let is_excluded = other.excluded.iter().any(|region| region.contains(**excluded));
                let is_apart = !has_shape
                    && !other.regions.iter().any(|region| region.overlaps(**excluded))
                    && !other.terminals.iter().any(|id| excluded.contains(id.village()));
                is_excluded || is_apart
            })
        });
        union.excluded.extend(kept);
        let is_spared = |id: &&protocols::terminal::TerminalId| {
            others.clone().all(|other| other.excluded_terminals.contains(id))
        };
        union.excluded_terminals.extend(area.excluded_terminals.iter().filter(is_spared));
    }
    union.regions.sort_unstable();
    union.regions.dedup();
    union.excluded.sort_unstable();
    union.excluded.dedup();
    union.excluded_terminals.sort_unstable();
    union.excluded_terminals.dedup();
    union
}

/// Alerts that one sweep ends at most; more follow in the next one.
const EXPIRE_BATCH: i64 = 100;

/// 失效: ends every alert whose time has run out. Gives how many.
pub async fn expire_due(tx: &mut Tx, app: &App) -> Result<usize, AlertError> {
    let now = app.now();
    let due = store::alerts::expired(tx, now, EXPIRE_BATCH).await?;
    let count = due.len();
    let chains = due.iter().map(|alert| alert.chain.as_str()).collect::<BTreeSet<_>>();
    for chain in chains {
        store::alerts::hold_chain(tx, chain).await?;
    }
    for mut alert in due {
        alert.lifecycle = alert.lifecycle.expire(now)?;
        let detail = json!({ "closure": Closure::Expired });
        save(tx, app, ActorId::System, &mut alert, "alert_expired", detail).await?;
    }
    Ok(count)
}

/// Breaches that one sweep announces at most.
const BREACH_BATCH: i64 = 100;

/// Announces every emergency issue that was not countersigned in time. The alert goes on. Gives
/// how many.
pub async fn announce_breaches(tx: &mut Tx, app: &App) -> Result<usize, AlertError> {
    use crate::app::events::{self, Topic};
    let now = app.now();
    let breaches = store::alerts::new_breaches(tx, now, BREACH_BATCH).await?;
    for breach in &breaches {
        store::alerts::mark_breached(tx, &breach.alert, now).await?;
        let found = store::alerts::find(tx, &breach.alert).await?;
        let Some(alert) = found else { continue };
        let detail = json!({ "due_at": breach.due_at });
        announce(tx, app, ActorId::System, &alert, "countersign_missed", detail).await?;
        let body: Value = json!({
            "type": "countersign_missed",
            "alert": breach.alert,
            "due_at": breach.due_at,
        });
        events::push(tx, now, Topic::Attention, breach.region, &body).await?;
    }
    Ok(breaches.len())
}
