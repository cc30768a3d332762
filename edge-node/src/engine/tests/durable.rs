//! What survives: journal before acknowledge and before sound, power cuts, full disks.

use protocols::alert::AlertColor;
use protocols::digest::Digest;
use protocols::order::{Order, Purpose, Repeats};
use protocols::receipt::{Reason, ReceiptState};
use protocols::wire::Topic;

use super::rig::{DISTRICT, Rig, TOWN, about, colored, config, order, region, sealed};
use crate::engine::io::{AckToken, Input, Now, Output};
use crate::engine::state::State;

/// Outputs until the engine waits for its journal; the token of that write.
fn drain(rig: &mut Rig) -> Vec<Output> {
    std::iter::from_fn(|| rig.engine.poll()).collect()
}

#[test]
fn an_order_is_journalled_before_it_is_acknowledged_and_its_start_before_it_sounds() {
    let mut rig = Rig::new();
    let now = Now { clock: rig.clock, uptime: rig.uptime };
    let message = Input::Message {
        topic: Topic::RegionOrder(region(TOWN)).to_string(),
        payload: sealed(&order(TOWN, 1)),
        ack: AckToken(9),
    };
    rig.engine.handle(now, message);
    let outputs = drain(&mut rig);
    let [Output::Journal { token, .. }] = outputs.as_slice() else { panic!("{outputs:?}") };
    rig.engine.handle(now, Input::Journalled { token: *token, result: Ok(()) });
    let outputs = drain(&mut rig);
    let [Output::Ack(AckToken(9)), Output::Journal { token, .. }, Output::Publish { .. }] =
        outputs.as_slice()
    else {
        panic!("{outputs:?}")
    };
    rig.engine.handle(now, Input::Journalled { token: *token, result: Ok(()) });
    assert!(matches!(drain(&mut rig)[0], Output::Play { .. }));
}

#[test]
fn an_order_that_cannot_be_written_neither_sounds_nor_is_acknowledged() {
    let mut rig = Rig::new();
    rig.is_disk_full = true;
    let acks = rig.acks.len();
    let digest = rig.order(&order(TOWN, 1));
    assert_eq!((rig.plays.len(), rig.acks.len()), (0, acks));
    assert!(rig.counts.contains(&Reason::JournalFull));
    rig.is_disk_full = false;
    rig.pass_s(20);
    assert!(rig.says(digest, ReceiptState::Failed, Reason::JournalFull));
    rig.order(&order(TOWN, 1));
    assert_eq!(rig.playing(), Some(digest));
}

