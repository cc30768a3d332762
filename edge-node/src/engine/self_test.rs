//! Whether the loudspeaker path still works: a near-silent test every day, that nobody hears and
//! the sound card must still play to its end, and one every week that people hear.
//!
//! A self-test yields to every order and leaves no receipt, since it is about none: its last
//! results stand in the vitals. The audible one keeps to one hour of one weekday, the terminals of
//! a village a minute apart, so that people know it for what it is; it is left out in quiet hours,
//! under a stop, while the time is unsure, and as long as anything Actual or a drill is held.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protocols::alert::BroadcastKind;
use protocols::hazard::{Announcement, OTHER_CODE};
use protocols::order::Purpose;
use protocols::receipt::{Evidence, Reason, SoundSource};
use protocols::speech::Language;
use protocols::vitals::SelfTest;

use super::Engine;
use super::clock::later;
use super::io::{Output, Segment, SoundFailure, SoundOutcome};
use super::journal::{Entry, TestKind};
use super::quiet::{beijing_day_start, beijing_weekday};
use super::step::{Effect, Step};

/// From the start of the program to the first test of a terminal that never had one: by then it
/// has said hello and sounded what it missed.
const FIRST_AFTER: Duration = Duration::from_mins(5);

/// Pause between two near-silent tests.
const SILENT_EVERY: Duration = Duration::from_hours(24);

/// Pause after one that failed: a card that came back is known within the hour.
const SILENT_AFTER_FAILURE: Duration = Duration::from_hours(1);

/// Length of the near-silent test: longer than ring and card can hold, so that it must be played.
const SILENT_MS: u32 = 1_500;

/// Pause before a test that was cut is tried again.
const RETRY: Duration = Duration::from_mins(10);

/// An audible test that is older is made up for on any day; a little less than a week and a day,
/// since the minute of a test varies.
const AUDIBLE_OVERDUE: SignedDuration = SignedDuration::from_hours(7 * 24 + 12);

/// An audible test that is younger stands for this week.
const AUDIBLE_FRESH: SignedDuration = SignedDuration::from_hours(6 * 24 + 12);

/// Terminals of a village that are tested one after the other in the hour.
const MINUTES: u16 = 50;

/// When the audible self-test sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudibleTest {
    /// Day of the week by Beijing time, 1 for Monday to 7 for Sunday; `None`: never.
    pub weekday: Option<u8>,
    /// Hour of that day, 0 to 23.
    pub hour: u8,
}

impl Default for AudibleTest {
    /// Wednesday from ten in the morning.
    fn default() -> Self {
        Self { weekday: Some(3), hour: 10 }
    }
}

impl Engine {
    /// Starts the self-test that is due, when the channel is free and nothing waits for it.
    pub(super) fn start_self_test(&self) -> Option<Step> {
        let is_early = self.player.self_test_from().is_some_and(|from| self.now.uptime < from);
        if self.player.is_busy() || is_early || self.is_order_ready() {
            return None;
        }
        let is_due =
            |kind: &TestKind| self.self_test_due(*kind).is_some_and(|at| at <= self.time());
        let kind = [TestKind::Audible, TestKind::Silent].into_iter().find(is_due)?;
        Some(Step::default().effect(Effect::SelfTest(kind)))
    }

    /// When a test is due by the clock, if the clock knows.
    pub(super) fn self_test_due(&self, kind: TestKind) -> Option<Timestamp> {
        if self.clock.is_unsure() {
            return None;
        }
        let last = self.state.self_tests.get(&kind);
        match kind {
            TestKind::Silent => Some(match last {
                None => later(self.time(), FIRST_AFTER.saturating_sub(self.now.uptime)),
                Some(test) if test.reason.is_some() => later(test.at, SILENT_AFTER_FAILURE),
                Some(test) => later(test.at, SILENT_EVERY),
            }),
            TestKind::Audible => self.audible_due(last),
        }
    }

