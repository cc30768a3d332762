//! Regions, the ministry's codes, terminals and the codes by which they join.

use dispatcher::app::{regions, terminals};
use dispatcher::domain::actor::{Actor, ActorId};
use dispatcher::domain::terminal::TerminalDetails;
use dispatcher::store::terminals::PasswordVerifiers;
use dispatcher::store::{self, StoreError, enrolments, terminal_states};
use jiff::SignedDuration;
use protocols::digest::Digest;
use protocols::terminal::TerminalId;

use crate::Notes;
use crate::city::{CITY, City, DISTRICT, FAR, NOW, TOWN, VILLAGE, code};

pub(crate) async fn run(city: &City, notes: &mut Notes) {
    list(city, notes).await;
    stand(city, notes).await;
    join(city, notes).await;
}

async fn list(city: &City, notes: &mut Notes) {
    let mut tx = city.app.db.begin().await.expect("begins");
    let count = store::regions::count(&mut tx).await.expect("counts");
    assert!(count > 500, "{count}");
    assert_eq!(store::count_regions(&mut tx).await.expect("counts"), count);
    let town = store::regions::get(&mut tx, code(TOWN)).await.expect("asks").expect("there");
    assert_eq!((town.name.as_str(), town.is_target), ("灌口镇", true));
    assert_eq!(store::regions::get(&mut tx, code("350299000000")).await.expect("asks"), None);
    let tree = store::regions::tree(&mut tx).await.expect("reads");
    assert_eq!(tree.get(code(TOWN)), Some(&town));
    let aliases = store::regions::aliases(&mut tx).await.expect("reads");
    assert!(!aliases.is_empty());
    notes.keep("regions.tree", &tree);
    notes.keep("regions.aliases", &aliases);

    // A list without one village and without one code of the ministry.
    let before = store::regions::revision(&mut tx).await.expect("asks");
    let shorter = tree.iter().filter(|region| region.code != code(FAR)).cloned();
    let shorter = shorter.collect::<Vec<_>>();
    let fewer = &aliases[..aliases.len() - 1];
    let imported = regions::import(&mut tx, &shorter, fewer).await.expect("imports");
    assert_eq!((imported.removed, imported.changed), (1, 0));
    assert_eq!(store::regions::revision(&mut tx).await.expect("asks"), before + 1);
    assert_eq!(store::regions::get(&mut tx, code(FAR)).await.expect("asks"), None);
    assert_eq!(store::regions::aliases(&mut tx).await.expect("reads").len(), fewer.len());
    let gone = store::regions::delete(&mut tx, code(FAR)).await;
    assert!(matches!(gone, Err(StoreError::Conflict { table: "regions" })), "{gone:?}");
    tx.rollback().await.expect("rolls back");
    let mut read = city.app.db.read().await.expect("connects");
    assert_eq!(store::regions::count(&mut read).await.expect("counts"), count, "nothing remains");
}

/// What brokers keep of a terminal's password.
fn password(id: TerminalId) -> PasswordVerifiers {
    PasswordVerifiers {
        digest: Digest::of(id.to_string().as_bytes()),
        mosquitto: format!("$7$ of {id}"),
        nats: format!("bcrypt of {id}"),
    }
}

