//! From the draft to the signed order.

use protocols::order::Purpose;

use super::*;
use crate::app::alerts::preview;
use crate::domain::actor::Denied;
use crate::domain::alert::lifecycle::LifecycleError;
use crate::domain::alert::persons::PersonsNeeded;

#[tokio::test]
async fn one_officer_issues_yellow_in_one_town_and_its_terminals_are_frozen() {
    let city = city().await;
    let alert = city.issued().await;
    assert_eq!(alert.lifecycle.state(), "issued");
    assert!(alert.closures.is_some(), "the ends are prepared from the moment of issue");
    let orders = city.orders(&alert.id).await;
    let [(order, false)] = orders.as_slice() else { panic!("one order, in force: {orders:?}") };
    assert_eq!(order.purpose, Purpose::Alert);
    assert_eq!(order.stream.topic, code(TOWN));
    assert_eq!((order.sequence.epoch, order.sequence.number), (1, 1));
    assert_eq!(order.alert.identifier, alert.id);
    assert_eq!(Some(order.alert_digest), alert.cap_digest);
    assert_eq!(order.texts[0].text, "台风预警。台风今晚登陆。请留在室内。");
    let mut read = city.app.db.read().await.expect("a connection");
    let progress = store::orders::progress(&mut read, &alert.id).await.expect("read");
    assert_eq!(progress, [("alert".to_owned(), "pending".to_owned(), 2)]);
    let document = store::cap_documents::find(&mut read, order.alert_digest).await.expect("read");
    let reading = protocols::cap::read(&document.expect("kept"));
    assert_eq!(reading.alert.expect("our own CAP is sound").key(), order.alert);
}

#[tokio::test]
async fn the_same_stream_never_gives_a_number_twice() {
    let city = city().await;
    let (first, second) = (city.issued().await, city.issued().await);
    let numbers = [&first.id, &second.id].map(|id| city.orders(id));
    let [first, second] = numbers;
    assert_eq!(first.await[0].0.sequence.number, 1);
    assert_eq!(second.await[0].0.sequence.number, 2);
}

#[tokio::test]
async fn red_waits_for_an_approver_who_is_not_the_author() {
    let city = city().await;
    let alert = city.draft(TOWN, content(Some(AlertColor::Red), &[TOWN])).await;
    city.submit(&alert.id).await.expect("submitted");
    let early = city.issue(&alert.id).await;
    assert!(
        matches!(early, Err(AlertError::Lifecycle(LifecycleError::TooFewPersons))),
        "{early:?}"
    );
    let mut own = author();
    own.grants[0].role = Role::Commander;
    let own = city.approve(&alert.id, &own).await;
    assert!(matches!(own, Err(AlertError::Lifecycle(LifecycleError::IsAuthor))), "{own:?}");
    city.approve(&alert.id, &approver(2)).await.expect("approved");
    assert_eq!(city.issue(&alert.id).await.expect("issued").lifecycle.state(), "issued");
}

#[tokio::test]
async fn two_districts_take_two_approvers() {
    let city = city().await;
    let mut tx = city.app.db.begin().await.expect("begun");
    let beyond = other_villages(&mut tx, &city.app).await[1].to_string();
    drop(tx);
    let alert = city.draft(CITY, content(Some(AlertColor::Blue), &[VILLAGE, &beyond])).await;
    city.submit(&alert.id).await.expect("submitted");
    let once = city.approve(&alert.id, &approver(2)).await.expect("approved");
    assert_eq!(once.lifecycle.state(), "submitted");
    city.approve(&alert.id, &approver(3)).await.expect("approved");
    city.issue(&alert.id).await.expect("issued");
    assert_eq!(city.orders(&alert.id).await.len(), 2, "one order a topic");
}

#[tokio::test]
async fn an_edit_voids_the_approval_and_a_stale_version_is_refused() {
    let city = city().await;
    let alert = city.draft(TOWN, content(Some(AlertColor::Red), &[TOWN])).await;
    city.submit(&alert.id).await.expect("submitted");
    let approved = city.approve(&alert.id, &approver(2)).await.expect("approved");
    let mut tx = city.app.db.begin().await.expect("begun");
    let mut changed = alert.content.clone();
    changed.texts[0].instruction = "请立即转移。".to_owned();
    let edit = |version| (version, changed.clone());
    let (version, body) = edit(alert.version);
    let stale = draft::edit(&mut tx, &city.app, &author(), &alert.id, version, body, &[]).await;
    assert!(matches!(stale, Err(AlertError::Stale)), "{stale:?}");
    let (version, body) = edit(approved.version);
    let edited = draft::edit(&mut tx, &city.app, &author(), &alert.id, version, body, &[]).await;
    assert_eq!(edited.expect("edited").lifecycle.state(), "draft");
    tx.commit().await.expect("committed");
    let issue = city.issue(&alert.id).await;
    assert!(matches!(issue, Err(AlertError::Lifecycle(_))), "{issue:?}");
}

#[tokio::test]
async fn nobody_issues_with_a_grant_elsewhere_or_without_a_fresh_second_factor() {
    let city = city().await;
    let alert = city.draft(TOWN, content(Some(AlertColor::Yellow), &[TOWN])).await;
    city.submit(&alert.id).await.expect("submitted");
    let mut tx = city.app.db.begin().await.expect("begun");
    let elsewhere = person(1, Role::Composer, "350212000000");
    let refused = issue::issue(&mut tx, &city.app, &elsewhere, &alert.id).await;
    assert!(matches!(refused, Err(AlertError::NotFound)), "{refused:?}");
    let mut tired = author();
    tired.stepped_up_at = None;
    let refused = issue::issue(&mut tx, &city.app, &tired, &alert.id).await;
    assert!(matches!(refused, Err(AlertError::Denied(Denied::StepUp { .. }))), "{refused:?}");
}

