//! Takes in a CAP message: the same one twice is one, another one under the same key is tampering,
//! the rest becomes a draft for the duty officer, or is issued by a rule that admits it.

use jiff::SignedDuration;
use protocols::alert::BroadcastKind;
use protocols::cap;
use protocols::cap::profile::{Meaning, understand};
use protocols::order::Purpose;
use protocols::region::RegionCode;
use serde_json::json;

use crate::app::alerts::target::Resolved;
use crate::app::alerts::{AlertError, announce, approval, close, draft, issue};
use crate::app::{audit, events, regions};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::closure::Closure;
use crate::domain::alert::evidence::Grounds;
use crate::domain::alert::lifecycle::Lifecycle;
use crate::domain::alert::record::Alert;
use crate::domain::authority::Action;
use crate::domain::auto_issue::{AutoIssueRule, Candidate};
use crate::domain::cap_in::{self, Incoming};
use crate::domain::fault::Fault;
use crate::domain::targeting::resolve;
use crate::store::cap_documents::{self, CapImport, Direction};
use crate::store::{self, StoreError, Tx};

/// Bytes that are assumed to be free for the target while a place is only looked up.
const ROOM_BYTES: usize = 2_000;

/// Why a message was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum CapError {
    /// Not usable: each finding with its place.
    #[error("the message is refused")]
    Refused(Vec<Fault>),
    /// The same key with other content came before. Recorded; commit the transaction.
    #[error("the same key came before with other content")]
    Tampered,
    /// As for any alert.
    #[error(transparent)]
    Alert(#[from] AlertError),
}

impl From<StoreError> for CapError {
    fn from(error: StoreError) -> Self {
        Self::Alert(error.into())
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `draft`, `issued`, `closed`, `closing_proposed`.
    pub outcome: String,
    /// The alert that it became or acted on.
    pub alert: Option<String>,
    /// Whether it had been taken in before.
    pub is_replay: bool,
    /// What an officer must answer.
    pub asked: Vec<Fault>,
    /// Findings that did not keep it out.
    pub findings: Vec<Fault>,
}

/// What every step about one message needs.
struct Message<'a> {
    app: &'a App,
    actor: &'a Actor,
    alert: cap::Alert,
    meaning: Meaning,
    kind: BroadcastKind,
    /// The region of the token.
    region: RegionCode,
    findings: Vec<Fault>,
}

/// Takes in the bytes of one message.
pub async fn take(tx: &mut Tx, app: &App, actor: &Actor, bytes: &[u8]) -> Result<Taken, CapError> {
    let region = token_region(app, actor)?;
    let message = read(app, actor, region, bytes)?;
    let digest = cap::content_digest(&message.alert);
    let key = message.alert.key();
    let earlier = cap_documents::imports(tx, &key.sender, &key.identifier).await?;
    if let Some(same) = earlier.iter().find(|import| import.key == key) {
        if same.digest == digest {
            return Ok(Taken {
                outcome: same.outcome.clone(),
                alert: same.alert.clone(),
                is_replay: true,
                asked: Vec::new(),
                findings: message.findings,
            });
        }
        let detail = json!({
            "sender": key.sender,
            "identifier": key.identifier,
            "sent": key.sent.to_string(),
            "first_digest": same.digest,
            "second_digest": digest,
        });
        cap_documents::insert(tx, bytes, Direction::In, app.now()).await?;
        let body = json!({ "type": "cap_tampered", "alert": same.alert, "detail": detail });
        events::push(tx, app.now(), events::Topic::Attention, region, &body).await?;
        audit::append(tx, app.now(), actor, "cap_tampered", "cap", &detail).await?;
        return Err(CapError::Tampered);
    }
    cap_documents::insert(tx, bytes, Direction::In, app.now()).await?;
    let taken = act(tx, &message).await?;
    let import = CapImport {
        key,
        digest,
        alert: taken.alert.clone(),
        token: actor.id.to_string(),
        outcome: taken.outcome.clone(),
    };
    if !cap_documents::insert_import(tx, &import, app.now()).await? {
        // Another process took it in meanwhile; nothing of ours is kept.
        return Err(StoreError::Conflict { table: "cap_imports" }.into());
    }
    Ok(taken)
}

