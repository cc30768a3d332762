//! Numbers, signs and keeps the orders of an issue or an end, with a delivery row for each terminal
//! that they mean.

use jiff::{SignedDuration, Timestamp};
use protocols::alert::{AlertColor, AlertKey, AlertReference, BroadcastKind, EventCode};
use protocols::area::Target;
use protocols::digest::Digest;
use protocols::hazard;
use protocols::limits;
use protocols::order::{
    ClipReference, Order, Outputs, Purpose, Repeats, Sequence, SpokenText, Stream,
};
use protocols::region::RegionCode;
use protocols::wire::{self, MessageType};

use super::AlertError;
use crate::app::clips;
use crate::context::App;
use crate::domain::alert::record::Alert;
use crate::domain::alert::validation;
use crate::domain::fault::Fault;
use crate::domain::targeting::ResolvedOrder;
use crate::store::orders::{NewOrder, StreamKind};
use crate::store::{self, StoreError, Tx};
use crate::trace::{self, Trace};

/// Bytes by which an estimate may be short: lengths in CBOR headers grow with what they count.
const SLACK_BYTES: usize = 16;

/// Everything that the orders of one issue or end have in common.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Identity of the message.
    pub key: AlertKey,
    /// Digest of its CAP document.
    pub digest: Digest,
    /// What it does.
    pub purpose: Purpose,
    /// The members of the chain that it acts on.
    pub references: Vec<AlertReference>,
    /// What it is for.
    pub kind: BroadcastKind,
    /// Its colour.
    pub color: Option<AlertColor>,
    /// Its hazard.
    pub event: EventCode,
    /// People are told to leave.
    pub is_move_out: bool,
    /// When the orders are made.
    pub sent: Timestamp,
    /// When they end.
    pub expires: Timestamp,
    /// The common start.
    pub play_at: Option<Timestamp>,
    /// The words.
    pub texts: Vec<SpokenText>,
    /// How often.
    pub repeats: Repeats,
    /// The drill.
    pub drill: Option<String>,
    /// Whether terminals that are not meant answer.
    pub wants_out_of_area: bool,
    /// One trace from the press to the horn.
    pub trace: [u8; 16],
}

/// The hazard of a content that has none yet: `19000`, other.
pub fn event_or_other(event: Option<EventCode>) -> EventCode {
    event.unwrap_or_else(|| hazard::hazard("19000".parse().expect("a code of the table")).event())
}

/// The instant by which a new member of a chain is known: a whole second, since CAP has no
/// fractions, and later than every member before it, though that be a second ahead of the clock.
pub fn sent_at(now: Timestamp, members: &[Alert]) -> Timestamp {
    let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let last = members.iter().filter_map(|member| member.sent).max();
    last.map_or(second, |last| second.max(last + SignedDuration::from_secs(1)))
}

/// The issued members of a chain as orders name them.
pub fn references(members: &[Alert]) -> Vec<AlertReference> {
    let named = members.iter().filter_map(|member| {
        Some(AlertReference { key: member.key()?, digest: member.cap_digest? })
    });
    let mut references = named.collect::<Vec<_>>();
    let surplus = references.len().saturating_sub(limits::REFERENCES_MAX);
    references.drain(..surplus);
    references
}

/// What issuing `alert` does to the members before it.
pub fn purpose(alert: &Alert) -> Purpose {
    match (&alert.predecessor, alert.content.is_minor) {
        (None, _) => Purpose::Alert,
        (Some(_), false) => Purpose::Update,
        (Some(_), true) => Purpose::MinorUpdate,
    }
}

impl Plan {
    /// The plan of an issue of `alert` at `sent`, without clips.
    pub fn issue(
        app: &App,
        alert: &Alert,
        members: &[Alert],
        key: AlertKey,
        sent: Timestamp,
    ) -> Self {
        let content = &alert.content;
        Self {
            key,
            digest: Digest([0; 32]),
            purpose: purpose(alert),
            references: references(members),
            kind: content.kind,
            color: content.color,
            event: event_or_other(content.event),
            is_move_out: content.does_move_out(),
            sent,
            expires: validation::expiry(content, sent),
            play_at: content.play_at,
            texts: content
                .texts
                .iter()
                .map(|text| SpokenText {
                    language: text.language.clone(),
                    text: text.spoken(),
                    clip: None,
                })
                .collect(),
            repeats: content.repeats,
            drill: content.drill.clone(),
            wants_out_of_area: content.wants_out_of_area,
            trace: trace::current().map_or_else(|| app.ports.bytes(), Trace::bytes),
        }
    }

