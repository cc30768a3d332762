//! What is believed: envelope, scope, numbers, target, time, revocation.

use jiff::SignedDuration;
use protocols::alert::{AlertColor, BroadcastKind};
use protocols::area::{PartialVillage, Position, Shape, Target};
use protocols::certificate::RevocationList;
use protocols::command::CommandAction;
use protocols::digest::Digest;
use protocols::order::{Order, Repeats, Sequence};
use protocols::receipt::{Reason, ReceiptState};
use protocols::wire::{self, MessageType, SigningKey, Topic};

use super::rig::{
    DISTRICT, OTHER_TOWN, OTHER_VILLAGE, Rig, TOWN, VILLAGE, certificate, command, epoch, key_of,
    order, region, root, sealed, terminal,
};
use crate::engine::io::CutHow;

#[test]
fn an_order_is_refused_when_no_pinned_root_vouches_for_its_signer() {
    let mut rig = Rig::new();
    let order = order(TOWN, 1);
    let stranger = SigningKey::from_seed(&[66; 32]);
    let forged = wire::seal(
        MessageType::Order,
        Some(order.stream),
        wire::encode(&order),
        &key_of(TOWN),
        Some(&certificate(TOWN, &stranger)),
    );
    let digest = Digest::of(&forged);
    rig.send(Topic::RegionOrder(region(TOWN)), forged);
    assert!(rig.plays.is_empty());
    assert!(rig.says(digest, ReceiptState::Refused, Reason::UnknownSigner));
}

#[test]
fn a_changed_byte_in_the_payload_is_a_bad_signature() {
    let mut rig = Rig::new();
    let mut bytes = sealed(&order(TOWN, 1));
    let place = bytes.windows(5).position(|w| w == b"alert").expect("the identifier");
    bytes[place] = b'A';
    rig.send(Topic::RegionOrder(region(TOWN)), bytes);
    assert_eq!((rig.plays.len(), rig.counts.as_slice()), (0, &[Reason::BadSignature][..]));
}

#[test]
fn an_order_on_the_topic_of_commands_is_not_read_as_one() {
    let mut rig = Rig::new();
    rig.send(Topic::RegionCommand(region(TOWN)), sealed(&order(TOWN, 1)));
    assert_eq!((rig.plays.len(), rig.counts.as_slice()), (0, &[Reason::BadSignature][..]));
}

#[test]
fn a_town_cannot_make_another_towns_loudspeaker_speak() {
    let mut rig = Rig::new();
    let mut foreign = order(OTHER_TOWN, 1);
    foreign.stream.topic = region(DISTRICT);
    foreign.target = Target {
        shapes: vec![Shape::Circle(Position { lat_e6: 0, lon_e6: 0 }, 1)],
        ..Target::default()
    };
    let digest = rig.order(&foreign);
    assert!(rig.plays.is_empty());
    assert!(rig.says(digest, ReceiptState::Refused, Reason::OutOfScope));
}

#[test]
fn an_order_on_another_topic_than_its_own_is_out_of_scope() {
    let mut rig = Rig::new();
    let bytes = sealed(&order(TOWN, 1));
    rig.send(Topic::RegionOrder(region(DISTRICT)), bytes);
    assert_eq!((rig.plays.len(), rig.counts.as_slice()), (0, &[Reason::OutOfScope][..]));
}

#[test]
fn the_same_bytes_on_the_terminals_own_topic_are_the_same_order() {
    let mut rig = Rig::new();
    let bytes = sealed(&order(TOWN, 1));
    rig.send(Topic::TerminalOrder(terminal()), bytes.clone());
    rig.send(Topic::RegionOrder(region(TOWN)), bytes);
    assert_eq!((rig.plays.len(), rig.acks.len(), rig.counts.len()), (1, 3, 0));
}

#[test]
fn a_number_used_twice_with_other_words_is_tampering() {
    let mut rig = Rig::new();
    rig.order(&order(TOWN, 5));
    let mut other = order(TOWN, 6);
    other.sequence = Sequence { epoch: 1, number: 5 };
    let digest = rig.order(&other);
    assert!(rig.says(digest, ReceiptState::Refused, Reason::Tampered));
}

#[test]
fn the_same_alert_with_other_content_is_tampering() {
    let mut rig = Rig::new();
    let first = order(TOWN, 1);
    rig.order(&first);
    let other = Order { alert: first.alert, ..order(TOWN, 2) };
    let digest = rig.order(&other);
    assert!(rig.says(digest, ReceiptState::Refused, Reason::Tampered));
}

#[test]
fn numbers_arrive_in_any_order_and_far_too_old_ones_are_refused() {
    let mut rig = Rig::new();
    let at_number = |number| {
        let mut order = order(TOWN, number % 100 + 1);
        order.sequence.number = number;
        order
    };
    let newest = rig.order(&at_number(3_000));
    let older = rig.order(&at_number(2_950));
    let oldest = rig.order(&at_number(1_001));
    assert_eq!(rig.told(newest)[0].0, ReceiptState::Accepted);
    assert_eq!(rig.told(older)[0].0, ReceiptState::Accepted);
    assert!(rig.says(oldest, ReceiptState::Refused, Reason::BelowWindow));
}

