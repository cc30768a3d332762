//! Updates, liftings and withdrawals: who may end whose alert, and whether the words are needed.
//!
//! An alert is named by (sender, identifier, sent) and digest. Who may end it is decided by the
//! region in the certificate: the issuer's or one above, never by the key. Alerts joined by
//! references form a chain; closing any member closes all.
//!
//! **Whether a closing speaks.** It speaks unless this journal proves that nothing of its chain
//! ever sounded here: the journal is older than the alert (so the alert would be known, had it
//! come) and holds no start of it. Nobody here needs to be told that the danger they never heard
//! of is over; but after a lost journal the correction must be heard.
//!
//! **A minor update** is silent where a sounding of its predecessor has finished; the predecessor
//! then keeps its remaining repeats, since the change is of no consequence to the listener.

use std::time::Duration;

use protocols::alert::AlertKey;
use protocols::digest::Digest;
use protocols::limits::EXPIRY_MAX_H;
use protocols::order::{Order, Purpose};
use protocols::receipt::{Reason, Receipt, ReceiptState};
use protocols::wire::KeyId;

use super::Engine;
use super::clock::later;
use super::journal::{AlertEnd, Entry, KnownAlert, Mark};
use super::step::Effect;

/// What an accepted order does besides being held.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Facts before the order itself, so that its alert is known when it is taken in.
    pub before: Vec<Entry>,
    /// Facts and receipts after it.
    pub after: Vec<Entry>,
    pub effects: Vec<Effect>,
    /// It is held, and never sounds.
    pub is_silent: bool,
}

impl Engine {
    /// Judges an order against the alerts it names and those that named it.
    pub(super) fn join_chain(
        &mut self,
        digest: Digest,
        order: &Order,
        key_id: KeyId,
    ) -> Result<Outcome, Reason> {
        let mut outcome = Outcome::default();
        self.weigh_marks(order, &mut outcome)?;
        let authority = order.stream.authority;
        let mut members: Vec<AlertKey> = Vec::new();
        let mut unknown = Vec::new();
        for reference in &order.references {
            match self.state.alerts.get(&reference.key) {
                None => unknown.push(reference),
                Some(known)
                    if known.digest == reference.digest && authority.contains(known.authority) =>
                {
                    members.extend(self.state.chain(&reference.key));
                }
                Some(_) => return Err(Reason::StrayCancel),
            }
        }
        // The order's own alert may already be known under another order of the same alert.
        members.retain(|member| *member != order.alert);
        members.sort_unstable();
        members.dedup();
        self.check_not_overtaken(order, &members)?;
        outcome.before.push(Entry::Alert(self.known(order)));
        for reference in &unknown {
            outcome.after.push(Entry::Mark(Mark {
                reference: (*reference).clone(),
                authority,
                key_id,
                order: digest,
                alert: order.alert.clone(),
                is_closing: order.purpose.is_closing(),
                forget_at: later(order.sent, FORGET_AFTER),
            }));
        }
        let knew_all =
            |key: &AlertKey| self.state.complete_since.is_some_and(|since| key.sent >= since);
        let has_sounded =
            |key: &AlertKey| self.state.alerts.get(key).is_some_and(|alert| alert.has_started);
        outcome.is_silent = match order.purpose {
            Purpose::Alert | Purpose::Update => false,
            Purpose::MinorUpdate => members
                .iter()
                .any(|key| self.state.alerts.get(key).is_some_and(|alert| alert.has_finished)),
            Purpose::Lifted | Purpose::Withdrawn => {
                !members.iter().any(has_sounded)
                    && unknown.iter().all(|reference| knew_all(&reference.key))
            }
        };
        if outcome.is_silent {
            self.stay_silent(digest, order, &mut outcome);
        }
        if !(outcome.is_silent && order.purpose == Purpose::MinorUpdate) {
            self.end_members(order, &members, &mut outcome);
        }
        Ok(outcome)
    }

