//! Cancels, updates, chains.

use jiff::SignedDuration;
use protocols::alert::{AlertColor, AlertReference};
use protocols::order::{Order, Purpose, Repeats};
use protocols::receipt::{Reason, ReceiptState};

use super::rig::{CITY, DISTRICT, OTHER_VILLAGE, Rig, TOWN, about, colored, order, region};
use crate::engine::io::CutHow;

#[test]
fn a_withdrawal_cuts_its_alert_at_once_and_speaks_the_correction() {
    let mut rig = Rig::new();
    let alert = order(TOWN, 1);
    let first = rig.order(&alert);
    let withdrawal = rig.order(&about(Purpose::Withdrawn, 2, &alert, TOWN));
    assert_eq!(rig.cuts, [CutHow::Now]);
    assert_eq!(rig.playing(), Some(withdrawal));
    assert!(rig.says(first, ReceiptState::Interrupted, Reason::Cancelled));
    rig.finish();
    rig.pass_s(3_600);
    assert_eq!(rig.plays.len(), 2);
}

#[test]
fn a_withdrawal_of_what_never_sounded_here_is_silent() {
    let mut rig = Rig::new();
    let red = rig.order(&order(TOWN, 1));
    let yellow = colored(TOWN, 2, Some(AlertColor::Yellow));
    let waiting = rig.order(&yellow);
    let withdrawal = rig.order(&about(Purpose::Withdrawn, 3, &yellow, TOWN));
    assert_eq!(rig.playing(), Some(red));
    assert!(rig.says(waiting, ReceiptState::Refused, Reason::Superseded));
    assert!(rig.says(withdrawal, ReceiptState::Refused, Reason::Unneeded));
    rig.finish();
    rig.pass_s(60);
    assert_eq!(rig.plays.len(), 1);
}

#[test]
fn after_a_lost_journal_the_correction_is_heard() {
    let alert = order(TOWN, 1);
    let mut rig = Rig::off(Vec::new());
    rig.boot(true);
    rig.connect();
    rig.answer();
    let withdrawal = rig.order(&about(Purpose::Withdrawn, 2, &alert, TOWN));
    assert_eq!(rig.playing(), Some(withdrawal), "the alert is older than this journal");
}

#[test]
fn a_cancel_before_its_alert_counts_when_its_signer_is_the_issuer_or_above() {
    for canceller in [TOWN, DISTRICT, CITY] {
        let mut rig = Rig::new();
        let mut alert = order(TOWN, 1);
        alert.alert.sent = rig.clock;
        let cancel = rig.order(&about(Purpose::Withdrawn, 2, &alert, canceller));
        assert!(rig.says(cancel, ReceiptState::Refused, Reason::Unneeded));
        let digest = rig.order(&alert);
        assert!(rig.plays.is_empty());
        assert!(rig.says(digest, ReceiptState::Refused, Reason::Superseded));
    }
}

#[test]
fn a_stray_cancel_before_the_alert_is_reported_and_the_alert_plays() {
    let mut rig = Rig::new();
    let mut alert = order(CITY, 1);
    alert.alert.sent = rig.clock;
    let stray = rig.order(&about(Purpose::Withdrawn, 2, &alert, TOWN));
    let digest = rig.order(&alert);
    assert_eq!(rig.playing(), Some(digest));
    assert!(rig.says(stray, ReceiptState::Refused, Reason::StrayCancel));
}

#[test]
fn a_cancel_by_somebody_below_leaves_the_alert_sounding() {
    let mut rig = Rig::new();
    let alert = order(DISTRICT, 1);
    let digest = rig.order(&alert);
    let stray = rig.order(&about(Purpose::Lifted, 2, &alert, TOWN));
    assert_eq!((rig.playing(), rig.cuts.len()), (Some(digest), 0));
    assert!(rig.says(stray, ReceiptState::Refused, Reason::StrayCancel));
}

#[test]
fn a_cancel_with_another_digest_is_stray() {
    let mut rig = Rig::new();
    let alert = order(TOWN, 1);
    let digest = rig.order(&alert);
    let mut cancel = about(Purpose::Withdrawn, 2, &alert, TOWN);
    cancel.references[0].digest = protocols::digest::Digest::of(b"other");
    rig.order(&cancel);
    assert_eq!(rig.playing(), Some(digest));
    assert_eq!(rig.counts, [Reason::StrayCancel]);
}

