//! What of what arrives is believed: the envelope, the signer's scope, the number, the target.
//!
//! A message that is refused changes nothing but counters, and the first of each (reason, signer)
//! a minute gets a receipt. Its number is used up only where the verdict could never change.

use protocols::alert::BroadcastKind;
use protocols::certificate::Certificate;
use protocols::digest::Digest;
use protocols::limits::ORDER_BYTES_MAX;
use protocols::order::{Order, Sequence, Stream};
use protocols::receipt::{Reason, Receipt, ReceiptState};
use protocols::trust::{self, Authentic};
use protocols::wire::{KeyId, MessageType, Sealed, Topic};

use super::Engine;
use super::chain::Outcome;
use super::config::{HELD_ORDERS_MAX, REFUSAL_PAIRS_MAX, REFUSAL_RECEIPT_EVERY};
use super::io::{AckToken, Output};
use super::journal::{Entry, Numbering, Progress};
use super::state::Held;
use super::step::{Effect, Step};
use super::window::{Verdict, Window};

/// A message that is being judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub topic: Topic,
    pub digest: Digest,
    pub ack: AckToken,
}

/// A refusal, as far as one is known about the message.
#[derive(Debug)]
pub(super) struct Refusal {
    pub reason: Reason,
    pub signer: Option<KeyId>,
    pub order: Option<Box<Order>>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, signer: None, order: None }
    }
}

/// What must hold for every numbered message, order or command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbered<'m> {
    pub stream: Stream,
    pub sent: jiff::Timestamp,
    pub certificate: &'m Certificate,
}

impl Engine {
    pub(super) fn on_message(&mut self, topic: &str, payload: Vec<u8>, ack: AckToken) -> Step {
        let digest = Digest::of(&payload);
        let Ok(topic) = topic.parse::<Topic>() else {
            return self.refuse(Arrival::none(digest, ack, &self.config), Reason::Malformed.into());
        };
        let arrival = Arrival { topic, digest, ack };
        let verdict = match topic {
            Topic::RegionOrder(_) | Topic::TerminalOrder(_) => self.on_order(arrival, payload),
            Topic::RegionCommand(_) | Topic::TerminalCommand(_) => {
                self.on_command(arrival, &payload)
            }
            Topic::RegionRevocation(_) => self.on_revocations(arrival, payload),
            Topic::TerminalReply(id) if id == self.config.terminal => {
                Ok(self.on_reply(&payload, ack))
            }
            Topic::TerminalAck(id) if id == self.config.terminal => {
                Ok(self.on_receipt_ack(&payload, ack))
            }
            Topic::TerminalReply(_) | Topic::TerminalAck(_) => Err(Reason::OutOfScope.into()),
            Topic::TerminalHello(_)
            | Topic::TerminalReceipt(_)
            | Topic::TerminalVitals(_)
            | Topic::TerminalStatus(_) => Err(Reason::Malformed.into()),
        };
        verdict.unwrap_or_else(|refusal| self.refuse(arrival, refusal))
    }

    /// Counts, acknowledges, and writes the receipt if it is the first of its kind in a minute.
    pub(super) fn refuse(&mut self, arrival: Arrival, refusal: Refusal) -> Step {
        let Refusal { reason, signer, order } = refusal;
        let count = Effect::Count(reason, Some(arrival.digest));
        let mut step = Step::default().effect(count).out(Output::Ack(arrival.ack));
        if self.may_report(reason, signer) {
            let is_failure = reason == Reason::TooManyOrders;
            let state = if is_failure { ReceiptState::Failed } else { ReceiptState::Refused };
            let receipt = self.receipt(arrival.digest, order.map(|order| order.alert), state);
            step = step.entry(Entry::Receipt(Receipt { reason: Some(reason), ..receipt }));
        }
        step
    }

    pub(super) fn may_report(&mut self, reason: Reason, signer: Option<KeyId>) -> bool {
        let uptime = self.now.uptime;
        self.refusals.retain(|_, at| uptime < at.saturating_add(REFUSAL_RECEIPT_EVERY));
        if self.refusals.len() >= REFUSAL_PAIRS_MAX || self.refusals.contains_key(&(reason, signer))
        {
            return false;
        }
        self.refusals.insert((reason, signer), uptime);
        true
    }

    /// Opens a numbered message and checks that its signer may speak to this terminal.
    pub(super) fn open_signed<T>(
        &self,
        payload: &[u8],
        kind: MessageType,
    ) -> Result<(Authentic<T>, Stream), Refusal>
    where
        T: for<'b> minicbor::Decode<'b, ()>,
    {
        let now = (!self.clock.is_unsure()).then(|| self.time());
        let revoked = &self.state.revoked;
        let opened =
            trust::open::<T>(payload, ORDER_BYTES_MAX, kind, &self.config.roots, revoked, now);
        let authentic = opened.map_err(|error| Refusal::from(error.reason()))?;
        let sealed = Sealed::parse(payload, ORDER_BYTES_MAX).map_err(|_| Reason::Malformed)?;
        let stream = sealed.stream().ok_or(Reason::Malformed)?;
        Ok((authentic, stream))
    }

