//! Orders on their way out, receipts on their way in, and when terminals were heard.

use dispatcher::app::receipts as cases;
use dispatcher::domain::alert::record::Alert;
use dispatcher::domain::delivery::DeliveryState;
use dispatcher::metrics::Metrics;
use dispatcher::store::orders::{self, StreamKind};
use dispatcher::store::terminal_states::{self, Vitals};
use dispatcher::store::{StoreError, deliveries, epochs, outbox, receipts};
use jiff::SignedDuration;
use protocols::digest::Digest;
use protocols::order::{Sequence, Stream};
use protocols::receipt::{Evidence, Reason, Receipt, ReceiptBatch, ReceiptState};

use crate::Notes;
use crate::city::{CITY, City, FAR, NOW, TOWN, VILLAGE, code};
use crate::lists::terminal;

pub(crate) async fn run(city: &City, issued: &[Alert; 3], notes: &mut Notes) {
    let order = published(city, &issued[0], notes).await;
    said(city, &issued[0], order, notes).await;
    shown(city, &issued[0], notes).await;
    heard(city, notes).await;
    numbered(city).await;
}

/// Everything live waits to be published, once; gives the digest of the yellow alert's order.
async fn published(city: &City, alert: &Alert, notes: &mut Notes) -> Digest {
    let mut tx = city.app.db.begin().await.expect("begins");
    let waiting = outbox::unpublished_orders(&mut tx, NOW, 9).await.expect("asks");
    assert_eq!(waiting.len(), 3, "yellow, orange, and the end of the red one");
    notes.keep("outbox.unpublished_orders", &waiting);
    for order in &waiting {
        outbox::order_published(&mut tx, &order.id, NOW).await.expect("notes");
    }
    let gone = outbox::order_published(&mut tx, "nobody", NOW).await;
    assert!(matches!(gone, Err(StoreError::Conflict { .. })), "{gone:?}");
    assert!(outbox::unpublished_orders(&mut tx, NOW, 9).await.expect("asks").is_empty());
    let live = outbox::live_orders(&mut tx, NOW).await.expect("asks");
    assert_eq!(live.len(), 3);
    notes.keep("outbox.live_orders", &live);
    let addressed = orders::of_alert(&mut tx, &alert.id).await.expect("asks");
    let [own] = addressed.as_slice() else { panic!("{addressed:?}") };
    assert_eq!(own.topic, code(TOWN));
    let meant = orders::terminals_of(&mut tx, &own.id).await.expect("asks");
    assert_eq!(meant, [terminal(VILLAGE, 1)]);
    let sealed = waiting.iter().find(|order| order.id == own.id).expect("it waited");
    let digest = Digest::of(&sealed.sealed);
    let key = receipts::order(&mut tx, digest).await.expect("asks").expect("known");
    assert_eq!((&key.id, &key.alert), (&own.id, &alert.id));
    assert_eq!(receipts::order(&mut tx, Digest([0; 32])).await.expect("asks"), None);
    notes.keep("orders.of_alert", &(addressed, meant, key));
    tx.commit().await.expect("commits");
    digest
}

fn receipt(order: Digest, state: ReceiptState, repeat: u8, second: i64) -> Receipt {
    let at = NOW + SignedDuration::from_secs(second);
    let evidence = (state == ReceiptState::Finished).then(|| Evidence {
        first_sound_at: Some(at),
        frames: 96_000,
        underruns: 1,
        ..Evidence::default()
    });
    let reason = (state == ReceiptState::Interrupted).then_some(Reason::Preempted);
    Receipt { order, alert: None, state, reason, repeat, at, clock_unsure: false, evidence }
}