fn token_region(app: &App, actor: &Actor) -> Result<RegionCode, CapError> {
    let granted = actor.grants.iter().find(|grant| {
        actor.is_granted(Action::SubmitCap, grant.region, None)
            && app.region().contains(grant.region)
    });
    let region = granted.map_or(app.region(), |grant| grant.region);
    actor.may(Action::SubmitCap, region, None, app.now()).map_err(AlertError::from)?;
    Ok(region)
}

fn read<'a>(
    app: &'a App,
    actor: &'a Actor,
    region: RegionCode,
    bytes: &[u8],
) -> Result<Message<'a>, CapError> {
    let reading = cap::read(bytes);
    let findings = reading.findings.iter().map(|finding| {
        let (zh, en) = (finding.message_zh.clone(), finding.message_en.clone());
        Fault::new(finding.path.clone(), finding.code, zh, en)
    });
    let findings = findings.collect::<Vec<_>>();
    let Some(alert) = reading.alert else { return Err(CapError::Refused(findings)) };
    let meaning = understand(&alert);
    let refuse = |path: &str, rule: &str, zh: &str, en: &str| {
        Err(CapError::Refused(vec![Fault::new(path, rule, zh, en)]))
    };
    let Some(kind) = meaning.kind else {
        return refuse(
            "/alert/status",
            "status-never-sounds",
            "状态为 System 或 Draft 的信息不会播发",
            "a message of status System or Draft never sounds",
        );
    };
    let is_closing = meaning.purpose.is_some_and(Purpose::is_closing);
    let is_asked = meaning.asked.iter().any(|asked| asked.field == "purpose");
    if meaning.purpose.is_none() && !is_asked {
        return refuse(
            "/alert/msgType",
            "not-an-alert",
            "回执（Ack）和差错（Error）不是预警",
            "an acknowledgement or an error is not an alert",
        );
    }
    let is_cancel = alert.msg_type == cap::vocabulary::MsgType::Cancel;
    if meaning.areas.is_empty() && !is_closing && !is_cancel {
        return refuse(
            "/alert/info/area",
            "area-missing",
            "没有写明覆盖区域：空的区域一律拒绝，绝不当作“全部”",
            "the area is missing: an empty area is refused, never read as everyone",
        );
    }
    Ok(Message { app, actor, alert, meaning, kind, region, findings })
}

async fn act(tx: &mut Tx, message: &Message<'_>) -> Result<Taken, CapError> {
    let found = referenced(tx, message).await?;
    let is_cancel = message.alert.msg_type == cap::vocabulary::MsgType::Cancel;
    if is_cancel || message.meaning.purpose.is_some_and(Purpose::is_closing) {
        return end(tx, message, found).await;
    }
    let aliases = regions::alias_table(tx).await?;
    let sent = message.alert.sent;
    let authority = message.region;
    let mut incoming = cap_in::draft(&message.meaning, message.kind, sent, &aliases, authority);
    let places = message.app.places.current(tx).await?;
    incoming.asked.extend(cap_in::pseudo_units(&incoming.content.area, &places.tree));
    if !message.meaning.references.is_empty() && found.is_none() {
        incoming.asked.push(Fault::new(
            "/references",
            "reference-unknown",
            "所引用的信息未收到过或已结束，按新预警处理",
            "what it refers to never came in or has ended: it is treated as a new alert",
        ));
    }
    let live = match &found {
        Some(found) => close::live_member(tx, &found.alert).await.ok().map(|(live, _)| live),
        None => None,
    };
    begin(tx, message, incoming, live).await
}

/// An earlier message that was named, and the alert that it became.
struct Referenced {
    alert: Alert,
    /// The time in the reference is not the one that came in.
    is_mismatched: bool,
}

/// Looks up the references by sender and identifier; the time only chooses among several. A
/// message refers to its own sender's messages alone: no other sender may act on them.
async fn referenced(tx: &mut Tx, message: &Message<'_>) -> Result<Option<Referenced>, CapError> {
    for reference in message.meaning.references.iter().rev() {
        if reference.sender != message.alert.sender {
            continue;
        }
        let imports = cap_documents::imports(tx, &reference.sender, &reference.identifier).await?;
        let exact = imports.iter().find(|import| import.key.sent == reference.sent);
        let Some(import) = exact.or(imports.first()) else { continue };
        let Some(id) = &import.alert else { continue };
        if let Some(alert) = store::alerts::find(tx, id).await? {
            return Ok(Some(Referenced { alert, is_mismatched: exact.is_none() }));
        }
    }
    Ok(None)
}

