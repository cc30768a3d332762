//! The channel of one loudspeaker: what is in it, how it is cut, what its end means.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use protocols::alert::BroadcastKind;
use protocols::digest::Digest;
use protocols::order::Order;
use protocols::receipt::{Evidence, Reason, Receipt, ReceiptState, SoundSource};

use super::Engine;
use super::clock::{later, since};
use super::config::{CUT_PATIENCE, LOCAL_STOP, RETRY_LONGEST, SOUND_RETRY};
use super::io::{CutHow, Output, Segment, SoundFailure, SoundOutcome, SoundingId};
use super::journal::{Entry, TestKind};
use super::plan;
use super::state::{Held, State};
use super::step::{Effect, Step};

/// Joining later than this, the start of the plan is skipped.
const JOIN_AFTER: Duration = Duration::from_millis(200);

/// The sounding in the channel.
#[derive(Debug)]
struct Running {
    id: SoundingId,
    what: What,
    cut: Option<(Reason, CutHow)>,
    cut_at: Duration,
    first_sound_at: Option<Timestamp>,
}

/// What a sounding is for.
#[derive(Debug, Clone)]
enum What {
    Order {
        digest: Digest,
        source: SoundSource,
        /// Clips that the plan counts on.
        clips: Vec<Digest>,
    },
    SelfTest(TestKind),
}

impl Running {
    const fn new(id: SoundingId, what: What) -> Self {
        Self { id, what, cut: None, cut_at: Duration::ZERO, first_sound_at: None }
    }
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
    /// A self-test that was cut is not begun again before this.
    self_test_from: Option<Duration>,
}

impl Player {
    pub(crate) fn clip_settled(&mut self, digest: Digest, is_ready: bool) {
        self.clips.insert(digest, is_ready);
    }

    /// The order that sounds.
    pub(crate) fn sounding(&self) -> Option<Digest> {
        match self.running.as_ref()?.what {
            What::Order { digest, .. } => Some(digest),
            What::SelfTest(_) => None,
        }
    }

    pub(crate) const fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    pub(crate) fn is_testing(&self) -> bool {
        self.is_busy() && self.sounding().is_none()
    }

    pub(crate) const fn self_test_from(&self) -> Option<Duration> {
        self.self_test_from
    }

    pub(crate) const fn retry_self_test(&mut self, from: Duration) {
        self.self_test_from = Some(from);
    }

    pub(crate) fn begin_self_test(&mut self, kind: TestKind) -> SoundingId {
        let id = self.next_id();
        self.running = Some(Running::new(id, What::SelfTest(kind)));
        id
    }

    const fn next_id(&mut self) -> SoundingId {
        self.last_id += 1;
        SoundingId(self.last_id)
    }

    /// What failed for want of words may try again when its clip is there.
    pub(crate) fn words_returned(&mut self, clip: Digest, state: &State) {
        self.retries.retain(|digest, _| {
            state.orders.get(digest).is_some_and(|held| {
                held.progress.failure != Some(Reason::NoSpeech) || !uses(&held.order, clip)
            })
        });
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
    pub(crate) fn prune(&mut self, orders: &BTreeMap<Digest, Held>) {
        self.retries.retain(|digest, _| orders.contains_key(digest));
        self.clips.retain(|clip, _| orders.values().any(|held| uses(&held.order, *clip)));
    }

    pub(crate) fn has_clip(&self, digest: Digest) -> bool {
        self.clips.get(&digest) == Some(&true)
    }

    pub(crate) fn is_settled(&self, order: &Order) -> bool {
        let mut clips = order.texts.iter().filter_map(|words| words.clip.as_ref());
        clips.all(|reference| self.clips.contains_key(&reference.digest))
    }

    /// When an order that failed is tried again.
    pub(crate) fn retry_at(&self, digest: Digest) -> Option<Duration> {
        self.retries.get(&digest).map(|(at, _)| *at)
    }

    pub(crate) fn retry_later(&mut self, digest: Digest, uptime: Duration) {
        let pause = self.retries.get(&digest).map_or(SOUND_RETRY, |(_, pause)| *pause);
        let next = (pause * 2).min(RETRY_LONGEST);
        self.retries.insert(digest, (uptime.saturating_add(pause), next));
    }
}

fn uses(order: &Order, clip: Digest) -> bool {
    order.texts.iter().any(|words| words.clip.as_ref().is_some_and(|c| c.digest == clip))
}

impl Engine {
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

    pub(super) fn give_up_on_cut(&mut self) -> Option<Step> {
        let (id, deadline) = self.cut_deadline()?;
        if self.now.uptime < deadline {
            return None;
        }
        self.count_stalled();
        self.on_sound_ended(id, SoundOutcome::Cut, &Evidence::default())
    }

    fn count_stalled(&mut self) {
        let about = self.player.sounding();
        self.count(Reason::DeviceStalled, about);
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
        let clips = plan
            .iter()
            .filter_map(|segment| match segment {
                Segment::Clip { reference, .. } => Some(reference.digest),
                Segment::Tone { .. }
                | Segment::Phrase { .. }
                | Segment::ClipOrVoice { .. }
                | Segment::LocalVoice { .. }
                | Segment::DrillFrame { .. }
                | Segment::DrillAborted { .. }
                | Segment::NearSilence { .. }
                | Segment::Silence { .. } => None,
            })
            .collect();
        let sounding = self.player.next_id();
        let repeat = held.progress.finished.saturating_add(1);
        let volume_percent = self.config.volume.percent(order.kind);
        let what = What::Order { digest, source, clips };
        self.player.running = Some(Running::new(sounding, what));
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
        let digest = self.player.sounding()?;
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
        evidence: &Evidence,
    ) -> Option<Step> {
        let running = self.player.running.take_if(|running| running.id == id)?;
        let first_sound_at = evidence.first_sound_at.or(running.first_sound_at);
        let evidence = Evidence { first_sound_at, ..evidence.clone() };
        let (digest, source, clips) = match running.what {
            What::SelfTest(kind) => {
                return self.self_test_ended(kind, outcome, running.cut.is_some(), &evidence);
            }
            What::Order { digest, source, clips } => (digest, source, clips),
        };
        let evidence = Evidence { source: evidence.source.or(Some(source)), ..evidence };
        match (outcome, running.cut) {
            (SoundOutcome::Finished, _) => Some(self.finished(digest, evidence)),
            (SoundOutcome::Cut | SoundOutcome::Failed(_), Some((reason, _))) => {
                Some(self.interrupted(digest, reason, evidence))
            }
            (SoundOutcome::Cut, None) => {
                Some(self.failed(digest, &clips, SoundFailure::DeviceStalled))
            }
            (SoundOutcome::Failed(failure), None) => Some(self.failed(digest, &clips, failure)),
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

    fn failed(&mut self, digest: Digest, clips: &[Digest], failure: SoundFailure) -> Step {
        let reason = failure.reason();
        let step = Step::default().entry(Entry::Cut(digest, None));
        let Some(held) = self.state.orders.get(&digest) else { return step };
        if failure == SoundFailure::NoSpeech && !clips.is_empty() {
            // A clip that can't be decoded: the local voice takes its place at once.
            for clip in clips {
                self.player.clip_settled(*clip, false);
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

    pub(super) fn sound_due(&self) -> Option<Duration> {
        self.cut_deadline().map(|(_, at)| at)
    }
}
