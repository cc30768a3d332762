//! What sounds next, what cuts in, what is cut: the channel of one loudspeaker.
//!
//! Rules of its own beside those of the playout order: a lower order may use the channel between
//! two repeats, but no drill and no test starts while an Actual order has soundings left, since a
//! listener could not tell the two apart; and an Actual sounding suspends every drill and test
//! that has begun here, not only one that it cuts.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::Timestamp;
use protocols::alert::{AlertColor, BroadcastKind};
use protocols::digest::Digest;
use protocols::order::Order;
use protocols::receipt::{Reason, Receipt, ReceiptState};

use super::Engine;
use super::clock::later;
use super::config::{EXPIRY_GRACE_MS, PLAY_LEAD};
use super::io::{CutHow, Output};
use super::journal::{Entry, TestKind};
use super::state::Held;
use super::step::{Effect, Step};

/// How long the first sounding waits for its clip, from receipt.
const fn patience(color: Option<AlertColor>) -> Duration {
    match color {
        Some(AlertColor::Red) => Duration::ZERO,
        Some(AlertColor::Orange) => Duration::from_secs(2),
        Some(AlertColor::Yellow | AlertColor::Blue) | None => Duration::from_secs(10),
    }
}

/// Whether an order may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    Now,
    /// Not before; asked again then.
    At(Timestamp),
    /// It waits for a message or a decision.
    Blocked,
    /// In quiet hours; until then, if the table has an end.
    Quiet(Option<Timestamp>),
}

impl Engine {
    /// The clips an order wants.
    pub(super) fn fetches(&self, order: &Order, received_at: Timestamp) -> Vec<Output> {
        let deadline = later(received_at, patience(order.color));
        let clips = order.texts.iter().filter_map(|words| words.clip.clone());
        let fetch =
            |reference| Output::FetchClip { reference, deadline, keep_until: order.expires };
        clips.filter(|reference| !self.player.has_clip(reference.digest)).map(fetch).collect()
    }

    /// What is due without any input, one step at a time.
    pub(super) fn advance(&mut self) -> Option<Step> {
        if let Some(step) = self.expire() {
            return Some(step);
        }
        if let Some((reason, how)) = self.reason_to_cut() {
            self.cut_running(reason, how);
        }
        if let Some(step) = self.give_up_on_cut() {
            return Some(step);
        }
        self.start().or_else(|| self.start_self_test()).or_else(|| self.upkeep())
    }

    /// An exercise ends with its window, whatever its own expiry; without an enrolment it is over.
    fn expiry(&self, order: &Order) -> Timestamp {
        let Some(drill) = &order.drill else { return order.expires };
        let windows = self.state.enrolments.iter().filter(|e| e.drill == *drill);
        windows.map(|e| e.until).max().unwrap_or(Timestamp::UNIX_EPOCH).min(order.expires)
    }

    fn expire(&mut self) -> Option<Step> {
        let time = self.time();
        let running = self.player.sounding();
        let mut step = Step::default();
        for (digest, held) in &self.state.orders {
            if running == Some(*digest) || time < self.expiry(&held.order) {
                continue;
            }
            step = step.entry(Entry::Dropped(*digest));
            if held.is_live() && !held.has_started() {
                let receipt = Receipt {
                    reason: Some(Reason::Expired),
                    repeat: 0,
                    ..self.receipt_of(*digest, ReceiptState::Refused)
                };
                step = step
                    .entry(Entry::Receipt(receipt))
                    .effect(Effect::Count(Reason::Expired, Some(*digest)));
            }
        }
        if step.entries.is_empty() {
            return None;
        }
        self.player.prune(&self.state.orders);
        self.fresh.retain(|digest| self.state.orders.contains_key(digest));
        Some(step)
    }

    fn is_stopped(&self, order: &Order) -> bool {
        self.state.stops.iter().any(|stop| stop.level >= order.level)
    }

