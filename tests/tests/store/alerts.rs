//! Alerts from draft to their three ends, through their use cases.

use dispatcher::app::alerts::{self as cases, approval, close, draft, issue};
use dispatcher::domain::actor::Actor;
use dispatcher::domain::alert::closure::Closure;
use dispatcher::domain::alert::content::{AlertContent, AlertText, REPEATS_DEFAULT};
use dispatcher::domain::alert::record::Alert;
use dispatcher::domain::authority::Role;
use dispatcher::domain::targeting::RequestedArea;
use dispatcher::store::alerts::{self, Filter};
use dispatcher::store::{StoreError, Tx};
use jiff::SignedDuration;
use protocols::alert::{AlertColor, BroadcastKind};

use crate::Notes;
use crate::city::{CITY, City, DISTRICT, NOW, TOWN, code, person};

pub(crate) fn content(color: AlertColor) -> AlertContent {
    AlertContent {
        kind: BroadcastKind::Actual,
        color: Some(color),
        event: "11B01".parse().ok(),
        is_move_out: false,
        texts: vec![AlertText {
            language: "zh-CN".to_owned(),
            headline: "台风预警".to_owned(),
            description: "台风今晚登陆。".to_owned(),
            instruction: "请留在室内。".to_owned(),
        }],
        area: RequestedArea { regions: vec![code(TOWN)], ..RequestedArea::default() },
        expires_at: Some(NOW + SignedDuration::from_hours(3)),
        repeats: REPEATS_DEFAULT,
        play_at: None,
        wants_out_of_area: false,
        drill: None,
        is_minor: false,
    }
}

fn author() -> Actor {
    person(1, Role::Composer)
}

fn commander() -> Actor {
    person(2, Role::Commander)
}

async fn submitted(tx: &mut Tx, city: &City, color: AlertColor) -> Alert {
    city.tick();
    let alert = draft::create(tx, &city.app, &author(), code(TOWN), content(color)).await;
    let alert = alert.expect("drafts");
    approval::submit(tx, &city.app, &author(), &alert.id).await.expect("submits")
}

/// Gives a yellow alert in force, another that one person issued at once, and a withdrawn one.
pub(crate) async fn run(city: &City, notes: &mut Notes) -> [Alert; 3] {
    let app = &city.app;
    let mut tx = app.db.begin().await.expect("begins");
    let yellow = submitted(&mut tx, city, AlertColor::Yellow).await;
    let yellow = issue::issue(&mut tx, app, &author(), &yellow.id).await.expect("issues");

    let red = submitted(&mut tx, city, AlertColor::Red).await;
    let digest = red.content_digest();
    let by = commander();
    let approved = approval::approve(&mut tx, app, &by, &red.id, digest, "read and right").await;
    approved.expect("approves");
    let red = issue::issue(&mut tx, app, &author(), &red.id).await.expect("issues");
    // An update takes the place of the red one; a withdrawal ends both.
    city.tick();
    let next = draft::update(&mut tx, app, &author(), &red.id, None).await.expect("drafts");
    let next = approval::submit(&mut tx, app, &author(), &next.id).await.expect("submits");
    let digest = next.content_digest();
    approval::approve(&mut tx, app, &by, &next.id, digest, "as before").await.expect("approves");
    let next = issue::issue(&mut tx, app, &author(), &next.id).await.expect("issues");
    let how = Closure::Withdrawn;
    let ended = close::close(&mut tx, app, &by, &next.id, how, None, "误发").await;
    let ended = ended.expect("withdraws");
    assert_eq!(ended.lifecycle.state(), "closed");
    let chain = alerts::chain(&mut tx, &red.chain).await.expect("reads");
    let states = chain.iter().map(|alert| alert.lifecycle.state()).collect::<Vec<_>>();
    assert_eq!(states, ["updated", "closed"]);
    notes.keep("alerts.chain", &chain);

    let orange = submitted(&mut tx, city, AlertColor::Orange).await;
    let orange = issue::issue_at_once(&mut tx, app, &by, &orange.id, "flood").await;
    let orange = orange.expect("issues at once");
    tx.commit().await.expect("commits");
    versions(city, &yellow).await;
    pages(city, notes).await;
    deadlines(city, &yellow, &orange, notes).await;
    [yellow, orange, ended]
}