    /// As large as the issue of `alert` will be at most, clips included: what room is measured by.
    pub fn rehearsal(app: &App, alert: &Alert, members: &[Alert]) -> Self {
        let now = app.now();
        let key =
            AlertKey { sender: alert.sender.clone(), identifier: alert.id.clone(), sent: now };
        let mut plan = Self::issue(app, alert, members, key, now);
        let clip =
            ClipReference { digest: Digest([0; 32]), bytes: u32::MAX, duration_ms: u32::MAX };
        for text in &mut plan.texts {
            text.clip = Some(clip.clone());
        }
        plan
    }

    fn order(
        &self,
        authority: RegionCode,
        topic: RegionCode,
        sequence: Sequence,
        target: Target,
    ) -> Order {
        Order {
            alert: self.key.clone(),
            alert_digest: self.digest,
            stream: Stream { authority, topic },
            sequence,
            level: authority.level(),
            purpose: self.purpose,
            references: self.references.clone(),
            kind: self.kind,
            color: self.color,
            event: self.event,
            sent: self.sent,
            expires: self.expires,
            play_at: self.play_at,
            target,
            texts: self.texts.clone(),
            repeats: self.repeats,
            outputs: Outputs::PLAY,
            drill: self.drill.clone(),
            wants_out_of_area: self.wants_out_of_area,
            trace: Some(self.trace),
        }
    }
}

/// Looks up the clips that were made of the words; where there is none the order goes on without.
pub async fn attach_clips(tx: &mut Tx, app: &App, plan: &mut Plan) -> Result<(), StoreError> {
    for text in &mut plan.texts {
        text.clip = clips::kept(app, tx, &text.language, &text.text).await?;
    }
    Ok(())
}

/// Bytes that a sealed order of this plan leaves for its target.
pub fn room(app: &App, plan: &Plan) -> usize {
    let region = app.region();
    let highest = Sequence { epoch: u32::MAX, number: u64::MAX };
    let order = plan.order(region, region, highest, Target::default());
    let stream = Some(order.stream);
    let sealed = app.signer.sealed_bytes(MessageType::Order, stream, wire::encode(&order));
    let empty = wire::encode(&Target::default()).len();
    (limits::ORDER_BYTES_MAX + empty).saturating_sub(sealed + SLACK_BYTES)
}

/// Numbers, signs and keeps one order a topic with the rows of its deliveries. `orders` come in the
/// order of their topics, so that two transactions never wait for each other's streams crosswise.
pub async fn keep(
    tx: &mut Tx,
    app: &App,
    alert: &str,
    plan: &Plan,
    orders: &[ResolvedOrder],
) -> Result<(), AlertError> {
    let authority = app.region();
    for resolved in orders {
        let stream = Stream { authority, topic: resolved.topic };
        let sequence = store::orders::take_number(tx, stream, StreamKind::Order).await?;
        let order = plan.order(authority, resolved.topic, sequence, resolved.target.clone());
        order.validate().map_err(|fault| {
            let (field, reason) = (fault.field, fault.reason);
            AlertError::Faults(vec![Fault::new(
                format!("/{field}"),
                "order-invalid",
                format!("播发指令不合规（{field}）：{reason}"),
                format!("the order is not well-formed: {field}: {reason}"),
            )])
        })?;
        let sealed = app.seal(MessageType::Order, Some(stream), wire::encode(&order))?;
        if sealed.len() > limits::ORDER_BYTES_MAX {
            return Err(too_large(sealed.len()));
        }
        let id = app.id().to_string();
        let row = NewOrder {
            id: id.clone(),
            alert: alert.to_owned(),
            stream,
            sequence,
            purpose: plan.purpose,
            target: resolved.target.clone(),
            sealed,
            created_at: plan.sent,
            expires_at: plan.expires,
        };
        store::orders::insert(tx, &row).await?;
        for terminal in &resolved.terminals {
            store::orders::insert_delivery(tx, alert, &id, *terminal, plan.sent).await?;
        }
    }
    Ok(())
}

fn too_large(bytes: usize) -> AlertError {
    let max = limits::ORDER_BYTES_MAX;
    AlertError::Faults(vec![Fault::new(
        "/texts",
        "order-too-large",
        format!("播发指令 {bytes} 字节，超过 {max} 字节，请缩短文字"),
        format!("an order has {bytes} bytes and {max} at most: shorten the texts"),
    )])
}