    fn reason_to_cut(&self) -> Option<(Reason, CutHow)> {
        if self.player.is_testing() {
            return self.reason_to_cut_test().map(|reason| (reason, CutHow::Now));
        }
        let running = self.player.sounding()?;
        let held = self.state.orders.get(&running)?;
        if let Some(reason) = held.progress.ended {
            return Some((reason, CutHow::Now));
        }
        if self.is_stopped(&held.order) {
            return Some((Reason::Stopped, CutHow::Now));
        }
        let priority = held.priority(running);
        if let Some((_, better)) = self.best()
            && better.priority(running).cuts_in_on(&priority)
        {
            let is_practice =
                matches!(held.order.kind, BroadcastKind::Exercise | BroadcastKind::Test);
            let reason = if is_practice && better.order.kind == BroadcastKind::Actual {
                Reason::DrillSuspended
            } else {
                Reason::Preempted
            };
            return Some((reason, CutHow::Now));
        }
        let how = CutHow::AtSentenceEnd { within_ms: EXPIRY_GRACE_MS };
        (self.time() >= self.expiry(&held.order)).then_some((Reason::ExpiredWhileSounding, how))
    }

    /// The order that would sound next: the greatest precedence that is ready; among equals the one
    /// that has waited longest, at first the newest.
    fn best(&self) -> Option<(Digest, &Held)> {
        let running = self.player.sounding();
        let ready = self.state.orders.iter().filter(|(digest, held)| {
            Some(**digest) != running && self.readiness(**digest, held) == Some(Readiness::Now)
        });
        let best = ready.max_by_key(|(digest, held)| {
            (held.place, Reverse(held.progress.last_start_at), held.priority(**digest))
        });
        best.map(|(digest, held)| (*digest, held))
    }

    pub(super) fn is_order_ready(&self) -> bool {
        self.best().is_some()
    }

    /// `None`: never again.
    fn readiness(&self, digest: Digest, held: &Held) -> Option<Readiness> {
        let time = self.time();
        let order = &held.order;
        if !held.is_live() || time >= self.expiry(order) {
            return None;
        }
        if self.is_stopped(order) || self.is_blocked_by_doubt(digest, order) {
            return Some(Readiness::Blocked);
        }
        if matches!(order.kind, BroadcastKind::Exercise | BroadcastKind::Test) {
            let is_real =
                |other: &Held| other.order.kind == BroadcastKind::Actual && other.is_live();
            if self.state.orders.values().any(is_real) {
                return Some(Readiness::Blocked);
            }
        }
        let due_at = self.due_at(digest, held);
        if due_at > time {
            return Some(Readiness::At(due_at));
        }
        if !self.config.quiet.may_start(order.kind, order.color, time) {
            let end = self.config.quiet.next_start(order.kind, order.color, time);
            return Some(Readiness::Quiet(end));
        }
        Some(Readiness::Now)
    }

    /// While the time is unsure the answer to the hello is waited for; without one, only an Actual
    /// order above its stream's head sounds.
    fn is_blocked_by_doubt(&self, digest: Digest, order: &Order) -> bool {
        if !self.clock.is_unsure() {
            return false;
        }
        let is_waiting = self.session.patience_ends().is_some_and(|end| self.now.uptime < end);
        is_waiting || order.kind != BroadcastKind::Actual || !self.fresh.contains(&digest)
    }

    fn due_at(&self, digest: Digest, held: &Held) -> Timestamp {
        let (order, progress) = (&held.order, &held.progress);
        let interval = Duration::from_secs(order.repeats.interval_s.into());
        let first =
            order.play_at.map_or(held.received_at, |at| at.checked_sub(PLAY_LEAD).unwrap_or(at));
        let by_repeat = match progress.last_start_at {
            Some(started) if !progress.is_cut => {
                let by_start = later(started, interval);
                match order.play_at {
                    Some(_) => later(first, interval * u32::from(progress.finished)).max(started),
                    None => by_start,
                }
            }
            Some(_) | None => first,
        };
        let mut due = by_repeat.max(progress.muted_until.unwrap_or(by_repeat));
        if !held.has_started() && !self.player.is_settled(order) {
            due = due.max(later(held.received_at, patience(order.color)));
        }
        if let Some(at) = self.player.retry_at(digest) {
            due = due.max(later(self.time(), at.saturating_sub(self.now.uptime)));
        }
        due
    }