/// Begins the draft of a message, or of the update of `live`, and issues it where a rule admits.
async fn begin(
    tx: &mut Tx,
    message: &Message<'_>,
    incoming: Incoming,
    live: Option<Alert>,
) -> Result<Taken, CapError> {
    let app = message.app;
    let origin = format!("cap:{}", message.actor.id);
    let mut alert = if let Some(live) = &live {
        draft::succeed(tx, app, live, incoming.content, None, origin).await?
    } else {
        let region = draft_region(tx, message, &incoming).await?;
        draft::begin(app, region, incoming.content, None, origin, Vec::new())
    };
    alert.asked = incoming.asked;
    let asked = alert.asked.clone();
    store::alerts::insert(tx, &alert).await?;
    let failed = match rule_for(tx, message, &alert, live.as_ref()).await? {
        Ruling::Admitted(rule, resolved) => {
            let actor = message.actor.id;
            let issued = issue::issue_by_rule(tx, app, actor, alert, *resolved, &rule).await?;
            return Ok(taken(message, "issued", Some(issued.id), asked));
        }
        Ruling::Outside(failed) => failed,
    };
    let key = message.alert.key();
    let detail = json!({
        "sender": key.sender,
        "identifier": key.identifier,
        "sent": key.sent.to_string(),
        "asked": asked,
        "outside_rules": failed,
    });
    let attention = json!({
        "type": "cap_draft",
        "alert": alert.id,
        "headline": alert.content.texts.first().map(|text| &text.headline),
        "color": alert.content.color,
        "asked": asked.len(),
        "outside_rules": failed,
    });
    events::push(tx, app.now(), events::Topic::Attention, alert.region, &attention).await?;
    announce(tx, app, message.actor.id, &alert, "cap_drafted", detail).await?;
    Ok(taken(message, "draft", Some(alert.id), asked))
}

fn taken(message: &Message<'_>, outcome: &str, alert: Option<String>, asked: Vec<Fault>) -> Taken {
    Taken {
        outcome: outcome.to_owned(),
        alert,
        is_replay: false,
        asked,
        findings: message.findings.clone(),
    }
}

/// On whose behalf a draft is issued: the smallest region that holds all that it reaches, or the
/// token's where that can't be told yet.
async fn draft_region(
    tx: &mut Tx,
    message: &Message<'_>,
    incoming: &Incoming,
) -> Result<RegionCode, CapError> {
    let area = &incoming.content.area;
    let has_shape = !area.polygons.is_empty() || !area.circles.is_empty();
    let mut reaches = area.regions.clone();
    if has_shape {
        let places = message.app.places.current(tx).await?;
        match resolve(area, message.region, places.table(), ROOM_BYTES) {
            Ok(resolution) => reaches.extend(resolution.orders.iter().map(|order| order.topic)),
            Err(_) => return Ok(message.region),
        }
    }
    let common = reaches.into_iter().map(Some).reduce(|held, region| held?.common(region?));
    Ok(common.flatten().filter(|region| message.region.contains(*region)).unwrap_or(message.region))
}

enum Ruling {
    Admitted(AutoIssueRule, Box<Resolved>),
    Outside(Vec<serde_json::Value>),
}

