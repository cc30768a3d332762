//! Updates, liftings and withdrawals: who may end whose alert, and whether the words are needed.
//!
//! An alert is named by (sender, identifier, sent) and digest. Who may end it is decided by the
//! region in the certificate: the issuer's or one above, never by the key. Alerts joined by
//! references form a chain: closing any member closes all, and of its updates the newest stays.
//! What becomes of an alert follows from what has arrived, not from the order of arrival: each
//! order that joins a chain has all of it judged anew.
//!
//! References take effect whatever becomes of the order that makes them: a terminal that an update
//! leaves out must fall silent, although the update's own words are not for it.
//!
//! **Whether a closing speaks.** It speaks unless this journal proves that nothing of its chain
//! ever sounded here: the journal is older than the alert (so the alert would be known, had it
//! come) and holds no start of it. Nobody here needs to be told that the danger they never heard
//! of is over; but after a lost journal the correction must be heard.
//!
//! **A minor update** is silent where a sounding of its predecessor has finished; the predecessor
//! then keeps its remaining repeats, since the change is of no consequence to the listener.

use std::time::Duration;

use protocols::alert::{AlertKey, AlertReference};
use protocols::digest::Digest;
use protocols::limits::EXPIRY_MAX_H;
use protocols::order::{Order, Purpose};
use protocols::receipt::{Reason, Receipt, ReceiptState};
use protocols::wire::KeyId;

use super::Engine;
use super::clock::later;
use super::journal::{AlertEnd, Entry, KnownAlert, Mark};
use super::step::Effect;

/// What an order does besides being held.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Facts before the order itself, so that its alert is known when it is taken in.
    pub before: Vec<Entry>,
    /// Alerts and orders that end by it, with their receipts.
    pub ends: Vec<Entry>,
    /// Facts and receipts after it.
    pub after: Vec<Entry>,
    pub effects: Vec<Effect>,
    /// Why it will never sound, if so.
    pub refused: Option<Reason>,
    /// It is held, and never sounds.
    pub is_silent: bool,
}

/// The alerts that an order names, as far as they are known here.
struct Named<'o> {
    /// Known, and its signer may end them.
    own: Vec<&'o AlertReference>,
    /// Not here yet: judged when they come.
    unknown: Vec<&'o AlertReference>,
    /// Known, and its signer may not end them.
    n_strays: usize,
}

impl Engine {
    /// Judges an order against the alerts it names and those that named it. `is_meant` says whether
    /// its words are for this terminal.
    pub(super) fn weigh_references(
        &mut self,
        digest: Digest,
        order: &Order,
        key_id: KeyId,
        is_meant: bool,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let (named_over, strays) = self.settle_marks(order, &mut outcome);
        let named = self.named(order);
        let mut known = self.known(order, &named);
        let members = self.state.chain(&known, &strays);
        let over = self.is_over(order, &known, &members, named_over);
        known.end = known.end.or(over);
        outcome.before.push(Entry::Alert(known.clone()));
        for reference in &named.unknown {
            outcome.after.push(Entry::Mark(Mark {
                reference: (*reference).clone(),
                authority: known.authority,
                key_id,
                order: digest,
                alert: order.alert.clone(),
                is_closing: known.end == Some(AlertEnd::Closed),
                forget_at: known.forget_at,
            }));
        }
        let is_stray = named.n_strays > 0 && named.own.is_empty() && named.unknown.is_empty();
        outcome.refused = if is_stray {
            Some(Reason::StrayCancel)
        } else {
            over.is_some().then_some(Reason::Superseded)
        };
        if named.n_strays > 0 && !is_stray {
            outcome.effects.push(Effect::Count(Reason::StrayCancel, Some(digest)));
        }
        outcome.is_silent =
            outcome.refused.is_none() && is_meant && self.is_unneeded(order, &named, &members);
        let is_kept = outcome.is_silent && order.purpose == Purpose::MinorUpdate;
        // Another part of the same alert may be for this terminal; then that part has decided.
        let is_decided =
            !is_meant && self.state.orders.values().any(|held| held.order.alert == order.alert);
        if !is_kept && !is_decided {
            self.end_members(&known, &members, &mut outcome);
        }
        if outcome.is_silent {
            self.stay_silent(digest, order, &mut outcome);
        }
        outcome
    }