    /// Stream, scope and validity of a numbered message against certificate and topic.
    pub(super) fn check_scope(
        &self,
        arrival: Arrival,
        header: Stream,
        message: Numbered<'_>,
    ) -> Result<(), Reason> {
        let Numbered { stream, certificate, .. } = message;
        let village = self.config.terminal.village();
        if header != stream
            || certificate.region != stream.authority
            || !stream.authority.contains(village)
            || !stream.topic.contains(village)
        {
            return Err(Reason::OutOfScope);
        }
        let is_on_its_topic = match arrival.topic {
            Topic::RegionOrder(region) | Topic::RegionCommand(region) => region == stream.topic,
            Topic::TerminalOrder(id) | Topic::TerminalCommand(id) => id == self.config.terminal,
            Topic::RegionRevocation(_)
            | Topic::TerminalReply(_)
            | Topic::TerminalAck(_)
            | Topic::TerminalHello(_)
            | Topic::TerminalReceipt(_)
            | Topic::TerminalVitals(_)
            | Topic::TerminalStatus(_) => false,
        };
        if !is_on_its_topic {
            return Err(Reason::OutOfScope);
        }
        // Also bounds how far a signer can push the time floor.
        let validity = certificate.not_before..certificate.not_after;
        if !validity.contains(&message.sent) {
            return Err(Reason::CertificateExpired);
        }
        Ok(())
    }

    /// The number's verdict; `Ok(None)` for a duplicate.
    pub(super) fn judge_number(
        &self,
        numbering: Numbering,
        stream: Stream,
        sequence: Sequence,
        digest: Digest,
    ) -> Result<Option<bool>, Reason> {
        let empty = Window::default();
        let window = self.state.windows.get(&(numbering, stream)).unwrap_or(&empty);
        match window.judge(sequence, digest) {
            Verdict::Fresh { is_ahead } => Ok(Some(is_ahead)),
            Verdict::Duplicate => Ok(None),
            Verdict::Tampered => Err(Reason::Tampered),
            Verdict::BelowWindow => Err(Reason::BelowWindow),
        }
    }

    fn on_order(&mut self, arrival: Arrival, payload: Vec<u8>) -> Result<Step, Refusal> {
        let (authentic, header) = self.open_signed::<Order>(&payload, MessageType::Order)?;
        let Authentic { message: order, certificate, key_id } = authentic;
        let refuse = |reason, order: &Order| Refusal {
            reason,
            signer: Some(key_id),
            order: Some(Box::new(order.clone())),
        };
        let numbered =
            Numbered { stream: order.stream, sent: order.sent, certificate: &certificate };
        self.check_scope(arrival, header, numbered).map_err(|reason| refuse(reason, &order))?;
        // Live talk happens on site, by hand; no order can be it.
        if order.validate().is_err() || order.kind == BroadcastKind::LiveTalk {
            return Err(refuse(Reason::Invalid, &order));
        }
        let number =
            self.judge_number(Numbering::Orders, order.stream, order.sequence, arrival.digest);
        let Some(is_ahead) = number.map_err(|reason| refuse(reason, &order))? else {
            return Ok(Step::default().out(Output::Ack(arrival.ack)));
        };
        let is_fresh = is_ahead && order.sent >= self.clock.floor(self.now);
        self.clock.raise(self.now, order.sent);
        self.check_life(&order).map_err(|reason| refuse(reason, &order))?;
        let is_meant = order.target.includes(self.config.terminal, self.config.position);
        if !is_meant && order.references.is_empty() {
            return Ok(self.out_of_area(arrival, &order, Outcome::default()));
        }
        let outcome = self.weigh_references(arrival.digest, &order, key_id, is_meant);
        if let Some(reason) = outcome.refused {
            // A verdict for good: the number is used up.
            return Ok(self.refuse_for_good(arrival, refuse(reason, &order), outcome));
        }
        if !is_meant {
            return Ok(self.out_of_area(arrival, &order, outcome));
        }
        if let Err(reason) = self.check_drill(&order) {
            let step = self.refuse(arrival, refuse(reason, &order));
            return Ok(step.with_references(&order, outcome));
        }
        let step = self.accept(arrival, payload, &order, key_id, outcome);
        if self.clock.is_unsure() && is_fresh {
            self.fresh.insert(arrival.digest);
        }
        Ok(step)
    }

    fn check_life(&self, order: &Order) -> Result<(), Reason> {
        if order.expires <= self.time() {
            return Err(Reason::Expired);
        }
        let known = self.state.alerts.get(&order.alert);
        if known.is_some_and(|known| known.digest != order.alert_digest) {
            return Err(Reason::Tampered);
        }
        Ok(())
    }

    fn check_drill(&self, order: &Order) -> Result<(), Reason> {
        let Some(drill) = &order.drill else { return Ok(()) };
        let time = self.time();
        let is_enrolled = self.state.enrolments.iter().any(|enrolment| {
            enrolment.drill == *drill
                && enrolment.authority.contains(order.stream.authority)
                && enrolment.from <= time
                && time < enrolment.until
                && enrolment.suspended_at.is_none_or(|at| order.sent > at)
        });
        if is_enrolled { Ok(()) } else { Err(Reason::NotInDrill) }
    }