    fn start(&self) -> Option<Step> {
        if let Some(step) = self.report_quiet_hours() {
            return Some(step);
        }
        if self.player.is_busy() {
            return None;
        }
        let (digest, held) = self.best()?;
        let mut step = Step::default();
        if held.order.kind == BroadcastKind::Actual {
            step = self.suspend_drills(step);
        }
        step = step.entry(Entry::Started(digest, self.time()));
        if held.progress.failure.is_none_or(|reason| reason == Reason::QuietHours) {
            let receipt = self.receipt_of(digest, ReceiptState::Started);
            step = step.entry(Entry::Receipt(receipt));
        }
        let mut instead = vec![Entry::Cut(digest, None)];
        if held.progress.failure != Some(Reason::JournalFull) {
            instead.extend(self.failure(digest, Reason::JournalFull));
        }
        step.only_on_disk = Some(instead);
        Some(step.effect(Effect::Play(digest)))
    }

    pub(super) fn failure(&self, digest: Digest, reason: Reason) -> [Entry; 2] {
        let receipt = self.receipt_of(digest, ReceiptState::Failed);
        [
            Entry::Failed(digest, Some(reason)),
            Entry::Receipt(Receipt { reason: Some(reason), ..receipt }),
        ]
    }

    /// Says once why an order waits for the morning.
    fn report_quiet_hours(&self) -> Option<Step> {
        let (digest, _) = self.state.orders.iter().find(|(digest, held)| {
            held.progress.failure.is_none()
                && matches!(self.readiness(**digest, held), Some(Readiness::Quiet(_)))
        })?;
        let entries = self.failure(*digest, Reason::QuietHours).to_vec();
        let count = Effect::Count(Reason::QuietHours, Some(*digest));
        Some(Step { entries, effects: vec![count], only_on_disk: None })
    }

    /// A real alert ends every drill and test that has begun here.
    fn suspend_drills(&self, mut step: Step) -> Step {
        let is_practice =
            |held: &&Held| matches!(held.order.kind, BroadcastKind::Exercise | BroadcastKind::Test);
        let begun = |held: &Held| held.is_live() && held.has_started();
        let practice = || self.state.orders.values().filter(is_practice);
        if !practice().any(begun) {
            return step;
        }
        let drills: Vec<_> = practice()
            .filter(|held| begun(held))
            .filter_map(|held| held.order.drill.clone())
            .collect();
        for (digest, held) in &self.state.orders {
            let is_of_drill = held.order.drill.as_ref().is_some_and(|drill| drills.contains(drill));
            if is_practice(&held) && held.is_live() && (begun(held) || is_of_drill) {
                let state =
                    if begun(held) { ReceiptState::Interrupted } else { ReceiptState::Refused };
                let receipt = self.receipt_of(*digest, state);
                step = step.entry(Entry::Ended(*digest, Reason::DrillSuspended)).entry(
                    Entry::Receipt(Receipt { reason: Some(Reason::DrillSuspended), ..receipt }),
                );
            }
        }
        for drill in drills {
            step = step.entry(Entry::DrillSuspended(drill, self.time()));
        }
        step.entry(Entry::AbortPending(true))
    }

    /// The next instant of the clock at which something may change by itself.
    pub(super) fn next_instant(&self) -> Option<Timestamp> {
        let time = self.time();
        let expiries = self.state.orders.values().map(|held| self.expiry(&held.order));
        let starts = self.state.orders.iter().filter_map(|(digest, held)| {
            match self.readiness(*digest, held)? {
                Readiness::At(at) => Some(at),
                Readiness::Quiet(end) => end,
                Readiness::Now | Readiness::Blocked => None,
            }
        });
        let tests = [TestKind::Silent, TestKind::Audible];
        let tests = tests.into_iter().filter_map(|kind| self.self_test_due(kind));
        expiries.chain(starts).chain(tests).filter(|at| *at > time).min()
    }
}
