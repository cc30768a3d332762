//! What sounds when: words, clips, pre-emption, turns, drills, expiry, quiet hours, stop.

use jiff::SignedDuration;
use protocols::alert::{AlertColor, BroadcastKind};
use protocols::command::CommandAction;
use protocols::order::{Order, Repeats};
use protocols::receipt::{Evidence, Reason, ReceiptState, SoundSource};
use protocols::vitals::AudioState;

use super::rig::{CITY, Rig, TOWN, colored, command, epoch, order, region, with_clip};
use crate::engine::io::{CutHow, Input, Measurements, Segment, SoundFailure, SoundOutcome};

const YELLOW: Option<AlertColor> = Some(AlertColor::Yellow);
const ORANGE: Option<AlertColor> = Some(AlertColor::Orange);

fn kinds(plan: &[Segment]) -> Vec<&'static str> {
    plan.iter()
        .map(|segment| match segment {
            Segment::Tone { .. } => "tone",
            Segment::Phrase { .. } => "phrase",
            Segment::Clip { .. } => "clip",
            Segment::ClipOrVoice { .. } => "clip or voice",
            Segment::LocalVoice { .. } => "voice",
            Segment::DrillFrame { .. } => "drill",
            Segment::DrillAborted { .. } => "aborted",
            Segment::NearSilence { .. } => "near silence",
            Segment::Silence { .. } => "pause",
        })
        .collect()
}

fn drill(number: u64) -> Order {
    Order {
        kind: BroadcastKind::Exercise,
        drill: Some("spring".to_owned()),
        repeats: Repeats { times: 3, interval_s: 60 },
        ..order(TOWN, number)
    }
}

fn enrolled() -> Rig {
    let mut rig = Rig::new();
    rig.command(&command(
        TOWN,
        1,
        CommandAction::EnrolDrill {
            drill: "spring".to_owned(),
            terminals: Vec::new(),
            from: epoch(),
            until: epoch() + SignedDuration::from_hours(5),
        },
    ));
    rig
}

#[test]
fn red_without_its_clip_begins_at_once_and_chooses_its_words_when_the_tone_ends() {
    let mut rig = Rig::new();
    let (order, _) = with_clip(order(TOWN, 1), 5_000);
    let digest = rig.order(&order);
    assert_eq!(kinds(&rig.plays[0].plan), ["tone", "clip or voice"]);
    rig.finish();
    let evidence = rig.receipts.last().and_then(|(_, r)| r.evidence.clone()).expect("proof");
    assert_eq!(evidence.source, Some(SoundSource::LocalVoice));
    assert_eq!(
        rig.told(digest),
        [
            (ReceiptState::Accepted, None, 0),
            (ReceiptState::Verified, None, 0),
            (ReceiptState::Started, None, 1),
            (ReceiptState::Finished, None, 1)
        ]
    );
}

#[test]
fn the_evidence_says_which_words_were_chosen() {
    for source in [SoundSource::Clip, SoundSource::LocalVoice] {
        let mut rig = Rig::new();
        let (order, clip) = with_clip(order(TOWN, 1), 5_000);
        rig.order(&order);
        assert_eq!(rig.fetched, [clip], "wanted as soon as it is received");
        let sounding = rig.running.take().expect("it sounds");
        let evidence = Evidence { source: Some(source), ..Evidence::default() };
        rig.put(Input::SoundEnded { sounding, outcome: SoundOutcome::Finished, evidence });
        let evidence = rig.receipts.last().and_then(|(_, r)| r.evidence.clone()).expect("proof");
        assert_eq!(evidence.source, Some(source));
    }
}

#[test]
fn without_voice_and_clip_it_fails_and_sounds_as_soon_as_the_clip_is_there() {
    let mut rig = Rig::new();
    let (order, digest) = with_clip(order(TOWN, 1), 5_000);
    rig.order(&order);
    rig.end(SoundOutcome::Failed(SoundFailure::NoSpeech));
    assert_eq!(rig.plays.len(), 1);
    rig.put(Input::ClipReady { digest });
    assert_eq!(kinds(&rig.plays[1].plan), ["tone", "clip"]);
}

#[test]
fn red_with_its_clip_in_the_cache_uses_it() {
    let mut rig = Rig::new();
    let (order, clip) = with_clip(order(TOWN, 1), 5_000);
    rig.cache.insert(clip);
    rig.order(&order);
    assert_eq!(kinds(&rig.plays[0].plan), ["tone", "clip"]);
}