/// The first rule that admits the alert, or which limit kept it from each.
async fn rule_for(
    tx: &mut Tx,
    message: &Message<'_>,
    alert: &Alert,
    live: Option<&Alert>,
) -> Result<Ruling, CapError> {
    let now = message.app.now();
    let token = message.actor.id.to_string();
    let mut rules = store::auto_issue_rules::active(tx, &token, now).await?;
    // What persons issued is not replaced by a machine, and what a rule issued by no other rule:
    // an update also silences where its predecessor reached, which may be outside the other's.
    rules.retain(|rule| live.is_none_or(|live| rule_of(live) == Some(&rule.id)));
    if rules.is_empty() {
        return Ok(Ruling::Outside(Vec::new()));
    }
    let (resolved, has_questions) = match approval::check(tx, message.app, alert).await {
        Ok(resolved) => (Some(resolved), false),
        Err(AlertError::Faults(_)) => (None, true),
        Err(error) => return Err(error.into()),
    };
    let (mut failed, mut admitted) = (Vec::new(), None);
    for rule in rules {
        // Two messages at once must not both be the last one that the hour has room for.
        store::auto_issue_rules::hold(tx, &rule.id).await?;
        let since = now - SignedDuration::from_hours(1);
        let issued = store::auto_issue_rules::issued_since(tx, &rule.id, since).await?;
        let candidate = Candidate {
            token: &token,
            sender: &message.alert.sender,
            kind: alert.content.kind,
            reaches: resolved.as_ref().map_or(&[], |resolved| &resolved.reaches),
            event: alert.content.event,
            color: alert.effective_color(),
            terminals: resolved.as_ref().map_or(0, |it| it.resolution.terminals.len()),
            issued_last_hour: issued,
            has_questions,
        };
        match rule.admits(&candidate, now) {
            Ok(()) => admitted = Some(rule),
            Err(limit) => failed.push(json!({ "rule": rule.id, "limit": limit })),
        }
        if admitted.is_some() {
            break;
        }
    }
    match (admitted, resolved) {
        (Some(rule), Some(resolved)) => Ok(Ruling::Admitted(rule, Box::new(resolved))),
        (Some(_) | None, _) => Ok(Ruling::Outside(failed)),
    }
}

/// The rule that issued an alert, if one did.
fn rule_of(alert: &Alert) -> Option<&str> {
    match &alert.lifecycle.issued()?.grounds {
        Grounds::AutoIssue { rule, .. } => Some(rule),
        Grounds::Approved { .. } | Grounds::Emergency(_) => None,
    }
}

/// A message that ends an earlier one: done where the rule that issued it still stands and the
/// message says how it ends, otherwise proposed to the duty officer.
async fn end(
    tx: &mut Tx,
    message: &Message<'_>,
    found: Option<Referenced>,
) -> Result<Taken, CapError> {
    let app = message.app;
    let Some(found) = found else {
        return Err(CapError::Refused(vec![Fault::new(
            "/alert/references",
            "reference-unknown",
            "所引用的信息未收到过，无法解除或撤销",
            "what it refers to never came in: there is nothing to lift or withdraw",
        )]));
    };
    let how = match message.meaning.purpose {
        Some(Purpose::Lifted) => Some(Closure::Lifted),
        Some(Purpose::Withdrawn) => Some(Closure::Withdrawn),
        Some(Purpose::Alert | Purpose::Update | Purpose::MinorUpdate) | None => None,
    };
    store::alerts::hold_chain(tx, &found.alert.chain).await?;
    let live = close::live_member(tx, &found.alert).await.ok();
    if let (Some(how), Some((live, members))) = (how, &live)
        && is_ruled(tx, message, live).await?
    {
        let reason = message.alert.note.clone().unwrap_or_else(|| "CAP Cancel".to_owned());
        let reason = if reason.trim().is_empty() { "CAP Cancel".to_owned() } else { reason };
        let actor = message.actor.id;
        let closed =
            close::close_chain(tx, app, actor, live.clone(), members, how, None, &reason).await?;
        return Ok(taken(message, "closed", Some(closed.id), Vec::new()));
    }
    let target = live.map_or(found.alert, |(live, _)| live);
    let is_over = !matches!(target.lifecycle, Lifecycle::Issued(_));
    let detail = json!({
        "closure": how,
        "is_time_mismatched": found.is_mismatched,
        "note": message.alert.note,
        "is_over": is_over,
    });
    let attention = json!({
        "type": "cap_closing_proposed",
        "alert": target.id,
        "closure": how,
        "is_over": is_over,
    });
    events::push(tx, app.now(), events::Topic::Attention, target.region, &attention).await?;
    announce(tx, app, message.actor.id, &target, "cap_closing_proposed", detail).await?;
    Ok(taken(message, "closing_proposed", Some(target.id), Vec::new()))
}

/// Whether the rule that issued `live` still stands for this token and sender.
async fn is_ruled(tx: &mut Tx, message: &Message<'_>, live: &Alert) -> Result<bool, CapError> {
    let Some(rule) = rule_of(live) else { return Ok(false) };
    let token = message.actor.id.to_string();
    let rules = store::auto_issue_rules::active(tx, &token, message.app.now()).await?;
    Ok(rules.iter().any(|own| own.id == rule && own.limits.sender == message.alert.sender))
}