/// Receipts come twice and with a gap; more than one insert holds them.
async fn said(city: &City, alert: &Alert, order: Digest, notes: &mut Notes) {
    let (app, id) = (&city.app, terminal(VILLAGE, 1));
    let batch = |first_number: u64, receipts: Vec<Receipt>| ReceiptBatch {
        terminal: id,
        journal_id: u64::MAX,
        first_number,
        receipts,
    };
    let steps = vec![
        receipt(order, ReceiptState::Accepted, 0, 0),
        receipt(order, ReceiptState::Verified, 0, 0),
        receipt(order, ReceiptState::Started, 1, 1),
        receipt(order, ReceiptState::Interrupted, 1, 2),
    ];
    let mut tx = app.db.begin().await.expect("begins");
    let metrics = Metrics::default();
    let first = [batch(1, steps.clone())];
    let recorded = cases::record(&mut tx, &metrics, &first, NOW).await.expect("records");
    assert_eq!((recorded.acks[0].up_to, recorded.changed), (4, 1));
    let again = cases::record(&mut tx, &metrics, &first, NOW).await.expect("records");
    assert_eq!((again.acks[0].up_to, again.changed), (4, 0), "said before");
    let mut many = vec![receipt(order, ReceiptState::Finished, 1, 9)];
    many.extend((0..40).map(|_| receipt(Digest([9; 32]), ReceiptState::Refused, 0, 9)));
    let later = NOW + SignedDuration::from_secs(9);
    let gap = [batch(9, many)];
    let recorded = cases::record(&mut tx, &metrics, &gap, later).await.expect("records");
    assert_eq!((recorded.acks[0].up_to, recorded.changed), (4, 1), "5 to 8 may be on their way");
    let recorded = cases::record(&mut tx, &metrics, &gap, later).await.expect("records");
    assert_eq!(recorded.acks[0].up_to, 49, "they will never come");
    notes.keep("receipts.record", &recorded);
    let count = receipts::count(&mut tx, id, u64::MAX, 1, 100).await.expect("counts");
    assert_eq!(count, 45);
    assert_eq!(receipts::up_to(&mut tx, id, u64::MAX).await.expect("asks"), 49);
    assert_eq!(receipts::up_to(&mut tx, id, 1).await.expect("asks"), 0, "another journal");
    tx.commit().await.expect("commits");

    let mut tx = app.db.begin().await.expect("begins");
    let page = receipts::of_alert(&mut tx, &alert.id, None, 3).await.expect("lists");
    let place = page.last().map(receipts::KeptReceipt::place);
    let rest = receipts::of_alert(&mut tx, &alert.id, place.as_ref(), 9).await.expect("lists");
    assert_eq!((page.len(), rest.len()), (3, 2));
    assert_eq!(rest[1].state, "finished");
    notes.keep("receipts.of_alert", &(page, rest));
    assert_eq!(receipts::purge(&mut tx, NOW).await.expect("purges"), 0);
    assert_eq!(receipts::purge(&mut tx, later).await.expect("purges"), 4);
    tx.rollback().await.expect("rolls back");
}

async fn shown(city: &City, alert: &Alert, notes: &mut Notes) {
    let mut tx = city.app.db.begin().await.expect("begins");
    // A second terminal of the same order, of which nothing is known.
    let order = orders::of_alert(&mut tx, &alert.id).await.expect("asks")[0].id.clone();
    let silent = terminal(VILLAGE, 2);
    orders::insert_delivery(&mut tx, &alert.id, &order, silent, NOW).await.expect("writes");
    let twice = orders::insert_delivery(&mut tx, &alert.id, &order, silent, NOW).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "{twice:?}");
    tx.rollback().await.expect("PostgreSQL goes on after a refusal only in another transaction");
    let mut tx = city.app.db.begin().await.expect("begins");
    orders::insert_delivery(&mut tx, &alert.id, &order, silent, NOW).await.expect("writes");
    let page = deliveries::list(&mut tx, &alert.id, None, 1).await.expect("lists");
    assert_eq!(page[0].delivery.terminal, silent, "silent ones first");
    let place = deliveries::Place::of(&page[0].delivery);
    let rest = deliveries::list(&mut tx, &alert.id, Some(&place), 9).await.expect("lists");
    assert_eq!(rest.len(), 1);
    let finished = &rest[0].delivery;
    assert_eq!(finished.progress.state(), DeliveryState::Finished);
    let counts = deliveries::count_by_state(&mut tx, &alert.id).await.expect("counts");
    assert_eq!(counts, [(DeliveryState::Finished, 1), (DeliveryState::Pending, 1)]);
    let progress = orders::progress(&mut tx, &alert.id).await.expect("counts");
    assert_eq!(progress.len(), 2);
    let region = deliveries::alert_region(&mut tx, &alert.id).await.expect("asks");
    assert_eq!(region, Some(code(TOWN)));
    assert_eq!(deliveries::alert_region(&mut tx, "nobody").await.expect("asks"), None);

    // More keys than one look takes; unknown ones are left out.
    let mut keys = vec![(order.clone(), silent), (order.clone(), finished.terminal)];
    keys.extend((1..=100).map(|number| (order.clone(), terminal(FAR, number))));
    let found = deliveries::find(&mut tx, &keys).await.expect("finds");
    assert_eq!(found.len(), 2);
    deliveries::save(&mut tx, finished, NOW).await.expect("saves");
    let unknown = deliveries::Delivery { order_id: "nobody".to_owned(), ..finished.clone() };
    let gone = deliveries::save(&mut tx, &unknown, NOW).await;
    assert!(matches!(gone, Err(StoreError::Conflict { table: "deliveries" })), "{gone:?}");
    notes.keep("deliveries.list", &(page, rest, counts, progress));
    tx.commit().await.expect("commits");
}

