//! What is said: hello, receipts until acknowledged, vitals; and what is too much.

use std::time::Duration;

use protocols::alert::AlertColor;
use protocols::hello::Hello;
use protocols::order::Repeats;
use protocols::receipt::{Reason, ReceiptState};
use protocols::vitals::Vitals;
use protocols::wire::{MessageType, Topic};

use super::rig::{Rig, TOWN, colored, opened, order, seal, terminal};
use crate::engine::config::HELD_ORDERS_MAX;
use crate::engine::io::Input;

fn said(rig: &Rig, topic: Topic) -> Vec<&[u8]> {
    rig.published.iter().filter(|(t, _)| *t == topic).map(|(_, p)| p.as_slice()).collect()
}

#[test]
fn on_every_connect_it_says_what_it_has() {
    let mut rig = Rig::new();
    let held = rig.order(&order(TOWN, 4));
    rig.put(Input::Disconnected);
    rig.connect();
    let hellos = said(&rig, Topic::TerminalHello(terminal()));
    let hello: Hello = opened(hellos[1], MessageType::Hello);
    assert_eq!((hellos.len(), hello.nonce, hello.journal_id), (2, [5; 16], 77));
    assert_eq!(hello.held, [held]);
    assert_eq!(hello.heads[0].highest.number, 4);
    assert!(!hello.clock_unsure);
    assert_eq!(said(&rig, Topic::TerminalStatus(terminal())), [b"online", b"online"]);
}

#[test]
fn a_hello_without_an_answer_is_said_again() {
    let mut rig = Rig::off(Vec::new());
    rig.boot(true);
    rig.connect();
    rig.pass_s(100);
    let hellos = said(&rig, Topic::TerminalHello(terminal())).len();
    assert!((3..=5).contains(&hellos), "{hellos}");
    rig.answer();
    rig.pass_s(1_000);
    assert_eq!(said(&rig, Topic::TerminalHello(terminal())).len(), hellos);
}

#[test]
fn an_answer_to_another_question_changes_nothing() {
    let mut rig = Rig::off(Vec::new());
    rig.boot(false);
    rig.put(Input::Connected { session_present: true, nonce: [6; 16] });
    rig.answer();
    assert_eq!(rig.counts, [Reason::BelowWindow]);
}

#[test]
fn receipts_are_said_until_the_dispatcher_has_them() {
    let mut rig = Rig::new();
    rig.order(&order(TOWN, 1));
    rig.finish();
    let topic = Topic::TerminalReceipt(terminal());
    let before = said(&rig, topic).len();
    rig.pass_s(60);
    let resent = said(&rig, topic).len();
    assert!(resent > before);
    rig.acknowledge_receipts(4);
    rig.pass_s(2_000);
    assert_eq!(said(&rig, topic).len(), resent);
}

#[test]
fn an_acknowledgement_of_another_journal_forgets_nothing() {
    let mut rig = Rig::new();
    rig.order(&order(TOWN, 1));
    let ack = protocols::receipt::ReceiptAck { terminal: terminal(), journal_id: 1, up_to: 99 };
    let bytes = seal(TOWN, MessageType::ReceiptAck, None, &ack);
    rig.send(Topic::TerminalAck(terminal()), bytes);
    let topic = Topic::TerminalReceipt(terminal());
    let before = said(&rig, topic).len();
    rig.pass_s(60);
    assert!(said(&rig, topic).len() > before);
}

#[test]
fn vitals_come_every_minute_give_or_take_and_are_numbered_across_power_cuts() {
    let mut rig = Rig::new();
    rig.pass(Duration::from_hours(1));
    let vitals: Vec<Vitals> = said(&rig, Topic::TerminalVitals(terminal()))
        .iter()
        .map(|bytes| opened(bytes, MessageType::Vitals))
        .collect();
    assert!((50..=76).contains(&vitals.len()), "{}", vitals.len());
    assert!(vitals.windows(2).all(|pair| pair[0].number < pair[1].number));
    let pauses = vitals.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_secs());
    assert!(pauses.into_iter().all(|pause| (47..=73).contains(&pause)));
    let mut again = rig.after_power_cut();
    again.boot(true);
    again.connect();
    let next: Vitals =
        opened(said(&again, Topic::TerminalVitals(terminal()))[0], MessageType::Vitals);
    assert!(vitals.iter().all(|known| known.number < next.number));
}

#[test]
fn when_it_holds_all_it_can_a_higher_order_pushes_the_least_out() {
    let mut rig = Rig::new();
    let blue = |number| {
        let mut order = colored(TOWN, number, Some(AlertColor::Blue));
        order.repeats = Repeats { times: 20, interval_s: 3_600 };
        order
    };
    let mut digests = Vec::new();
    for number in 1..=HELD_ORDERS_MAX as u64 {
        digests.push(rig.order(&blue(number)));
    }
    let refused = rig.order(&blue(200));
    assert!(rig.says(refused, ReceiptState::Failed, Reason::TooManyOrders));
    let red = rig.order(&order(TOWN, 201));
    assert_eq!(rig.playing(), Some(red));
    let pushed = digests
        .iter()
        .filter(|digest| rig.says(**digest, ReceiptState::Failed, Reason::TooManyOrders));
    assert_eq!(pushed.count(), 1);
}
