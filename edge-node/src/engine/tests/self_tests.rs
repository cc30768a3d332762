//! The daily test that nobody hears and the weekly one that everybody does.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protocols::command::CommandAction;
use protocols::order::{Order, Repeats};
use protocols::receipt::Reason;
use protocols::vitals::Vitals;
use protocols::wire::{MessageType, Topic};

use super::rig::{Rig, TOWN, command, opened, order, region, terminal};
use crate::engine::io::{CutHow, Input, Segment, SoundFailure, SoundOutcome};

fn is_silent(plan: &[Segment]) -> bool {
    matches!(plan, [Segment::NearSilence { .. }])
}

/// When the audible tests were.
fn heard(rig: &Rig) -> Vec<Timestamp> {
    rig.tests.iter().filter(|(plan, ..)| !is_silent(plan)).map(|(.., at)| *at).collect()
}

fn n_silent(rig: &Rig) -> usize {
    rig.tests.iter().filter(|(plan, ..)| is_silent(plan)).count()
}

fn vitals(rig: &Rig) -> Vitals {
    let topic = Topic::TerminalVitals(terminal());
    let said = rig.published.iter().rev().find(|(t, _)| *t == topic);
    opened(&said.expect("vitals were said").1, MessageType::Vitals)
}

fn days(n: u64) -> Duration {
    Duration::from_hours(24 * n)
}

#[test]
fn a_near_silent_test_a_day_stands_in_the_vitals() {
    let mut rig = Rig::new();
    rig.pass(Duration::from_mins(4));
    assert_eq!((n_silent(&rig), vitals(&rig).silent_test), (0, None));
    rig.pass(days(3) + Duration::from_hours(12));
    assert_eq!(n_silent(&rig), 4, "soon after the start, and then daily");
    let test = vitals(&rig).silent_test.expect("it is reported");
    assert_eq!((test.reason, test.evidence.frames), (None, 72_000));
    assert!(rig.receipts.is_empty(), "no receipt is about a test");
    // The day is counted across a power cut.
    let mut rig = rig.after_power_cut();
    rig.boot(true);
    rig.pass(Duration::from_hours(11));
    assert_eq!(n_silent(&rig), 0);
    rig.pass(Duration::from_hours(2));
    assert_eq!(n_silent(&rig), 1);
}

#[test]
fn a_test_that_fails_says_why_and_comes_again_within_the_hour() {
    let mut rig = Rig::new();
    rig.test_outcome = SoundOutcome::Failed(SoundFailure::DeviceStalled);
    rig.pass(Duration::from_mins(10));
    assert_eq!(vitals(&rig).silent_test.and_then(|test| test.reason), Some(Reason::DeviceStalled));
    assert_eq!(rig.counts, [Reason::DeviceStalled]);
    rig.test_outcome = SoundOutcome::Finished;
    rig.pass(Duration::from_hours(1));
    assert_eq!(vitals(&rig).silent_test.expect("it is reported").reason, None);
}

#[test]
fn the_audible_test_keeps_its_hour_of_its_day_and_each_terminal_its_minute() {
    let mut rig = Rig::new();
    rig.pass(days(15));
    // Terminal 7, Wednesdays at ten in Xiamen.
    let wednesdays = ["2026-08-05T02:07:00Z", "2026-08-12T02:07:00Z"];
    assert_eq!(heard(&rig), wednesdays.map(|at| at.parse::<Timestamp>().expect("a time")));
    let (plan, volume, _) = rig.tests.iter().find(|(plan, ..)| !is_silent(plan)).expect("one");
    assert!(matches!(plan[..], [Segment::Tone { .. }, Segment::LocalVoice { .. }]), "{plan:?}");
    assert_eq!(*volume, 60, "as loud as routine");
    assert!(vitals(&rig).audible_test.is_some());
}

#[test]
fn an_audible_test_that_was_missed_is_made_up_for_on_another_day() {
    let mut rig = Rig::new();
    rig.pass(days(5));
    assert_eq!(heard(&rig).len(), 1);
    let mut rig = rig.after_power_cut();
    rig.clock += SignedDuration::from_hours(24 * 8);
    rig.boot(true);
    rig.pass(days(1));
    assert_eq!(heard(&rig).len(), 1, "on a Friday");
}

#[test]
fn no_audible_test_under_a_stop_nor_while_an_alert_is_held() {
    let mut stopped = Rig::new();
    let mut stop =
        command(TOWN, 1, CommandAction::Stop { region: region(TOWN), reason: String::new() });
    stop.expires = stop.sent + SignedDuration::from_hours(24);
    stopped.command(&stop);
    stopped.pass(days(5));
    assert!(heard(&stopped).is_empty());
    let mut warned = Rig::new();
    warned.pass(days(4));
    let red = Order {
        sent: warned.clock,
        expires: warned.clock + SignedDuration::from_hours(48),
        repeats: Repeats { times: 20, interval_s: 3_600 },
        ..order(TOWN, 1)
    };
    warned.order(&red);
    warned.finish();
    warned.pass(Duration::from_mins(30));
    assert!(heard(&warned).is_empty());
}

#[test]
fn an_order_cuts_a_test_and_the_test_comes_later() {
    let mut rig = Rig::new();
    rig.holds_tests = true;
    rig.pass(Duration::from_mins(6));
    assert_eq!((n_silent(&rig), rig.running.is_some()), (1, true));
    let red = rig.order(&order(TOWN, 1));
    assert_eq!((rig.cuts.as_slice(), rig.playing()), (&[CutHow::Now][..], Some(red)));
    rig.finish();
    rig.pass(Duration::from_mins(9));
    assert_eq!((n_silent(&rig), vitals(&rig).silent_test), (1, None), "a cut test says nothing");
    rig.pass(Duration::from_mins(2));
    assert_eq!(n_silent(&rig), 2);
    rig.put(Input::LocalStop);
    assert_eq!(rig.running, None);
}

#[test]
fn a_terminal_unsure_of_the_time_tests_nothing() {
    let mut rig = Rig::off(Vec::new());
    rig.boot(false);
    rig.pass(days(2));
    assert!(rig.tests.is_empty());
}