#[test]
fn an_update_takes_the_place_and_closing_any_member_ends_the_chain() {
    let mut rig = Rig::new();
    let alert = order(TOWN, 1);
    let first = rig.order(&alert);
    let update = about(Purpose::Update, 2, &alert, TOWN);
    let second = rig.order(&update);
    assert_eq!(rig.playing(), Some(second));
    assert!(rig.says(first, ReceiptState::Interrupted, Reason::Updated));
    let closing = rig.order(&about(Purpose::Lifted, 3, &alert, CITY));
    assert_eq!(rig.playing(), Some(closing));
    assert!(rig.says(second, ReceiptState::Interrupted, Reason::Cancelled));
    let late = rig.order(&about(Purpose::Update, 4, &update, TOWN));
    assert!(rig.says(late, ReceiptState::Refused, Reason::Superseded));
}

#[test]
fn an_update_older_than_another_comes_too_late() {
    let mut rig = Rig::new();
    let alert = order(TOWN, 1);
    rig.order(&alert);
    let newer = rig.order(&about(Purpose::Update, 3, &alert, TOWN));
    let older = rig.order(&about(Purpose::Update, 2, &alert, TOWN));
    assert_eq!(rig.playing(), Some(newer));
    assert!(rig.says(older, ReceiptState::Refused, Reason::Superseded));
}

#[test]
fn a_minor_update_is_silent_only_where_its_predecessor_was_heard() {
    for was_heard in [true, false] {
        let mut rig = Rig::new();
        let alert = Order { repeats: Repeats { times: 2, interval_s: 60 }, ..order(TOWN, 1) };
        let first = rig.order(&alert);
        if was_heard {
            rig.finish();
        }
        let minor = rig.order(&about(Purpose::MinorUpdate, 2, &alert, TOWN));
        rig.pass_s(61);
        assert_eq!(rig.playing(), Some(if was_heard { first } else { minor }));
        assert_eq!(rig.says(minor, ReceiptState::Refused, Reason::Unneeded), was_heard);
    }
}

#[test]
fn a_lifting_has_the_place_of_its_alert() {
    let mut rig = Rig::new();
    let alert = order(TOWN, 1);
    rig.order(&alert);
    rig.finish();
    rig.order(&colored(TOWN, 2, Some(AlertColor::Orange)));
    let mut lifting = about(Purpose::Lifted, 3, &alert, TOWN);
    lifting.color = Some(AlertColor::Blue);
    let lifting = rig.order(&lifting);
    assert_eq!(rig.playing(), Some(lifting), "red's lifting cuts in on orange");
}

/// The same order, for the neighbours only.
fn elsewhere(order: Order) -> Order {
    let mut order = order;
    order.stream.topic = region(DISTRICT);
    order.stream.authority = region(DISTRICT);
    order.level = region(DISTRICT).level();
    order.target.regions = vec![region(OTHER_VILLAGE)];
    order
}

#[test]
fn an_update_or_closing_that_leaves_this_terminal_out_silences_it() {
    for purpose in [Purpose::Update, Purpose::MinorUpdate, Purpose::Lifted, Purpose::Withdrawn] {
        let mut rig = Rig::new();
        let alert = Order { repeats: Repeats { times: 5, interval_s: 60 }, ..order(TOWN, 1) };
        let first = rig.order(&alert);
        let narrowed = rig.order(&elsewhere(about(purpose, 2, &alert, DISTRICT)));
        let is_closing = matches!(purpose, Purpose::Lifted | Purpose::Withdrawn);
        let reason = if is_closing { Reason::Cancelled } else { Reason::Updated };
        assert_eq!((rig.cuts.as_slice(), rig.playing()), (&[CutHow::Now][..], None), "{purpose:?}");
        assert!(rig.says(first, ReceiptState::Interrupted, reason));
        assert_eq!((rig.told(narrowed), &rig.counts), (Vec::new(), &vec![Reason::OutOfArea]));
        rig.pass_s(3_600);
        assert_eq!(rig.plays.len(), 1);
        let mut rig = rig.after_power_cut();
        rig.boot(true);
        rig.pass_s(3_600);
        assert!(rig.plays.is_empty(), "not after a power cut either");
    }
}