/// Three terminals in one village, one in another, one of them retired.
async fn stand(city: &City, notes: &mut Notes) {
    let by = Actor::system();
    let mut tx = city.app.db.begin().await.expect("begins");
    for (village, place) in [
        (VILLAGE, Some((24.6, 118.0))),
        (VILLAGE, None),
        (VILLAGE, Some((-0.5, -118.25))),
        (FAR, None),
    ] {
        let name = "村委会".to_owned();
        let details = TerminalDetails { name, place, is_speaking: true };
        terminals::create(&mut tx, NOW, &by, code(village), &details).await.expect("plans");
    }
    assert_eq!(store::terminals::next_number(&mut tx, code(VILLAGE)).await.expect("asks"), 4);
    let district = code(DISTRICT).range();
    let page = store::terminals::list(&mut tx, &district, "", 2).await.expect("lists");
    assert_eq!(page.len(), 2);
    let last = page[1].id.to_string();
    let rest = store::terminals::list(&mut tx, &district, &last, 2).await.expect("lists");
    assert_eq!(rest.len(), 1, "the other district is left out");
    notes.keep("terminals.list", &(page, &rest));
    let third = rest[0].clone();
    assert_eq!(third.position.map(|at| (at.lat(), at.lon())), Some((-0.5, -118.25)));

    store::terminals::save(&mut tx, &third).await.expect("saves");
    let stale = store::terminals::save(&mut tx, &third).await;
    assert!(matches!(stale, Err(StoreError::Conflict { table: "terminals" })), "{stale:?}");
    let fresh = store::terminals::get(&mut tx, third.id).await.expect("asks").expect("there");
    assert_eq!(fresh.version, third.version + 1);
    for id in [terminal(VILLAGE, 1), terminal(VILLAGE, 3), terminal(FAR, 1)] {
        let key = vec![id.number() as u8; 32];
        let password = password(id);
        store::terminals::enrol(&mut tx, id, &key, &password, NOW).await.expect("enrols");
    }
    let fresh = store::terminals::get(&mut tx, third.id).await.expect("asks").expect("there");
    terminals::retire(&mut tx, NOW, &by, third.id, fresh.version).await.expect("retires");
    let again =
        store::terminals::enrol(&mut tx, third.id, &[1; 32], &password(third.id), NOW).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "a retired one stays so");
    store::regions::raise_revision(&mut tx).await.expect("raises");
    tx.commit().await.expect("commits");

    let mut read = city.app.db.read().await.expect("connects");
    let (first, far) = (terminal(VILLAGE, 1), terminal(FAR, 1));
    let keys = [first, third.id, terminal(VILLAGE, 2)];
    let mut known = Vec::new();
    for id in keys {
        known.push((
            store::terminals::public_key(&mut read, id).await.expect("asks"),
            store::terminals::mqtt_password(&mut read, id).await.expect("asks"),
            terminal_states::enrolled(&mut read, id).await.expect("asks"),
        ));
    }
    assert!(known[0].0.is_some() && known[0].1.is_some() && known[0].2.is_some());
    assert_eq!(known[1..], [(None, None, None), (None, None, None)], "retired, and planned");
    notes.keep("terminals.keys", &known);
    let places = store::terminals::places(&mut read).await.expect("lists");
    assert_eq!(places.iter().map(|place| place.id).collect::<Vec<_>>(), [first, far]);
    notes.keep("terminals.places", &places);
    assert_eq!(store::terminals::retired_since(&mut read, NOW).await.expect("lists"), [third.id]);
    let counts = [DISTRICT, CITY, TOWN].map(code);
    for (region, wanted) in counts.into_iter().zip([2, 3, 2]) {
        let found = store::terminals::count_within(&mut read, region).await.expect("counts");
        assert_eq!(found, wanted, "{region}");
    }
}

pub(crate) fn terminal(village: &str, number: u16) -> TerminalId {
    TerminalId::new(code(village), number).expect("a terminal")
}

/// A code counts once, in its time, and not after a newer one.
async fn join(city: &City, notes: &mut Notes) {
    let id = terminal(VILLAGE, 2);
    let [first, second, third] = [b"first", b"secnd", b"third"].map(|secret| Digest::of(secret));
    let mut tx = city.app.db.begin().await.expect("begins");
    let by = ActorId::System;
    for secret in [first, second, third] {
        let until = NOW + SignedDuration::from_hours(24);
        enrolments::insert(&mut tx, secret, id, by, NOW, until).await.expect("writes");
    }
    let late = NOW + SignedDuration::from_hours(24);
    assert_eq!(enrolments::claim(&mut tx, first, late).await.expect("asks"), None, "too late");
    assert_eq!(enrolments::claim(&mut tx, first, NOW).await.expect("asks"), Some(id));
    assert_eq!(enrolments::claim(&mut tx, first, NOW).await.expect("asks"), None, "once");
    enrolments::revoke(&mut tx, id, NOW).await.expect("revokes");
    let revoked = enrolments::claim(&mut tx, second, NOW).await.expect("asks");
    let unknown = enrolments::claim(&mut tx, Digest([0; 32]), NOW).await.expect("asks");
    assert_eq!((revoked, unknown), (None, None));
    notes.keep("enrolments.claim", &(revoked, unknown));
    tx.commit().await.expect("commits");
}