/// Hello, vitals and the broker's hint; a new journal begins its numbers again.
async fn heard(city: &City, notes: &mut Notes) {
    let (near, far) = (terminal(VILLAGE, 1), terminal(FAR, 1));
    let mut tx = city.app.db.begin().await.expect("begins");
    terminal_states::note_hello(&mut tx, near, 7, NOW).await.expect("notes");
    assert_eq!(receipts::up_to(&mut tx, near, u64::MAX).await.expect("asks"), 0, "a new journal");
    receipts::set_up_to(&mut tx, near, 7, 3).await.expect("notes");
    let vitals = |number: u64| Vitals {
        terminal: near,
        journal_id: 7,
        number,
        certificate_expires: None,
        body: vec![1, 2],
    };
    let later = NOW + SignedDuration::from_secs(60);
    terminal_states::note_vitals(&mut tx, &vitals(5), later).await.expect("notes");
    let much_later = NOW + SignedDuration::from_secs(120);
    terminal_states::note_vitals(&mut tx, &vitals(4), much_later).await.expect("old ones");
    assert_eq!(receipts::up_to(&mut tx, near, 7).await.expect("asks"), 3, "the same journal");
    terminal_states::note_hint(&mut tx, near, false).await.expect("notes");
    terminal_states::note_hint(&mut tx, far, true).await.expect("it has no row yet");
    tx.commit().await.expect("commits");

    let mut read = city.app.db.read().await.expect("connects");
    let range = code(CITY).range();
    let page = terminal_states::heard(&mut read, &range, "", 1).await.expect("lists");
    let after = page[0].terminal.to_string();
    let rest = terminal_states::heard(&mut read, &range, &after, 9).await.expect("lists");
    assert_eq!((page[0].last_seen_at, page[0].is_connected_hint), (Some(later), false));
    assert_eq!(rest.iter().map(|it| it.last_seen_at).collect::<Vec<_>>(), [None]);
    let seen = terminal_states::last_seen(&mut read).await.expect("lists");
    assert_eq!(seen, [(near, Some(later)), (far, None)]);
    let heard = terminal_states::heard_of(&mut read, near).await.expect("asks");
    assert_eq!(heard.map(|it| it.last_seen_at), Some(Some(later)));
    let known = orders::last_heard(&mut read).await.expect("lists");
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [(near, later)]);
    notes.keep("terminal_states", &(page, rest, seen));
}

/// Each stream and each kind is numbered apart, and a later epoch begins from 1.
async fn numbered(city: &City) {
    let mut tx = city.app.db.begin().await.expect("begins");
    let stream = |topic: &str| Stream { authority: code(CITY), topic: code(topic) };
    let mut taken = Vec::new();
    for (topic, kind) in [
        (FAR, StreamKind::Order),
        (FAR, StreamKind::Order),
        (FAR, StreamKind::Command),
        (VILLAGE, StreamKind::Order),
    ] {
        taken.push(orders::take_number(&mut tx, stream(topic), kind).await.expect("takes"));
    }
    let at = |epoch, number| Sequence { epoch, number };
    assert_eq!(taken, [at(1, 1), at(1, 2), at(1, 1), at(1, 1)]);
    epochs::raise(&mut tx, 9).await.expect("raises");
    let back = epochs::raise(&mut tx, 9).await;
    assert!(matches!(back, Err(StoreError::Conflict { table: "epochs" })), "never back: {back:?}");
    assert_eq!(epochs::current(&mut tx).await.expect("asks"), 9);
    let mut taken = Vec::new();
    for topic in [FAR, FAR, "350213105201"] {
        let next = orders::take_number(&mut tx, stream(topic), StreamKind::Order).await;
        taken.push(next.expect("takes"));
    }
    assert_eq!(taken, [at(9, 1), at(9, 2), at(9, 1)], "old streams and new ones");
    tx.rollback().await.expect("rolls back");
}
