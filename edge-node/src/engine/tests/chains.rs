//! Cancels, updates, chains.

use protocols::alert::AlertColor;
use protocols::order::{Order, Purpose, Repeats};
use protocols::receipt::{Reason, ReceiptState};

use super::rig::{CITY, DISTRICT, Rig, TOWN, about, colored, order};
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