#[test]
fn orange_waits_two_seconds_for_its_clip_and_takes_it_at_the_next_repeat() {
    let mut rig = Rig::new();
    let (mut order, clip) = with_clip(colored(TOWN, 1, ORANGE), 5_000);
    order.repeats = Repeats { times: 2, interval_s: 30 };
    rig.order(&order);
    rig.pass_s(1);
    assert!(rig.plays.is_empty());
    rig.pass_s(2);
    assert_eq!(kinds(&rig.plays[0].plan), ["tone", "clip or voice"]);
    rig.put(Input::ClipReady { digest: clip });
    rig.finish();
    rig.pass_s(31);
    assert_eq!(kinds(&rig.plays[1].plan), ["tone", "clip"]);
}

#[test]
fn a_clip_that_comes_or_fails_ends_the_waiting() {
    for is_ready in [true, false] {
        let mut rig = Rig::new();
        let (order, digest) = with_clip(colored(TOWN, 1, None), 5_000);
        rig.order(&order);
        rig.pass_s(3);
        assert!(rig.plays.is_empty());
        rig.put(if is_ready { Input::ClipReady { digest } } else { Input::ClipFailed { digest } });
        assert_eq!(rig.plays.len(), 1);
    }
}

#[test]
fn each_language_follows_one_tone_in_the_orders_order() {
    let mut rig = Rig::new();
    let mut order = order(TOWN, 1);
    let mut english = order.texts[0].clone();
    english.language = "en".to_owned();
    order.texts.push(english);
    rig.order(&order);
    assert_eq!(kinds(&rig.plays[0].plan), ["tone", "phrase", "voice", "pause", "phrase", "voice"]);
}

#[test]
fn a_red_alert_preempts_a_yellow_one_and_yellow_resumes_from_its_start() {
    let mut rig = Rig::new();
    let yellow = rig.order(&colored(TOWN, 1, YELLOW));
    let red = rig.order(&order(TOWN, 2));
    assert_eq!((rig.cuts.as_slice(), rig.playing()), (&[CutHow::Now][..], Some(red)));
    assert!(rig.says(yellow, ReceiptState::Interrupted, Reason::Preempted));
    rig.finish();
    assert_eq!(rig.playing(), Some(yellow));
    assert_eq!((rig.plays[2].repeat, rig.plays[2].plan.len()), (1, rig.plays[0].plan.len()));
    rig.finish();
    rig.pass_s(3_600);
    assert_eq!(rig.plays.len(), 3);
}

#[test]
fn nothing_starts_before_the_cut_sounding_is_silent() {
    let mut rig = Rig::new();
    rig.obeys_cuts = false;
    rig.order(&colored(TOWN, 1, YELLOW));
    let red = rig.order(&order(TOWN, 2));
    assert_eq!(rig.plays.len(), 1);
    rig.end(SoundOutcome::Cut);
    assert_eq!(rig.playing(), Some(red));
}

#[test]
fn equals_take_turns_at_the_next_repeat_newest_first() {
    let mut rig = Rig::new();
    let twice =
        |number| Order { repeats: Repeats { times: 2, interval_s: 0 }, ..order(TOWN, number) };
    let (a, b, c) = (rig.order(&twice(1)), rig.order(&twice(2)), rig.order(&twice(3)));
    let mut heard = Vec::new();
    while let Some(digest) = rig.playing() {
        heard.push(digest);
        rig.pass_s(5);
        rig.finish();
    }
    assert_eq!(heard, [a, c, b, a, c, b]);
    assert!(rig.cuts.is_empty());
}

#[test]
fn between_two_repeats_the_channel_is_free_for_a_lower_one() {
    let mut rig = Rig::new();
    let red = rig.order(&Order { repeats: Repeats { times: 2, interval_s: 60 }, ..order(TOWN, 1) });
    rig.finish();
    let blue = rig.order(&colored(TOWN, 2, Some(AlertColor::Blue)));
    assert_eq!(rig.playing(), Some(blue));
    rig.pass_s(61);
    assert_eq!(rig.playing(), Some(red));
    rig.finish();
    assert_eq!(rig.playing(), Some(blue));
}

#[test]
fn a_drill_says_so_before_and_after() {
    let mut rig = enrolled();
    rig.order(&drill(1));
    assert_eq!(
        kinds(&rig.plays[0].plan),
        ["drill", "pause", "tone", "phrase", "voice", "pause", "drill"]
    );
}

