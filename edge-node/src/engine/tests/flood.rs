//! What a hundred thousand forgeries may cost: a counter each, a receipt a minute, and no second
//! of a real alert.

use std::time::Duration;

use jiff::SignedDuration;
use protocols::hello::Hello;
use protocols::limits::MESSAGE_BYTES_MAX;
use protocols::order::{Order, Sequence};
use protocols::receipt::{Reason, ReceiptState};
use protocols::wire::{self, MessageType, Sealed, SigningKey, Topic};

use super::rig::{
    OTHER_TOWN, Rig, TOWN, VILLAGE, certificate, config, key_of, order, region, reply, seal,
    sealed, terminal,
};
use crate::engine::config::{OUTBOX_MAX, REFUSAL_PAIRS_MAX};

const FORGERIES: u64 = 100_000;

/// Forgeries a second, as in an attack from one machine.
const A_SECOND: u64 = 1_000;

/// The `n`th forgery, of every kind in turn. Most kinds are a template with another number, so that
/// each has a digest of its own.
fn forgery(n: u64, templates: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = templates[(n % templates.len() as u64) as usize].clone();
    let end = bytes.len() - 8;
    bytes[end..].copy_from_slice(&n.to_be_bytes());
    bytes
}

fn templates() -> Vec<Vec<u8>> {
    let real = sealed(&order(TOWN, 1));
    let stranger = SigningKey::from_seed(&[66; 32]);
    let of_stranger = wire::seal(
        MessageType::Order,
        Some(order(TOWN, 1).stream),
        wire::encode(&order(TOWN, 1)),
        &key_of(TOWN),
        Some(&certificate(TOWN, &stranger)),
    );
    vec![vec![0; 64], vec![0xFF; 5_000], real[..real.len() / 2].to_vec(), of_stranger, real]
}

/// Real signatures, and still nothing for this terminal: replays, foreign regions, other words
/// under a number that was used.
fn nuisances() -> Vec<(Topic, Vec<u8>)> {
    let topic = Topic::RegionOrder(region(TOWN));
    let replay = sealed(&order(TOWN, 1));
    let mut other = order(TOWN, 2);
    other.sequence = Sequence { epoch: 1, number: 1 };
    let foreign = Order { target: order(OTHER_TOWN, 1).target, ..order(OTHER_TOWN, 1) };
    let mut elsewhere = order(TOWN, 3);
    elsewhere.target.excluded = vec![region(VILLAGE)];
    vec![
        (topic, replay),
        (topic, sealed(&other)),
        (topic, sealed(&foreign)),
        (topic, sealed(&elsewhere)),
    ]
}

#[test]
fn a_hundred_thousand_forgeries_cost_counters_and_a_real_red_order_still_sounds() {
    let mut rig = Rig::new();
    rig.order(&order(TOWN, 1));
    rig.finish();
    let (templates, nuisances) = (templates(), nuisances());
    let topic = Topic::RegionOrder(region(TOWN));
    let records = rig.journal.len();
    let bytes = |rig: &Rig| rig.journal.iter().map(Vec::len).sum::<usize>();
    let bytes_before = bytes(&rig);
    for n in 0..FORGERIES {
        if n % 100 == 99 {
            let (topic, bytes) = nuisances[(n / 100 % 4) as usize].clone();
            rig.send(topic, bytes);
        } else {
            rig.send(topic, forgery(n, &templates));
        }
        if n % A_SECOND == A_SECOND - 1 {
            rig.pass(Duration::from_secs(1));
            // What was said of old is not kept by the bench either.
            rig.published.clear();
            rig.acks.clear();
        }
        if n == FORGERIES / 2 {
            let mut red = order(TOWN, 500);
            red.sent = rig.clock;
            red.expires = rig.clock + SignedDuration::from_mins(2);
            let red = rig.order(&red);
            assert_eq!(rig.playing(), Some(red), "it sounds at once");
            rig.finish();
            assert_eq!(rig.told(red).last().map(|told| told.0), Some(ReceiptState::Finished));
        }
    }
    let minutes = (FORGERIES / A_SECOND).div_ceil(60) as usize + 1;
    let refused = rig.receipts.iter().filter(|(_, r)| r.state == ReceiptState::Refused).count();
    assert!(refused <= 8 * minutes, "{refused} refusals in {minutes} minutes");
    assert!(rig.engine.refusals.len() <= REFUSAL_PAIRS_MAX);
    assert!(rig.engine.state.outbox.len() <= OUTBOX_MAX);
    assert_eq!(rig.plays.len(), 2, "nothing else was heard");
    assert!(rig.engine.inbox.is_empty() && rig.engine.outputs.is_empty());
    let (grown, written) = (bytes(&rig) - bytes_before, rig.journal.len() - records);
    assert!(grown < 16 * 1_024 && written < 60, "{grown} bytes in {written} records");
    let counted: u64 = rig.engine.state.counters.values().sum();
    // Each but the replays is counted; a replay is a duplicate and says nothing.
    assert_eq!(counted, FORGERIES - FORGERIES / 400);
    assert!(rig.counts.iter().all(|reason| *reason != Reason::JournalFull));
}

/// The nonces of the hellos that were said since the bench was last cleared.
fn nonces(rig: &Rig) -> Vec<[u8; 16]> {
    let of_topic =
        rig.published.iter().filter(|(topic, _)| matches!(topic, Topic::TerminalHello(_)));
    let opened = of_topic.map(|(_, bytes)| {
        let sealed = Sealed::parse(bytes, MESSAGE_BYTES_MAX).expect("an envelope");
        let payload = sealed.verify(MessageType::Hello, &config().key.verifying_key());
        let hello: Hello = wire::decode(payload.expect("its own")).expect("a hello");
        hello.nonce
    });
    opened.collect()
}

#[test]
fn whoever_is_flooded_asks_again_what_was_crowded_out_and_not_too_often() {
    let mut rig = Rig::new();
    let topic = Topic::RegionOrder(region(TOWN));
    let (templates, mut n) = (templates(), 0);
    let mut flood = |rig: &mut Rig, seconds: u64| {
        rig.published.clear();
        for _ in 0..seconds {
            for _ in 0..A_SECOND {
                n += 1;
                rig.send(topic, forgery(n, &templates));
            }
            rig.pass(Duration::from_secs(1));
        }
        nonces(rig)
    };
    assert_eq!(flood(&mut rig, 20), Vec::<[u8; 16]>::new(), "the link is new");
    let asked = flood(&mut rig, 15);
    assert_eq!(asked.len(), 1);
    // The answer is taken, and the next question is another one.
    let mut reply = reply(&rig);
    reply.nonce = asked[0];
    rig.counts.clear();
    rig.send(Topic::TerminalReply(terminal()), seal(TOWN, MessageType::HelloReply, None, &reply));
    assert!(rig.counts.is_empty(), "it is what was asked for");
    let again = flood(&mut rig, 31);
    assert_eq!(again.len(), 1);
    assert_ne!(again[0], asked[0]);
    // Unanswered, it asks on, in its ordinary rhythm and at each strain: never more often.
    let unanswered = flood(&mut rig, 60);
    assert!((2..=8).contains(&unanswered.len()), "{}", unanswered.len());
}
