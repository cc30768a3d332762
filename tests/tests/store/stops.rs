//! Regions that are silenced, and the commands that do it.

use dispatcher::app::stops as cases;
use dispatcher::domain::authority::Role;
use dispatcher::store::{StoreError, outbox, stops};

use crate::Notes;
use crate::city::{CITY, City, TOWN, VILLAGE, code, person};

pub(crate) async fn run(city: &City, notes: &mut Notes) {
    let (app, by) = (&city.app, person(2, Role::Commander));
    let now = app.now();
    let mut tx = app.db.begin().await.expect("begins");
    let town = cases::place(&mut tx, app, &by, code(TOWN), "misfire").await.expect("places");
    let village = cases::place(&mut tx, app, &by, code(VILLAGE), "quiet").await.expect("places");
    let twice = cases::place(&mut tx, app, &by, code(TOWN), "again").await;
    assert!(matches!(twice, Err(cases::StopError::Already(_))), "{twice:?}");
    let waiting = outbox::unpublished_commands(&mut tx, now, 9).await.expect("asks");
    assert_eq!(waiting.len(), 2);
    outbox::command_published(&mut tx, &waiting[0].id, now).await.expect("notes");
    assert_eq!(outbox::unpublished_commands(&mut tx, now, 9).await.expect("asks").len(), 1);
    notes.keep("outbox.unpublished_commands", &waiting);

    let lifted = cases::lift(&mut tx, app, &by, &village.id).await.expect("lifts");
    assert!(lifted.lifted.is_some());
    let stale = stops::lift(&mut tx, &village, by.id, now).await;
    assert!(matches!(stale, Err(StoreError::Conflict { table: "stops" })), "{stale:?}");
    assert_eq!(stops::in_force(&mut tx, code(VILLAGE)).await.expect("asks"), None);
    let found = stops::in_force(&mut tx, code(TOWN)).await.expect("asks");
    assert_eq!(found.as_ref(), Some(&town));
    assert_eq!(stops::find(&mut tx, &village.id).await.expect("asks"), Some(lifted));
    assert_eq!(stops::find(&mut tx, "nobody").await.expect("asks"), None);
    let live = outbox::live_commands(&mut tx, now).await.expect("asks");
    assert_eq!(live.len(), 2, "one a region: the stop, and the lifting in the stop's place");
    notes.keep("outbox.live_commands", &live);

    let range = code(CITY).range();
    let in_force = stops::list(&mut tx, &range, true, None, 9).await.expect("lists");
    assert_eq!(in_force, std::slice::from_ref(&town));
    let newest = stops::list(&mut tx, &range, false, None, 1).await.expect("lists");
    let rest = stops::list(&mut tx, &range, false, Some(&newest[0].id), 9).await.expect("lists");
    assert_eq!((newest.len(), rest.len()), (1, 1));
    notes.keep("stops.list", &(newest, rest));

    assert_eq!(cases::renew(&mut tx, app).await.expect("asks"), 0, "none ends soon");
    let until = now + cases::COMMAND_VALID + cases::RENEW_BEFORE;
    let due = stops::to_renew(&mut tx, until, now - cases::LIFTING_TOLD, 9).await.expect("asks");
    assert_eq!(due.len(), 2);
    let due = stops::to_renew(&mut tx, until, now, 9).await.expect("asks");
    assert_eq!(due, [town], "the lifting was told long enough");
    tx.commit().await.expect("commits");
}