    /// Cancels and updates that came before this alert: they count if their signer may.
    fn weigh_marks(&mut self, order: &Order, outcome: &mut Outcome) -> Result<(), Reason> {
        let naming = |mark: &&Mark| mark.reference.key == order.alert;
        let marks: Vec<_> = self.state.marks.iter().filter(naming).cloned().collect();
        for mark in marks {
            let counts = mark.authority.contains(order.stream.authority)
                && mark.reference.digest == order.alert_digest;
            if counts {
                return Err(Reason::Superseded);
            }
            outcome.before.push(Entry::Unmark(mark.order, order.alert.clone()));
            outcome.effects.push(Effect::Count(Reason::StrayCancel, Some(mark.order)));
            if self.may_report(Reason::StrayCancel, Some(mark.key_id)) {
                let receipt = self.receipt(mark.order, Some(mark.alert), ReceiptState::Refused);
                let reason = Some(Reason::StrayCancel);
                outcome.after.push(Entry::Receipt(Receipt { reason, ..receipt }));
            }
        }
        Ok(())
    }

    /// An update of what was closed, or older than another update, comes too late.
    fn check_not_overtaken(&self, order: &Order, members: &[AlertKey]) -> Result<(), Reason> {
        if order.purpose.is_closing() {
            return Ok(());
        }
        let own = self.state.alerts.get(&order.alert).filter(|known| known.end.is_some());
        let is_overtaken = members
            .iter()
            .filter_map(|key| self.state.alerts.get(key))
            .any(|known| known.end == Some(AlertEnd::Closed) || known.key.sent > order.alert.sent);
        if own.is_some() || is_overtaken { Err(Reason::Superseded) } else { Ok(()) }
    }

    fn end_members(&self, order: &Order, members: &[AlertKey], outcome: &mut Outcome) {
        let (end, reason) = if order.purpose.is_closing() {
            (AlertEnd::Closed, Reason::Cancelled)
        } else {
            (AlertEnd::Updated, Reason::Updated)
        };
        let running = self.player.sounding();
        for key in members {
            outcome.after.push(Entry::AlertEnded(key.clone(), end));
        }
        for (digest, held) in &self.state.orders {
            if !members.contains(&held.order.alert) || held.progress.ended.is_some() {
                continue;
            }
            outcome.after.push(Entry::Ended(*digest, reason));
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
            outcome.after.push(Entry::Receipt(Receipt { reason: Some(reason), ..receipt }));
        }
    }

    fn stay_silent(&self, digest: Digest, order: &Order, outcome: &mut Outcome) {
        let receipt = self.receipt(digest, Some(order.alert.clone()), ReceiptState::Refused);
        let reason = Some(Reason::Unneeded);
        outcome.after.push(Entry::Ended(digest, Reason::Unneeded));
        outcome.after.push(Entry::Receipt(Receipt { reason, ..receipt }));
        outcome.effects.push(Effect::Count(Reason::Unneeded, Some(digest)));
    }

    fn known(&self, order: &Order) -> KnownAlert {
        let before = self.state.alerts.get(&order.alert);
        let end = order.purpose.is_closing().then_some(AlertEnd::Closed);
        KnownAlert {
            key: order.alert.clone(),
            digest: order.alert_digest,
            authority: order.stream.authority,
            kind: order.kind,
            color: order.color,
            links: order.references.iter().map(|reference| reference.key.clone()).collect(),
            has_started: before.is_some_and(|known| known.has_started),
            has_finished: before.is_some_and(|known| known.has_finished),
            end,
            forget_at: later(order.sent, FORGET_AFTER),
        }
    }

    /// An alert that came after its own end, joined to the alert that ended it.
    pub(super) fn known_as_over(&self, order: &Order) -> KnownAlert {
        let mut known = self.known(order);
        let naming = self.state.marks.iter().filter(|mark| mark.reference.key == order.alert);
        let mut end = AlertEnd::Updated;
        for mark in naming {
            known.links.push(mark.alert.clone());
            if mark.is_closing {
                end = AlertEnd::Closed;
            }
        }
        let before = self.state.alerts.get(&order.alert).and_then(|before| before.end);
        known.end = before.or(Some(end));
        known
    }
}

/// From an order's making to the instant at which nothing that names its alert can be valid: its
/// own longest life, and then that of a last order about it.
const FORGET_AFTER: Duration = Duration::from_hours(2 * EXPIRY_MAX_H as u64);