async fn versions(city: &City, alert: &Alert) {
    let mut tx = city.app.db.begin().await.expect("begins");
    let read = alerts::find(&mut tx, &alert.id).await.expect("asks").expect("there");
    assert_eq!(&read, alert, "what is read is what was saved");
    alerts::save(&mut tx, &read).await.expect("saves");
    let stale = alerts::save(&mut tx, &read).await;
    assert!(matches!(stale, Err(StoreError::Conflict { table: "alerts" })), "{stale:?}");
    let twice = alerts::insert(&mut tx, &read).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "{twice:?}");
    tx.rollback().await.expect("rolls back");
    let mut read = city.app.db.read().await.expect("connects");
    assert_eq!(alerts::find(&mut read, "nobody").await.expect("asks"), None);
}

async fn pages(city: &City, notes: &mut Notes) {
    let mut read = city.app.db.read().await.expect("connects");
    let (from, until) = code(CITY).range();
    let all = Filter { from, until, state: String::new(), kind: String::new(), before: None };
    let first = alerts::page(&mut read, &all, 3).await.expect("lists");
    assert_eq!(first.len(), 3);
    let before = first.last().map(|alert| alert.id.clone());
    let rest = alerts::page(&mut read, &Filter { before, ..all.clone() }, 3).await.expect("lists");
    assert_eq!(rest.len(), 1, "four in all");
    let issued = Filter { state: "issued".to_owned(), kind: "actual".to_owned(), ..all.clone() };
    assert_eq!(alerts::page(&mut read, &issued, 9).await.expect("lists").len(), 2);
    let (from, until) = code("350212000000").range();
    let elsewhere = Filter { from, until, ..all };
    assert_eq!(alerts::page(&mut read, &elsewhere, 9).await.expect("lists"), Vec::new());
    notes.keep("alerts.page", &(first, rest));
}

/// The countersign is due before the alerts expire; both are found when their time has come.
async fn deadlines(city: &City, yellow: &Alert, orange: &Alert, notes: &mut Notes) {
    let app = &city.app;
    let mut tx = app.db.begin().await.expect("begins");
    let due = orange.lifecycle.emergency().expect("an emergency").due_at;
    assert_eq!(alerts::next_deadline(&mut tx).await.expect("asks"), Some(due));
    assert_eq!(alerts::new_breaches(&mut tx, NOW, 9).await.expect("asks"), Vec::new());
    let breaches = alerts::new_breaches(&mut tx, due, 9).await.expect("asks");
    assert_eq!(breaches.iter().map(|it| it.alert.as_str()).collect::<Vec<_>>(), [&*orange.id]);
    notes.keep("alerts.new_breaches", &breaches);
    alerts::mark_breached(&mut tx, &orange.id, due).await.expect("marks");
    let twice = alerts::mark_breached(&mut tx, &orange.id, due).await;
    assert!(matches!(twice, Err(StoreError::Conflict { .. })), "told once");
    assert_eq!(alerts::new_breaches(&mut tx, due, 9).await.expect("asks"), Vec::new());
    let end = yellow.expires_at();
    assert_eq!(alerts::next_deadline(&mut tx).await.expect("asks"), Some(end));
    let expired = alerts::expired(&mut tx, end, 9).await.expect("asks");
    assert_eq!(expired.len(), 2);
    assert_eq!(alerts::expired(&mut tx, NOW, 9).await.expect("asks"), Vec::new());
    tx.rollback().await.expect("rolls back");

    // One of the district, as its own draft: rejected, and taken back.
    let mut tx = app.db.begin().await.expect("begins");
    let blue = content(AlertColor::Blue);
    let alert = draft::create(&mut tx, app, &author(), code(DISTRICT), blue).await;
    let alert = alert.expect("drafts");
    approval::submit(&mut tx, app, &author(), &alert.id).await.expect("submits");
    let back = approval::take_back(&mut tx, app, &author(), &alert.id).await.expect("takes back");
    assert_eq!(back.lifecycle.state(), "draft");
    cases::load(&mut tx, &commander(), &alert.id).await.expect("is there");
    tx.rollback().await.expect("rolls back");
}