    /// Cancels and updates that came before this alert: they count if their signer may. How the
    /// alert ended by them, and the alerts that named it without right.
    fn settle_marks(
        &mut self,
        order: &Order,
        outcome: &mut Outcome,
    ) -> (Option<AlertEnd>, Vec<AlertKey>) {
        let naming = |mark: &&Mark| mark.reference.key == order.alert;
        let marks: Vec<_> = self.state.marks.iter().filter(naming).cloned().collect();
        let (counting, strays): (Vec<_>, Vec<_>) = marks.into_iter().partition(|mark| {
            mark.authority.contains(order.stream.authority)
                && mark.reference.digest == order.alert_digest
        });
        let stray_alerts = strays.iter().map(|mark| mark.alert.clone()).collect();
        for mark in strays {
            outcome.before.push(Entry::Unmark(mark.order, order.alert.clone()));
            outcome.effects.push(Effect::Count(Reason::StrayCancel, Some(mark.order)));
            if let Some(known) = self.state.alerts.get(&mark.alert) {
                let mut known = known.clone();
                known.links.retain(|link| *link != order.alert);
                outcome.before.push(Entry::Alert(known));
            }
            if self.is_all_stray(mark.order, order) {
                outcome.ends.push(Entry::Ended(mark.order, Reason::StrayCancel));
            }
            if self.may_report(Reason::StrayCancel, Some(mark.key_id)) {
                let receipt = self.receipt(mark.order, Some(mark.alert), ReceiptState::Refused);
                let reason = Some(Reason::StrayCancel);
                outcome.after.push(Entry::Receipt(Receipt { reason, ..receipt }));
            }
        }
        let is_closed = counting.iter().any(|mark| mark.is_closing);
        let end = if is_closed { AlertEnd::Closed } else { AlertEnd::Updated };
        ((!counting.is_empty()).then_some(end), stray_alerts)
    }

    /// Whether a held order that named `newcomer` without right names nothing by right: had it come
    /// second, it would have been refused.
    fn is_all_stray(&self, digest: Digest, newcomer: &Order) -> bool {
        let Some(held) = self.state.orders.get(&digest) else { return false };
        let is_stray = |reference: &AlertReference| {
            reference.key == newcomer.alert
                || self.may_end(&held.order, reference).is_some_and(|may| !may)
        };
        held.progress.ended.is_none() && held.order.references.iter().all(is_stray)
    }

    /// Whether the order's signer may end what it names; `None` while that is not here.
    fn may_end(&self, order: &Order, reference: &AlertReference) -> Option<bool> {
        let known = self.state.alerts.get(&reference.key)?;
        Some(known.digest == reference.digest && order.stream.authority.contains(known.authority))
    }