#[tokio::test]
async fn a_target_without_terminals_is_refused_at_preview_and_at_submit() {
    let city = city().await;
    let alert = city.draft(CITY, content(Some(AlertColor::Yellow), &["350211102202"])).await;
    let rules = |error: AlertError| {
        let text = error.to_string();
        let AlertError::Faults(faults) = error else { panic!("faults, not {text}") };
        faults.into_iter().map(|fault| fault.rule).collect::<Vec<_>>()
    };
    let refused = city.submit(&alert.id).await.expect_err("nobody there");
    assert_eq!(rules(refused), ["area-without-terminal"]);
    let mut read = city.app.db.read().await.expect("a connection");
    let refused = preview::preview(&mut read, &city.app, &alert).await.expect_err("nobody there");
    assert_eq!(rules(refused), ["area-without-terminal"]);
}

#[tokio::test]
async fn a_preview_names_those_that_would_stay_silent() {
    let city = city().await;
    let alert = city.draft(TOWN, content(Some(AlertColor::Yellow), &[TOWN])).await;
    let heard = TerminalId::new(code(VILLAGE), 1).expect("a terminal");
    let mut tx = city.app.db.begin().await.expect("begun");
    sqlx::query("insert into terminal_states (terminal, last_seen_at) values ($1, $2)")
        .bind(heard.to_string())
        .bind(NOW.as_microsecond())
        .execute(&mut *tx)
        .await
        .expect("noted");
    tx.commit().await.expect("committed");
    let mut read = city.app.db.read().await.expect("a connection");
    let preview = preview::preview(&mut read, &city.app, &alert).await.expect("a preview");
    assert_eq!((preview.terminals, preview.silent_count), (2, 1));
    assert_eq!(preview.silent[0].terminal.number(), 2);
    assert_eq!(preview.needed, PersonsNeeded::One);
}

#[tokio::test]
async fn an_emergency_issue_is_out_at_once_and_stands_as_a_breach_until_countersigned() {
    let city = city().await;
    let alert = city.draft(TOWN, content(Some(AlertColor::Red), &[TOWN])).await;
    let mut tx = city.app.db.begin().await.expect("begun");
    let by = author();
    let town = person(1, Role::Composer, TOWN);
    let issued = issue::issue_at_once(&mut tx, &city.app, &town, &alert.id, "溃坝").await;
    assert_eq!(issued.expect("issued at once").lifecycle.state(), "issued");
    tx.commit().await.expect("committed");
    city.clock.advance(SignedDuration::from_mins(31));
    let mut tx = city.app.db.begin().await.expect("begun");
    assert_eq!(super::super::close::announce_breaches(&mut tx, &city.app).await.expect("told"), 1);
    assert_eq!(super::super::close::announce_breaches(&mut tx, &city.app).await.expect("once"), 0);
    let fresh = |mut actor: Actor| {
        actor.stepped_up_at = Some(city.app.now());
        actor
    };
    // A grant on the town itself is no wider one; the author is nobody else.
    let same = fresh(person(2, Role::Commander, TOWN));
    let refused = issue::countersign(&mut tx, &city.app, &same, &alert.id).await;
    assert!(matches!(refused, Err(AlertError::Denied(_))), "{refused:?}");
    let mut own = fresh(by);
    own.grants[0].role = Role::Commander;
    let refused = issue::countersign(&mut tx, &city.app, &own, &alert.id).await;
    assert!(matches!(refused, Err(AlertError::Lifecycle(LifecycleError::IsAuthor))), "{refused:?}");
    let wider = fresh(person(3, Role::Commander, DISTRICT));
    let signed = issue::countersign(&mut tx, &city.app, &wider, &alert.id).await.expect("signed");
    let emergency = signed.lifecycle.emergency().expect("an emergency");
    assert!(!emergency.is_breach(city.app.now()));
    assert_eq!(signed.lifecycle.state(), "issued", "a breach never cancels the alert");
}

#[tokio::test]
async fn an_update_takes_as_many_persons_as_the_alert_whose_place_it_takes() {
    let city = city().await;
    let red = city.draft(CITY, content(Some(AlertColor::Red), &[CITY])).await;
    city.submit(&red.id).await.expect("submitted");
    city.approve(&red.id, &approver(2)).await.expect("approved");
    city.approve(&red.id, &approver(3)).await.expect("approved");
    city.issue(&red.id).await.expect("issued");
    // One town in yellow takes one person, and the end of a city's red warning does not.
    let small = content(Some(AlertColor::Yellow), &[TOWN]);
    let mut tx = city.app.db.begin().await.expect("begun");
    let update = draft::update(&mut tx, &city.app, &author(), &red.id, Some(small)).await;
    tx.commit().await.expect("committed");
    let update = update.expect("drafted");
    let submitted = city.submit(&update.id).await.expect("submitted");
    assert_eq!(submitted.lifecycle.state(), "submitted");
    assert!(city.issue(&update.id).await.is_err(), "nobody has approved");
    city.approve(&update.id, &approver(2)).await.expect("approved");
    assert!(city.issue(&update.id).await.is_err(), "two approve what reaches the city");
    city.approve(&update.id, &approver(3)).await.expect("approved");
    city.issue(&update.id).await.expect("issued");
}