    fn refuse_for_good(&mut self, arrival: Arrival, refusal: Refusal, outcome: Outcome) -> Step {
        let order = refusal.order.clone();
        let mut step = self.refuse(arrival, refusal);
        let Some(order) = order else { return step };
        step.entries.push(seen(&order, arrival.digest));
        step.with_references(&order, outcome)
    }

    /// Not meant: a counter, or, where the order asks, receipts, once. What it ends, it ends.
    fn out_of_area(&self, arrival: Arrival, order: &Order, outcome: Outcome) -> Step {
        let mut step = Step::default()
            .effect(Effect::Count(Reason::OutOfArea, Some(arrival.digest)))
            .out(Output::Ack(arrival.ack));
        if order.wants_out_of_area || !order.references.is_empty() {
            step = step.entry(seen(order, arrival.digest));
        }
        if order.wants_out_of_area {
            let receipt = |state| self.receipt(arrival.digest, Some(order.alert.clone()), state);
            let reason = Some(Reason::OutOfArea);
            let refused = Receipt { reason, ..receipt(ReceiptState::Refused) };
            step = step
                .entry(Entry::Receipt(receipt(ReceiptState::Accepted)))
                .entry(Entry::Receipt(refused));
        }
        step.with_references(order, outcome)
    }

    /// Everything about the bytes is right, and they are meant for this terminal.
    fn accept(
        &mut self,
        arrival: Arrival,
        payload: Vec<u8>,
        order: &Order,
        key_id: KeyId,
        outcome: Outcome,
    ) -> Step {
        let mut step = Step::default();
        if self.state.orders.len() >= HELD_ORDERS_MAX {
            let Some(room) = self.make_room(order) else {
                let refusal = Refusal {
                    reason: Reason::TooManyOrders,
                    signer: Some(key_id),
                    order: Some(Box::new(order.clone())),
                };
                return self.refuse(arrival, refusal).with_references(order, outcome);
            };
            step = room;
        }
        let alert = Some(order.alert.clone());
        let failed = Receipt {
            reason: Some(Reason::JournalFull),
            ..self.receipt(arrival.digest, alert.clone(), ReceiptState::Failed)
        };
        let instead = outcome.ends.iter().cloned().chain([Entry::Receipt(failed)]);
        step.only_on_disk = Some(instead.collect());
        step.entries.extend(outcome.before);
        step = step.entry(Entry::Order {
            sealed: payload.into(),
            received_at: self.time(),
            progress: Progress::default(),
        });
        for state in [ReceiptState::Accepted, ReceiptState::Verified] {
            let receipt = self.receipt(arrival.digest, alert.clone(), state);
            step = step.entry(Entry::Receipt(receipt));
        }
        step.entries.extend(outcome.ends);
        step.entries.extend(outcome.after);
        step.effects.extend(outcome.effects);
        if !outcome.is_silent {
            let fetches = self.fetches(order, self.time());
            self.outputs.extend(fetches);
        }
        step.out(Output::Ack(arrival.ack))
    }

    /// Room for one more: a finished or ended order goes unseen; else the least one, if it is less
    /// than the new one, with a receipt.
    fn make_room(&self, newcomer: &Order) -> Option<Step> {
        let running = self.player.sounding();
        let mut idle = self.state.orders.iter().filter(|(digest, _)| Some(**digest) != running);
        if let Some((digest, _)) = idle.clone().find(|(_, held)| !held.is_live()) {
            return Some(Step::default().entry(Entry::Dropped(*digest)));
        }
        let least = |held: &Held, digest: Digest| held.priority(digest);
        let (digest, held) = idle.by_ref().min_by_key(|(digest, held)| least(held, **digest))?;
        if (held.place.kind, held.place.color) >= (newcomer.kind, newcomer.color) {
            return None;
        }
        let receipt = self.receipt_of(*digest, ReceiptState::Failed);
        Some(
            Step::default()
                .entry(Entry::Dropped(*digest))
                .entry(Entry::Receipt(Receipt { reason: Some(Reason::TooManyOrders), ..receipt }))
                .effect(Effect::Count(Reason::TooManyOrders, Some(*digest))),
        )
    }
}

/// The number of an order is used up.
const fn seen(order: &Order, digest: Digest) -> Entry {
    Entry::Seen(Numbering::Orders, order.stream, order.sequence, digest)
}

impl Step {
    /// With what the references of an order do, though the order itself is not held.
    fn with_references(mut self, order: &Order, outcome: Outcome) -> Self {
        if order.references.is_empty() && outcome.refused.is_none() {
            return self;
        }
        self.entries.extend(outcome.before);
        self.entries.extend(outcome.ends);
        self.entries.extend(outcome.after);
        self.effects.extend(outcome.effects);
        self
    }
}

impl Arrival {
    /// A message on a topic that is none of ours.
    fn none(digest: Digest, ack: AckToken, config: &super::Config) -> Self {
        Self { topic: Topic::TerminalStatus(config.terminal), digest, ack }
    }
}