#[test]
fn out_of_area_is_a_counter_unless_the_order_asks() {
    let mut rig = Rig::new();
    let elsewhere = |number| {
        let mut order = order(DISTRICT, number);
        order.target.regions = vec![region(OTHER_VILLAGE)];
        order
    };
    let quiet = rig.order(&elsewhere(1));
    let mut asking = elsewhere(2);
    asking.wants_out_of_area = true;
    let asked = rig.order(&asking);
    rig.order(&asking);
    assert_eq!(rig.told(quiet), []);
    assert_eq!(
        rig.told(asked),
        [(ReceiptState::Accepted, None, 0), (ReceiptState::Refused, Some(Reason::OutOfArea), 0)]
    );
    assert_eq!(rig.counts, [Reason::OutOfArea, Reason::OutOfArea]);
    assert!(rig.plays.is_empty());
}

#[test]
fn an_excluded_number_stays_silent_although_its_village_is_listed() {
    let mut rig = Rig::new();
    let mut order = order(TOWN, 1);
    order.target.excluded_terminals = vec![PartialVillage::new(region(VILLAGE), [7])];
    rig.order(&order);
    assert_eq!((rig.plays.len(), rig.counts.as_slice()), (0, &[Reason::OutOfArea][..]));
}

#[test]
fn live_talk_and_broken_rules_are_invalid_and_old_orders_expired() {
    let mut rig = Rig::new();
    let talk = Order { kind: BroadcastKind::LiveTalk, ..order(TOWN, 1) };
    rig.order(&talk);
    let mut never = order(TOWN, 2);
    never.repeats = Repeats { times: 0, interval_s: 0 };
    rig.order(&never);
    let mut old = order(TOWN, 3);
    old.expires = rig.clock;
    rig.order(&old);
    assert_eq!(rig.counts, [Reason::Invalid, Reason::Invalid, Reason::Expired]);
    assert!(rig.plays.is_empty());
}

#[test]
fn only_the_first_refusal_of_a_kind_in_a_minute_gets_a_receipt() {
    let mut rig = Rig::new();
    for byte in 0..5 {
        rig.send(Topic::RegionOrder(region(TOWN)), vec![byte]);
    }
    assert_eq!((rig.receipts.len(), rig.counts.len(), rig.acks.len()), (1, 5, 6));
    rig.pass_s(61);
    rig.send(Topic::RegionOrder(region(TOWN)), vec![9]);
    assert_eq!(rig.receipts.len(), 2);
}

#[test]
fn a_terminal_unsure_of_the_time_asks_before_it_speaks() {
    let mut rig = Rig::off(Vec::new());
    rig.boot(false);
    rig.connect();
    rig.order(&order(TOWN, 1));
    assert!(rig.plays.is_empty());
    rig.answer();
    assert_eq!(rig.plays.len(), 1);
    assert!(rig.receipts.iter().any(|(_, r)| r.clock_unsure));
}

#[test]
fn without_an_answer_only_what_is_above_the_head_sounds() {
    let mut rig = Rig::new();
    rig.order(&order(TOWN, 10));
    rig.finish();
    let mut rig = rig.after_power_cut();
    rig.boot(false);
    rig.connect();
    rig.order(&order(TOWN, 9));
    let newer = Order { sent: rig.clock, ..order(TOWN, 11) };
    let above = rig.order(&newer);
    rig.pass_s(4);
    assert!(rig.plays.is_empty(), "it still waits for the answer");
    rig.pass_s(2);
    assert_eq!(rig.playing(), Some(above));
    rig.finish();
    rig.pass_s(60);
    assert_eq!(rig.plays.len(), 1, "number 9 could be a replay");
    rig.answer();
    assert_eq!(rig.plays.len(), 2);
}

#[test]
fn what_a_revoked_key_is_sounding_stops_at_once() {
    let mut rig = Rig::new();
    let digest = rig.order(&order(TOWN, 1));
    let list = |number, keys| {
        let list = RevocationList { number, at: epoch(), keys };
        wire::seal(MessageType::RevocationList, None, wire::encode(&list), &root(), None)
    };
    let topic = Topic::RegionRevocation(region(TOWN));
    rig.send(topic, list(3, vec![key_of(TOWN).key_id()]));
    assert_eq!(rig.cuts, [CutHow::Now]);
    assert!(rig.says(digest, ReceiptState::Interrupted, Reason::KeyRevoked));
    rig.send(topic, list(2, Vec::new()));
    let next = rig.order(&order(TOWN, 2));
    assert!(
        rig.says(next, ReceiptState::Refused, Reason::KeyRevoked),
        "the number never goes back"
    );
    let mut rig = rig.after_power_cut();
    rig.boot(true);
    assert!(rig.plays.is_empty());
}

#[test]
fn a_drill_sounds_only_where_it_was_enrolled_and_in_its_window() {
    let mut rig = Rig::new();
    let drill = |number| Order {
        kind: BroadcastKind::Exercise,
        drill: Some("spring".to_owned()),
        color: Some(AlertColor::Red),
        ..order(TOWN, number)
    };
    let early = rig.order(&drill(1));
    assert!(rig.says(early, ReceiptState::Refused, Reason::NotInDrill));
    rig.command(&command(
        TOWN,
        1,
        CommandAction::EnrolDrill {
            drill: "spring".to_owned(),
            terminals: vec![terminal()],
            from: epoch(),
            until: epoch() + SignedDuration::from_hours(2),
        },
    ));
    let enrolled = rig.order(&drill(2));
    assert_eq!(rig.playing(), Some(enrolled));
    rig.finish();
    rig.pass_s(2 * 3_600);
    let late = rig.order(&drill(3));
    assert!(rig.says(late, ReceiptState::Refused, Reason::NotInDrill));
}
