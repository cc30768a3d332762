//! What sounds next, what cuts in, what is cut: the channel of one loudspeaker.
//!
//! Rules of its own beside those of the playout order: a lower order may use the channel between
//! two repeats, but no drill and no test starts while an Actual order has soundings left, since a
//! listener could not tell the two apart; and an Actual sounding suspends every drill and test
//! that has begun here, not only one that it cuts.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use protocols::alert::{AlertColor, BroadcastKind};
use protocols::digest::Digest;
use protocols::order::Order;
use protocols::receipt::{Evidence, Reason, Receipt, ReceiptState, SoundSource};

use super::Engine;
use super::clock::{later, since};
use super::config::{
    CUT_PATIENCE, EXPIRY_GRACE_MS, LOCAL_STOP, PLAY_LEAD, RETRY_LONGEST, SOUND_RETRY,
};
use super::io::{CutHow, Output, SoundFailure, SoundOutcome, SoundingId};
use super::journal::Entry;
use super::plan;
use super::state::{Held, State};
use super::step::{Effect, Step};

/// Joining later than this, the start of the plan is skipped.
const JOIN_AFTER: Duration = Duration::from_millis(200);

/// How long the first sounding waits for its clip, from receipt.
const fn patience(color: Option<AlertColor>) -> Duration {
    match color {
        Some(AlertColor::Red) => Duration::ZERO,
        Some(AlertColor::Orange) => Duration::from_secs(2),
        Some(AlertColor::Yellow | AlertColor::Blue) | None => Duration::from_secs(10),
    }
}

#[derive(Debug)]
struct Running {
    id: SoundingId,
    order: Digest,
    source: SoundSource,
    cut: Option<(Reason, CutHow)>,
    cut_at: Duration,
    first_sound_at: Option<Timestamp>,
}

/// The channel, and what it waits for.
#[derive(Debug, Default)]
pub(crate) struct Player {
    running: Option<Running>,
    last_id: u64,
    /// Clips that were settled: in the cache, or not to be had.
    clips: BTreeMap<Digest, bool>,
    /// Orders that failed: when to try again, and the pause after that.
    retries: BTreeMap<Digest, (Duration, Duration)>,
}

impl Player {
    pub(crate) fn clip_settled(&mut self, digest: Digest, is_ready: bool) {
        self.clips.insert(digest, is_ready);
    }

    pub(crate) fn sounding(&self) -> Option<Digest> {
        self.running.as_ref().map(|running| running.order)
    }

    /// What failed for want of a device may try again.
    pub(crate) fn device_returned(&mut self, state: &State) {
        self.retries.retain(|digest, _| {
            state.orders.get(digest).is_some_and(|held| {
                !matches!(
                    held.progress.failure,
                    Some(Reason::NoAudioDevice | Reason::DeviceStalled)
                )
            })
        });
    }

    /// Forgets clips and retries of orders that are gone.
    fn prune(&mut self, orders: &BTreeMap<Digest, Held>) {
        self.retries.retain(|digest, _| orders.contains_key(digest));
        let uses = |held: &Held, clip: &Digest| {
            held.order.texts.iter().any(|w| w.clip.as_ref().is_some_and(|c| c.digest == *clip))
        };
        self.clips.retain(|clip, _| orders.values().any(|held| uses(held, clip)));
    }

    fn has_clip(&self, digest: Digest) -> bool {
        self.clips.get(&digest) == Some(&true)
    }

    fn is_settled(&self, order: &Order) -> bool {
        let mut clips = order.texts.iter().filter_map(|words| words.clip.as_ref());
        clips.all(|reference| self.clips.contains_key(&reference.digest))
    }

    pub(crate) fn retry_later(&mut self, digest: Digest, uptime: Duration) {
        let pause = self.retries.get(&digest).map_or(SOUND_RETRY, |(_, pause)| *pause);
        let next = (pause * 2).min(RETRY_LONGEST);
        self.retries.insert(digest, (uptime.saturating_add(pause), next));
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
        self.start().or_else(|| self.upkeep())
    }