#[test]
fn a_drill_cut_by_a_real_alert_never_resumes_until_it_is_ordered_anew() {
    let mut rig = enrolled();
    let cut = rig.order(&drill(1));
    let real = rig.order(&colored(TOWN, 2, Some(AlertColor::Blue)));
    assert_eq!(rig.playing(), Some(real));
    assert_eq!(kinds(&rig.plays[1].plan)[..3], ["aborted", "pause", "tone"]);
    assert!(rig.says(cut, ReceiptState::Interrupted, Reason::DrillSuspended));
    rig.finish();
    rig.pass_s(3_600);
    assert_eq!(rig.plays.len(), 2);
    let mut stale = drill(3);
    stale.sent = epoch() + SignedDuration::from_secs(4);
    let stale = rig.order(&stale);
    assert!(rig.says(stale, ReceiptState::Refused, Reason::NotInDrill));
    let mut anew = drill(4);
    anew.sent = rig.clock;
    anew.expires = rig.clock + SignedDuration::from_hours(1);
    let anew = rig.order(&anew);
    assert_eq!(rig.playing(), Some(anew));
}

#[test]
fn a_drill_between_two_repeats_is_suspended_by_a_real_alert_too() {
    let mut rig = enrolled();
    let drill = rig.order(&drill(1));
    rig.finish();
    rig.order(&order(TOWN, 2));
    assert_eq!(kinds(&rig.plays[1].plan)[0], "aborted");
    assert!(rig.says(drill, ReceiptState::Interrupted, Reason::DrillSuspended));
    rig.finish();
    rig.pass_s(600);
    assert_eq!(rig.plays.len(), 2);
}

#[test]
fn nothing_starts_after_its_expiry_and_what_runs_ends_with_its_sentence() {
    let mut rig = Rig::new();
    let mut short = order(TOWN, 1);
    short.expires = rig.clock + SignedDuration::from_secs(30);
    short.repeats = Repeats { times: 5, interval_s: 10 };
    let digest = rig.order(&short);
    let mut waiting = colored(TOWN, 2, YELLOW);
    waiting.expires = rig.clock + SignedDuration::from_secs(20);
    let waiting = rig.order(&waiting);
    rig.pass_s(40);
    assert_eq!(rig.cuts, [CutHow::AtSentenceEnd { within_ms: 10_000 }]);
    rig.end(SoundOutcome::Cut);
    assert!(rig.says(digest, ReceiptState::Interrupted, Reason::ExpiredWhileSounding));
    assert!(rig.says(waiting, ReceiptState::Refused, Reason::Expired));
    rig.pass_s(600);
    assert_eq!(rig.plays.len(), 1);
}

#[test]
fn a_device_that_does_not_fall_silent_holds_the_channel_for_three_seconds() {
    let mut rig = Rig::new();
    rig.obeys_cuts = false;
    rig.order(&colored(TOWN, 1, YELLOW));
    rig.order(&order(TOWN, 2));
    rig.running = None;
    rig.pass_s(4);
    assert_eq!(rig.plays.len(), 2);
    assert!(rig.counts.contains(&Reason::DeviceStalled));
}

#[test]
fn routine_waits_for_the_morning_and_says_so_once() {
    let mut rig = Rig::new();
    rig.pass(std::time::Duration::from_hours(13));
    let mut routine = order(TOWN, 1);
    routine.kind = BroadcastKind::Routine;
    routine.color = None;
    routine.sent = rig.clock;
    routine.expires = rig.clock + SignedDuration::from_hours(24);
    let digest = rig.order(&routine);
    assert!(rig.plays.is_empty());
    assert!(rig.says(digest, ReceiptState::Failed, Reason::QuietHours));
    let red = Order {
        sent: rig.clock,
        expires: rig.clock + SignedDuration::from_hours(1),
        ..order(TOWN, 2)
    };
    let red = rig.order(&red);
    assert_eq!(rig.playing(), Some(red), "nothing silences Actual red");
    rig.finish();
    rig.pass_s(8 * 3_600);
    assert_eq!(rig.playing(), Some(digest));
    assert_eq!(rig.plays[1].volume_percent, 60);
    assert_eq!(rig.told(digest).iter().filter(|(s, ..)| *s == ReceiptState::Failed).count(), 1);
}