#[test]
fn a_start_that_cannot_be_written_is_tried_again_and_a_withdrawal_silences_all_the_same() {
    let mut rig = Rig::new();
    let alert = Order { repeats: Repeats { times: 2, interval_s: 1 }, ..order(TOWN, 1) };
    rig.order(&alert);
    rig.is_disk_full = true;
    rig.finish();
    rig.pass_s(5);
    assert_eq!(rig.plays.len(), 1);
    rig.is_disk_full = false;
    rig.pass_s(20);
    assert_eq!(rig.plays.len(), 2);
    let numbers: Vec<_> = rig.receipts.iter().map(|(number, _)| *number).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[test]
fn what_the_power_cut_sounds_again_from_its_start_and_what_finished_does_not() {
    let mut rig = Rig::new();
    let done = rig.order(&order(TOWN, 1));
    rig.finish();
    let cut = rig.order(&order(TOWN, 2));
    let mut rig = rig.after_power_cut();
    rig.boot(true);
    assert_eq!(rig.playing(), Some(cut));
    rig.connect();
    assert!(rig.says(cut, ReceiptState::Interrupted, Reason::PowerCut));
    assert_eq!(rig.told(done).len(), 4, "its receipts were not lost");
    rig.finish();
    let mut rig = rig.after_power_cut();
    rig.boot(true);
    rig.pass_s(3_600);
    assert!(rig.plays.is_empty());
    rig.order(&order(TOWN, 2));
    assert!(rig.plays.is_empty(), "a second delivery is a duplicate");
}

#[test]
fn a_journal_of_strange_bytes_is_passed_over() {
    let mut rig = Rig::off(vec![vec![0xff; 9], Vec::new(), b"not ours".to_vec()]);
    rig.boot(true);
    let digest = rig.order(&order(TOWN, 1));
    assert_eq!(rig.playing(), Some(digest), "with no link it speaks what is above the head");
}

/// A day at the loudspeaker with a bit of everything; returns what was ordered.
fn scenario(rig: &mut Rig) -> Vec<Digest> {
    let yellow = Order {
        repeats: Repeats { times: 2, interval_s: 20 },
        ..colored(TOWN, 1, Some(AlertColor::Yellow))
    };
    let red = order(DISTRICT, 1);
    let mut digests = Vec::new();
    digests.push(rig.order(&yellow));
    rig.pass_s(1);
    digests.push(rig.order(&red));
    rig.pass_s(1);
    if rig.running.is_some() {
        rig.finish();
    }
    rig.pass_s(2);
    if rig.running.is_some() {
        rig.finish();
    }
    digests.push(rig.order(&about(Purpose::Withdrawn, 2, &yellow, TOWN)));
    rig.pass_s(5);
    if rig.running.is_some() {
        rig.finish();
    }
    rig.pass_s(30);
    digests
}

#[test]
fn a_cut_at_any_journal_write_leads_to_a_safe_boot() {
    let mut whole = Rig::new();
    scenario(&mut whole);
    let writes = whole.journal.len();
    assert!(writes > 10);
    for cut_after in 0..=writes {
        let mut rig = Rig::off(Vec::new());
        rig.writes_left = Some(cut_after);
        rig.boot(true);
        rig.connect();
        rig.answer();
        scenario(&mut rig);
        let sounding = rig.playing();
        let finished: Vec<_> = told_in_journal(&rig.journal, ReceiptState::Finished);
        let mut again = rig.after_power_cut();
        again.boot(true);
        again.connect();
        again.answer();
        if let Some(digest) = sounding.filter(|d| started_in_journal(&rig.journal, *d)) {
            assert!(
                again.says(digest, ReceiptState::Interrupted, Reason::PowerCut),
                "cut after {cut_after}: the interrupted sounding is reported"
            );
        }
        let digests = scenario(&mut again);
        while again.running.is_some() {
            again.finish();
            again.pass_s(60);
        }
        for (digest, repeat) in &finished {
            let plays = again.plays.iter().filter(|p| (p.order, p.repeat) == (*digest, *repeat));
            assert_eq!(plays.count(), 0, "cut after {cut_after}: finished and heard again");
        }
        assert!(again.plays.iter().all(|p| digests.contains(&p.order)));
        let mut numbers: Vec<_> = again.receipts.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        let expected: Vec<_> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "cut after {cut_after}: no receipt is lost");
        assert!(
            again.plays.iter().any(|p| p.order == digests[1]) || {
                finished.iter().any(|(digest, _)| *digest == digests[1])
            }
        );
    }
}

fn fold(journal: &[Vec<u8>]) -> State {
    let roots = config().roots;
    let mut state = State::default();
    for record in journal {
        for entry in crate::engine::journal::decode(record).expect("ours") {
            state.apply(entry, &roots);
        }
    }
    state
}

fn told_in_journal(journal: &[Vec<u8>], wanted: ReceiptState) -> Vec<(Digest, u8)> {
    let state = fold(journal);
    let receipts = state.outbox.waiting().filter(|(_, r)| r.state == wanted);
    receipts.map(|(_, r)| (r.order, r.repeat)).collect()
}

fn started_in_journal(journal: &[Vec<u8>], digest: Digest) -> bool {
    fold(journal).orders.get(&digest).is_some_and(|held| held.progress.is_sounding)
}

#[test]
fn a_compacted_journal_gives_the_same_state() {
    let mut rig = Rig::new();
    scenario(&mut rig);
    let state = fold(&rig.journal);
    let compacted: Vec<_> =
        state.compacted().iter().map(|entries| crate::engine::journal::encode(entries)).collect();
    assert_eq!(fold(&compacted), state);
    let described = crate::engine::journal::describe(&compacted[0]).expect("ours");
    assert!(described[0].starts_with("Born"));
}

#[test]
fn the_journal_stays_bounded() {
    let mut rig = Rig::new();
    let mut largest = 0;
    for number in 1..=600 {
        let mut routine = colored(TOWN, number, None);
        routine.texts[0].text = "字".repeat(390);
        routine.expires = rig.clock + jiff::SignedDuration::from_secs(60);
        routine.sent = rig.clock;
        rig.order(&routine);
        if rig.running.is_some() {
            rig.finish();
        }
        let up_to = rig.receipts.iter().map(|(number, _)| *number).max().unwrap_or_default();
        rig.acknowledge_receipts(up_to);
        rig.pass_s(30);
        largest = largest.max(rig.journal.iter().map(Vec::len).sum());
    }
    assert!(largest < 2 * 1024 * 1024, "{largest} bytes");
    assert!(rig.plays.len() == 600);
}