    /// The start of the terminal's minute, today or tomorrow, if the day is right for it.
    fn audible_due(&self, last: Option<&SelfTest>) -> Option<Timestamp> {
        let AudibleTest { weekday, hour } = self.config.audible_test;
        let weekday = weekday?;
        let time = self.time();
        let minute = self.config.terminal.number() % MINUTES;
        let offset =
            SignedDuration::from_hours(hour.into()) + SignedDuration::from_mins(minute.into());
        let hour_ends = SignedDuration::from_hours(i64::from(hour) + 1);
        let day = SignedDuration::from_hours(24);
        [beijing_day_start(time), later_by(beijing_day_start(time), day)].into_iter().find_map(
            |start| {
                let at = later_by(start, offset);
                let age = last.map(|test| at.duration_since(test.at));
                let is_day = match age {
                    None => beijing_weekday(start) == weekday,
                    Some(age) if age >= AUDIBLE_OVERDUE => true,
                    Some(age) => age >= AUDIBLE_FRESH && beijing_weekday(start) == weekday,
                };
                let may =
                    time < later_by(start, hour_ends) && is_day && self.may_be_heard(at.max(time));
                may.then_some(at)
            },
        )
    }

    fn may_be_heard(&self, at: Timestamp) -> bool {
        let is_serious = |kind| matches!(kind, BroadcastKind::Actual | BroadcastKind::Exercise);
        self.state.stops.is_empty()
            && self.config.quiet.may_start(BroadcastKind::Test, None, at)
            && !self.state.orders.values().any(|held| held.is_live() && is_serious(held.order.kind))
    }

    pub(super) fn play_self_test(&mut self, kind: TestKind) {
        let plan = match kind {
            TestKind::Silent => vec![Segment::NearSilence { duration_ms: SILENT_MS }],
            TestKind::Audible => vec![
                Segment::Tone {
                    event: OTHER_CODE.parse().expect("a code of the table"),
                    color: None,
                    kind: BroadcastKind::Test,
                    purpose: Purpose::Alert,
                },
                Segment::LocalVoice {
                    language: Language::Chinese.tag().to_owned(),
                    text: Announcement::SelfTest.text(Language::Chinese).to_owned(),
                },
            ],
        };
        let sounding = self.player.begin_self_test(kind);
        let volume_percent = self.config.volume.percent(BroadcastKind::Test);
        self.outputs.push_back(Output::SelfTest { sounding, plan, volume_percent });
    }

    /// A test that was cut says nothing; every other one is remembered.
    pub(super) fn self_test_ended(
        &mut self,
        kind: TestKind,
        outcome: SoundOutcome,
        was_cut: bool,
        evidence: &Evidence,
    ) -> Option<Step> {
        let failure = match outcome {
            SoundOutcome::Finished => None,
            SoundOutcome::Cut | SoundOutcome::Failed(_) if was_cut => {
                self.player.retry_self_test(self.now.uptime.saturating_add(RETRY));
                return None;
            }
            SoundOutcome::Cut => Some(SoundFailure::DeviceStalled),
            SoundOutcome::Failed(failure) => Some(failure),
        };
        let reason = failure.map(SoundFailure::reason);
        let source = (kind == TestKind::Audible).then_some(SoundSource::LocalVoice);
        let evidence = Evidence { source, ..evidence.clone() };
        let test = SelfTest { at: self.time(), reason, evidence };
        let step = Step::default().entry(Entry::SelfTested(kind, test));
        Some(match reason {
            Some(reason) => step.effect(Effect::Count(reason, None)),
            None => step,
        })
    }

    /// The reason to end a self-test early.
    pub(super) fn reason_to_cut_test(&self) -> Option<Reason> {
        self.is_order_ready().then_some(Reason::Preempted)
    }
}

fn later_by(at: Timestamp, pause: SignedDuration) -> Timestamp {
    at.checked_add(pause).unwrap_or(Timestamp::MAX)
}