#[test]
fn what_leaves_this_terminal_out_counts_when_it_comes_before_its_alert() {
    let mut rig = Rig::new();
    let alert = order(TOWN, 1);
    rig.order(&elsewhere(about(Purpose::Update, 2, &alert, DISTRICT)));
    let mut rig = rig.after_power_cut();
    rig.boot(true);
    rig.connect();
    rig.answer();
    let digest = rig.order(&alert);
    assert!(rig.plays.is_empty());
    assert!(rig.says(digest, ReceiptState::Refused, Reason::Superseded));
}

#[test]
fn a_stray_cancel_for_the_neighbours_is_reported_and_ends_nothing() {
    let mut rig = Rig::new();
    let alert = order(CITY, 1);
    let digest = rig.order(&alert);
    let stray = rig.order(&elsewhere(about(Purpose::Withdrawn, 2, &alert, DISTRICT)));
    assert_eq!((rig.playing(), rig.cuts.len()), (Some(digest), 0));
    assert!(rig.says(stray, ReceiptState::Refused, Reason::StrayCancel));
}

#[test]
fn a_town_ends_no_city_alert_by_way_of_its_own_stray_cancel() {
    let mut rig = Rig::new();
    let mut alert = order(CITY, 1);
    alert.alert.sent = rig.clock;
    alert.repeats = Repeats { times: 3, interval_s: 60 };
    let stray = about(Purpose::Withdrawn, 2, &alert, TOWN);
    rig.order(&stray);
    let digest = rig.order(&alert);
    rig.order(&about(Purpose::Withdrawn, 3, &stray, TOWN));
    assert_eq!((rig.playing(), rig.cuts.len()), (Some(digest), 0));
    let mut update = about(Purpose::Update, 4, &alert, CITY);
    update.alert.sent = rig.clock + SignedDuration::from_secs(1);
    let update = rig.order(&update);
    assert_eq!(rig.playing(), Some(update), "nor does it stop the city's own update");
}

#[test]
fn an_early_withdrawal_of_other_content_ends_nothing() {
    let mut rig = Rig::new();
    let mut alert = order(TOWN, 1);
    alert.alert.sent = rig.clock;
    let mut other = about(Purpose::Withdrawn, 2, &alert, TOWN);
    other.references[0].digest = protocols::digest::Digest::of(b"other");
    let stray = rig.order(&other);
    let digest = rig.order(&alert);
    assert_eq!(rig.playing(), Some(digest));
    assert!(rig.says(stray, ReceiptState::Refused, Reason::StrayCancel));
}

#[test]
fn a_withdrawal_that_turns_out_stray_falls_silent() {
    let mut rig = Rig::new();
    let alert = order(CITY, 1);
    let stray = rig.order(&about(Purpose::Withdrawn, 2, &alert, TOWN));
    assert_eq!(rig.playing(), Some(stray), "the alert is older than this journal");
    let digest = rig.order(&alert);
    assert_eq!(rig.playing(), Some(digest));
    assert!(rig.says(stray, ReceiptState::Interrupted, Reason::StrayCancel));
}

#[test]
fn closing_an_update_ends_the_alert_before_it_whatever_comes_first() {
    let first = order(TOWN, 1);
    let second = about(Purpose::Update, 2, &first, TOWN);
    let third = about(Purpose::Withdrawn, 3, &second, TOWN);
    let all = [&first, &second, &third];
    for turn in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut rig = Rig::new();
        for index in turn {
            rig.order(all[index]);
        }
        let playing = rig.playing();
        let digests = [&first, &second]
            .map(|order| protocols::digest::Digest::of(&super::rig::sealed(order)));
        assert!(playing.is_none_or(|digest| !digests.contains(&digest)), "{turn:?}");
    }
}

#[test]
fn a_full_terminal_still_falls_silent_when_told() {
    let mut rig = Rig::new();
    let red = |number| {
        let mut order = order(TOWN, number);
        order.repeats = Repeats { times: 20, interval_s: 3_600 };
        order
    };
    let sounding = rig.order(&red(1));
    for number in 2..=crate::engine::config::HELD_ORDERS_MAX as u64 {
        rig.order(&red(number));
    }
    let mut narrowed = colored(TOWN, 200, Some(AlertColor::Blue));
    narrowed.purpose = Purpose::Update;
    narrowed.alert.sent += SignedDuration::from_secs(1);
    narrowed.references = vec![AlertReference { key: red(1).alert, digest: red(1).alert_digest }];
    let refused = rig.order(&narrowed);
    assert!(rig.says(refused, ReceiptState::Failed, Reason::TooManyOrders));
    assert!(rig.says(sounding, ReceiptState::Interrupted, Reason::Updated));
}