    fn named<'o>(&self, order: &'o Order) -> Named<'o> {
        let mut named = Named { own: Vec::new(), unknown: Vec::new(), n_strays: 0 };
        // An order that names its own alert says nothing.
        for reference in order.references.iter().filter(|r| r.key != order.alert) {
            match self.may_end(order, reference) {
                Some(true) => named.own.push(reference),
                Some(false) => named.n_strays += 1,
                None => named.unknown.push(reference),
            }
        }
        named
    }

    /// How an alert ended before it came: closed with its chain, or overtaken by a newer update.
    fn is_over(
        &self,
        order: &Order,
        known: &KnownAlert,
        members: &[AlertKey],
        named_over: Option<AlertEnd>,
    ) -> Option<AlertEnd> {
        if order.purpose.is_closing() {
            return named_over.map(|_| AlertEnd::Closed);
        }
        let before = self.state.alerts.get(&order.alert).and_then(|before| before.end);
        let others = members.iter().filter_map(|key| self.state.alerts.get(key));
        let ends = [named_over, before, end_of(known, others)];
        ends.into_iter().flatten().max()
    }

    /// Whether nobody here needs its words.
    fn is_unneeded(&self, order: &Order, named: &Named<'_>, members: &[AlertKey]) -> bool {
        let mut known = members.iter().filter_map(|key| self.state.alerts.get(key));
        match order.purpose {
            Purpose::Alert | Purpose::Update => false,
            Purpose::MinorUpdate => known.any(|alert| alert.has_finished && alert.end.is_none()),
            Purpose::Lifted | Purpose::Withdrawn => {
                let since = self.state.complete_since;
                let knew = |key: &AlertKey| since.is_some_and(|since| key.sent >= since);
                !known.any(|alert| alert.has_started)
                    && named.unknown.iter().all(|reference| knew(&reference.key))
            }
        }
    }

    /// Ends every member of the chain that is closed or overtaken now that `newcomer` is known.
    fn end_members(&self, newcomer: &KnownAlert, members: &[AlertKey], outcome: &mut Outcome) {
        let chain = || {
            let known = members.iter().filter_map(|key| self.state.alerts.get(key));
            known.chain([newcomer])
        };
        for member in chain().filter(|member| member.key != newcomer.key) {
            match end_of(member, chain()) {
                Some(end) if member.end.is_none_or(|before| before < end) => {
                    outcome.ends.push(Entry::AlertEnded(member.key.clone(), end));
                    self.end_orders(&member.key, end, outcome);
                }
                Some(_) | None => {}
            }
        }
        // Orders of the newcomer's own alert that came before this one, when it is over.
        if let Some(end) = newcomer.end.filter(|_| outcome.refused == Some(Reason::Superseded)) {
            self.end_orders(&newcomer.key, end, outcome);
        }
    }

    fn end_orders(&self, alert: &AlertKey, end: AlertEnd, outcome: &mut Outcome) {
        let reason = match end {
            AlertEnd::Updated => Reason::Updated,
            AlertEnd::Closed => Reason::Cancelled,
        };
        let running = self.player.sounding();
        for (digest, held) in &self.state.orders {
            if held.order.alert != *alert || held.progress.ended.is_some() {
                continue;
            }
            outcome.ends.push(Entry::Ended(*digest, reason));
            // What sounds now is cut and reported with its evidence.
            if running == Some(*digest) || !held.is_live() {
                continue;
            }
            let (state, reason) = if held.has_started() {
                (ReceiptState::Interrupted, reason)
            } else {
                (ReceiptState::Refused, Reason::Superseded)
            };
            let receipt = self.receipt_of(*digest, state);
            outcome.ends.push(Entry::Receipt(Receipt { reason: Some(reason), ..receipt }));
        }
    }

    fn stay_silent(&self, digest: Digest, order: &Order, outcome: &mut Outcome) {
        let receipt = self.receipt(digest, Some(order.alert.clone()), ReceiptState::Refused);
        let reason = Some(Reason::Unneeded);
        outcome.after.push(Entry::Ended(digest, Reason::Unneeded));
        outcome.after.push(Entry::Receipt(Receipt { reason, ..receipt }));
        outcome.effects.push(Effect::Count(Reason::Unneeded, Some(digest)));
    }

    fn known(&self, order: &Order, named: &Named<'_>) -> KnownAlert {
        let before = self.state.alerts.get(&order.alert);
        let links = named.own.iter().chain(&named.unknown);
        KnownAlert {
            key: order.alert.clone(),
            digest: order.alert_digest,
            authority: order.stream.authority,
            kind: order.kind,
            color: order.color,
            links: links.map(|reference| reference.key.clone()).collect(),
            has_started: before.is_some_and(|known| known.has_started),
            has_finished: before.is_some_and(|known| known.has_finished),
            end: order.purpose.is_closing().then_some(AlertEnd::Closed),
            forget_at: later(order.sent, FORGET_AFTER),
        }
    }
}

/// How `one` ends among the others of its chain: an authority that reaches it has closed the chain,
/// or has said something newer, by its time or by naming it.
fn end_of<'a>(one: &KnownAlert, others: impl Iterator<Item = &'a KnownAlert>) -> Option<AlertEnd> {
    others
        .filter(|other| other.key != one.key && other.authority.contains(one.authority))
        .filter_map(|other| match other.end {
            Some(AlertEnd::Closed) => Some(AlertEnd::Closed),
            Some(AlertEnd::Updated) | None => {
                let is_newer = other.key.sent > one.key.sent || other.links.contains(&one.key);
                is_newer.then_some(AlertEnd::Updated)
            }
        })
        .max()
}

/// From an order's making to the instant at which nothing that names its alert can be valid: its
/// own longest life, and then that of a last order about it.
const FORGET_AFTER: Duration = Duration::from_hours(2 * EXPIRY_MAX_H as u64);