    /// An exercise ends with its window, whatever its own expiry.
    fn expiry(&self, order: &Order) -> Timestamp {
        match &order.drill {
            None => order.expires,
            Some(drill) => {
                let windows = self.state.enrolments.iter().filter(|e| e.drill == *drill);
                windows
                    .map(|e| e.until)
                    .max()
                    .map_or(order.expires, |until| until.min(order.expires))
            }
        }
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
        let running = self.player.running.as_ref()?;
        let held = self.state.orders.get(&running.order)?;
        if let Some(reason) = held.progress.ended {
            return Some((reason, CutHow::Now));
        }
        if self.is_stopped(&held.order) {
            return Some((Reason::Stopped, CutHow::Now));
        }
        let priority = held.priority(running.order);
        if let Some((_, better)) = self.best()
            && better.priority(running.order).cuts_in_on(&priority)
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

    pub(super) fn cut_running(&mut self, reason: Reason, how: CutHow) {
        let uptime = self.now.uptime;
        let Some(running) = &mut self.player.running else { return };
        match (running.cut, how) {
            (None, _) | (Some((_, CutHow::AtSentenceEnd { .. })), CutHow::Now) => {
                running.cut = Some((reason, how));
                running.cut_at = uptime;
                self.outputs.push_back(Output::CutSound { sounding: running.id, how });
            }
            (Some(_), CutHow::AtSentenceEnd { .. }) | (Some((_, CutHow::Now)), CutHow::Now) => {}
        }
    }

    /// A device that does not fall silent when asked holds the channel no longer than this.
    fn cut_deadline(&self) -> Option<(SoundingId, Duration)> {
        let running = self.player.running.as_ref()?;
        let grace = match running.cut?.1 {
            CutHow::Now => CUT_PATIENCE,
            CutHow::AtSentenceEnd { within_ms } => {
                CUT_PATIENCE + Duration::from_millis(within_ms.into())
            }
        };
        Some((running.id, running.cut_at.saturating_add(grace)))
    }

    fn give_up_on_cut(&mut self) -> Option<Step> {
        let (id, deadline) = self.cut_deadline()?;
        if self.now.uptime < deadline {
            return None;
        }
        self.count_stalled();
        self.on_sound_ended(id, SoundOutcome::Cut, Evidence::default())
    }

    fn count_stalled(&mut self) {
        let about = self.player.sounding();
        self.count(Reason::DeviceStalled, about);
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
        if let Some((at, _)) = self.player.retries.get(&digest)
            && *at > self.now.uptime
        {
            due = due.max(later(self.time(), *at - self.now.uptime));
        }
        due
    }

    fn start(&self) -> Option<Step> {
        if let Some(step) = self.report_quiet_hours() {
            return Some(step);
        }
        if self.player.running.is_some() {
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

    fn failure(&self, digest: Digest, reason: Reason) -> [Entry; 2] {
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

    /// The journal has it: build the plan and let it sound.
    pub(super) fn play(&mut self, digest: Digest) {
        let time = self.time();
        let Some(held) = self.state.orders.get(&digest) else { return };
        let order = &held.order;
        let follows_drill = self.state.is_abort_pending && order.kind == BroadcastKind::Actual;
        let (plan, source) = plan::plan(order, |clip| self.player.has_clip(clip), follows_drill);
        let start_at = order.play_at.filter(|at| *at > time);
        let is_first = held.progress.finished == 0 && !held.progress.is_cut;
        let missed = order.play_at.map_or(Duration::ZERO, |at| since(time, at));
        let skip_ms = match plan::clips_ms(order) {
            Some(length_ms)
                if is_first
                    && source == SoundSource::Clip
                    && missed > JOIN_AFTER
                    && missed < Duration::from_millis(length_ms.into()) =>
            {
                missed.as_millis() as u32
            }
            Some(_) | None => 0,
        };
        self.player.last_id += 1;
        let sounding = SoundingId(self.player.last_id);
        let repeat = held.progress.finished.saturating_add(1);
        let volume_percent = self.config.volume.percent(order.kind);
        self.player.running = Some(Running {
            id: sounding,
            order: digest,
            source,
            cut: None,
            cut_at: Duration::ZERO,
            first_sound_at: None,
        });
        self.outputs.push_back(Output::Play {
            sounding,
            order: digest,
            repeat,
            plan,
            volume_percent,
            start_at,
            skip_ms,
        });
    }

    /// After a failure the start is reported only now, when something is heard.
    pub(super) fn on_sound_started(&mut self, id: SoundingId, at: Timestamp) -> Option<Step> {
        let running = self.player.running.as_mut().filter(|running| running.id == id)?;
        running.first_sound_at = Some(at);
        let digest = running.order;
        self.player.retries.remove(&digest);
        let failure = self.state.orders.get(&digest)?.progress.failure?;
        let mut step = Step::default().entry(Entry::Failed(digest, None));
        if failure != Reason::QuietHours {
            let receipt = self.receipt_of(digest, ReceiptState::Started);
            step = step.entry(Entry::Receipt(receipt));
        }
        Some(step)
    }

    pub(super) fn on_sound_ended(
        &mut self,
        id: SoundingId,
        outcome: SoundOutcome,
        evidence: Evidence,
    ) -> Option<Step> {
        let running = self.player.running.take_if(|running| running.id == id)?;
        let evidence = Evidence {
            first_sound_at: evidence.first_sound_at.or(running.first_sound_at),
            source: Some(running.source),
            ..evidence
        };
        let digest = running.order;
        match (outcome, running.cut) {
            (SoundOutcome::Finished, _) => Some(self.finished(digest, evidence)),
            (SoundOutcome::Cut | SoundOutcome::Failed(_), Some((reason, _))) => {
                Some(self.interrupted(digest, reason, evidence))
            }
            (SoundOutcome::Cut, None) => Some(self.failed(&running, SoundFailure::DeviceStalled)),
            (SoundOutcome::Failed(failure), None) => Some(self.failed(&running, failure)),
        }
    }

    fn finished(&self, digest: Digest, evidence: Evidence) -> Step {
        let receipt = self.receipt_of(digest, ReceiptState::Finished);
        let receipt = Receipt { evidence: Some(evidence), ..receipt };
        let step = Step::default().entry(Entry::Finished(digest)).entry(Entry::Receipt(receipt));
        let is_actual = self
            .state
            .orders
            .get(&digest)
            .is_some_and(|held| held.order.kind == BroadcastKind::Actual);
        if is_actual && self.state.is_abort_pending {
            return step.entry(Entry::AbortPending(false));
        }
        step
    }

    fn interrupted(&self, digest: Digest, reason: Reason, evidence: Evidence) -> Step {
        let receipt = self.receipt_of(digest, ReceiptState::Interrupted);
        let receipt = Receipt { reason: Some(reason), evidence: Some(evidence), ..receipt };
        let muted_until =
            (reason == Reason::StoppedLocally).then(|| later(self.time(), LOCAL_STOP));
        let step =
            Step::default().entry(Entry::Cut(digest, muted_until)).entry(Entry::Receipt(receipt));
        if reason == Reason::ExpiredWhileSounding {
            return step.entry(Entry::Ended(digest, reason));
        }
        if reason != Reason::DrillSuspended {
            return step;
        }
        let step = step.entry(Entry::Ended(digest, reason)).entry(Entry::AbortPending(true));
        let held = self.state.orders.get(&digest);
        match held.and_then(|held| held.order.drill.clone()) {
            Some(drill) => step.entry(Entry::DrillSuspended(drill, self.time())),
            None => step,
        }
    }

    fn failed(&mut self, running: &Running, failure: SoundFailure) -> Step {
        let digest = running.order;
        let reason = failure.reason();
        let step = Step::default().entry(Entry::Cut(digest, None));
        let Some(held) = self.state.orders.get(&digest) else { return step };
        let used: Vec<_> = held
            .order
            .texts
            .iter()
            .filter_map(|words| words.clip.as_ref().map(|clip| clip.digest))
            .filter(|clip| self.player.has_clip(*clip))
            .collect();
        if failure == SoundFailure::NoSpeech && !used.is_empty() {
            // A clip that can't be decoded: the local voice takes its place at once.
            for clip in used {
                self.player.clip_settled(clip, false);
            }
            return step;
        }
        let is_known = held.progress.failure == Some(reason);
        self.player.retry_later(digest, self.now.uptime);
        let mut step = step.effect(Effect::Count(reason, Some(digest)));
        if !is_known {
            step.entries.extend(self.failure(digest, reason));
        }
        step
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
        expiries.chain(starts).filter(|at| *at > time).min()
    }

    pub(super) fn sound_due(&self) -> Option<Duration> {
        self.cut_deadline().map(|(_, at)| at)
    }
}