#[test]
fn a_signed_stop_silences_until_it_is_lifted_and_survives_a_power_cut() {
    let mut rig = Rig::new();
    let digest = rig.order(&order(TOWN, 1));
    let stop = CommandAction::Stop { region: region(TOWN), reason: "误报".to_owned() };
    rig.command(&command(TOWN, 1, stop));
    assert_eq!((rig.cuts.as_slice(), rig.playing()), (&[CutHow::Now][..], None));
    assert!(rig.says(digest, ReceiptState::Interrupted, Reason::Stopped));
    let mut rig = rig.after_power_cut();
    rig.boot(true);
    rig.pass_s(60);
    assert!(rig.plays.is_empty());
    rig.command(&command(TOWN, 2, CommandAction::LiftStop { region: region(TOWN) }));
    assert_eq!(rig.playing(), Some(digest));
}

#[test]
fn a_town_cannot_stop_what_the_city_orders_nor_lift_the_citys_stop() {
    let mut rig = Rig::new();
    let city = rig.order(&order(CITY, 1));
    let stop = || CommandAction::Stop { region: region(TOWN), reason: String::new() };
    rig.command(&command(TOWN, 1, stop()));
    assert_eq!(rig.playing(), Some(city));
    rig.command(&command(CITY, 1, stop()));
    assert_eq!(rig.playing(), None);
    rig.command(&command(TOWN, 2, CommandAction::LiftStop { region: region(TOWN) }));
    assert_eq!(rig.playing(), None);
    rig.command(&command(CITY, 2, CommandAction::LiftStop { region: region(TOWN) }));
    assert_eq!(rig.playing(), Some(city));
}

#[test]
fn the_local_key_silences_for_ten_minutes_with_a_receipt() {
    let mut rig = Rig::new();
    let digest = rig.order(&order(TOWN, 1));
    rig.put(Input::LocalStop);
    assert!(rig.says(digest, ReceiptState::Interrupted, Reason::StoppedLocally));
    rig.pass_s(599);
    assert_eq!(rig.plays.len(), 1);
    rig.pass_s(2);
    assert_eq!(rig.playing(), Some(digest));
}

#[test]
fn without_a_sound_card_it_fails_once_and_sounds_when_the_card_returns() {
    let mut rig = Rig::new();
    let digest = rig.order(&order(TOWN, 1));
    for _ in 0..4 {
        rig.end(SoundOutcome::Failed(SoundFailure::NoAudioDevice));
        rig.pass_s(200);
    }
    rig.end(SoundOutcome::Failed(SoundFailure::NoAudioDevice));
    let failures =
        |rig: &Rig| rig.told(digest).iter().filter(|(s, ..)| *s == ReceiptState::Failed).count();
    assert_eq!(failures(&rig), 1);
    let measurements = Measurements {
        audio: AudioState::Present,
        journal_bytes: 0,
        disk_free_bytes: None,
        battery_percent: None,
        is_on_mains: None,
    };
    let before = rig.plays.len();
    rig.put(Input::Measured(measurements));
    assert_eq!(rig.plays.len(), before + 1);
    let sounding = rig.running.expect("it sounds");
    let at = rig.clock;
    rig.put(Input::SoundStarted { sounding, at });
    rig.finish();
    let told = rig.told(digest);
    assert_eq!(
        told[told.len() - 2..],
        [(ReceiptState::Started, None, 1), (ReceiptState::Finished, None, 1)]
    );
}

#[test]
fn a_clip_that_cannot_be_decoded_gives_way_to_the_local_voice() {
    let mut rig = Rig::new();
    let (order, clip) = with_clip(order(TOWN, 1), 5_000);
    rig.cache.insert(clip);
    rig.order(&order);
    rig.end(SoundOutcome::Failed(SoundFailure::NoSpeech));
    assert_eq!(kinds(&rig.plays[1].plan), ["tone", "clip or voice"]);
}

#[test]
fn an_order_with_play_at_starts_then_and_a_late_terminal_joins_midway() {
    let mut rig = Rig::new();
    let (mut early, clip) = with_clip(order(TOWN, 1), 20_000);
    rig.cache.insert(clip);
    early.play_at = Some(rig.clock + SignedDuration::from_secs(5));
    rig.order(&early);
    assert!(rig.plays.is_empty());
    rig.pass_s(6);
    assert_eq!((rig.plays.len(), rig.plays[0].skip_ms), (1, 0));
    rig.finish();
    let (mut late, clip) = with_clip(order(TOWN, 2), 20_000);
    rig.cache.insert(clip);
    late.play_at = Some(rig.clock - SignedDuration::from_secs(4));
    rig.order(&late);
    assert_eq!(rig.plays[1].skip_ms, 4_000);
}
