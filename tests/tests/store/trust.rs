//! Revocation lists, drill enrolments, certificates' ends, and who an external broker must know.

use dispatcher::app::regions;
use dispatcher::domain::actor::ActorId;
use dispatcher::domain::drill::DrillScope;
use dispatcher::domain::terminal::Terminal;
use dispatcher::store::drill_enrolments::{self, DrillEnrolment};
use dispatcher::store::revocations::{self, SealedList};
use dispatcher::store::terminals::{self, BrokerMember, PasswordVerifiers};
use dispatcher::store::{Db, StoreError, terminal_states};
use jiff::{SignedDuration, Timestamp};
use protocols::digest::Digest;
use protocols::terminal::TerminalId;

const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);
const HORN: &str = "350211102201-0001";

pub(crate) async fn run(db: &Db) {
    let city = "350200000000".parse().expect("a code");
    regions::seed(db, city).await.expect("seeded");
    lists(db).await;
    members(db).await;
    drills(db).await;
}

async fn lists(db: &Db) {
    let mut tx = db.begin().await.expect("begun");
    assert_eq!(revocations::newest(&mut tx).await.expect("read"), None);
    for number in [1, 3] {
        let list = SealedList { number, sealed: vec![number as u8; 40] };
        revocations::insert(&mut tx, &list, ActorId::System, NOW).await.expect("kept");
    }
    let newest = revocations::newest(&mut tx).await.expect("read").expect("one");
    assert_eq!((newest.number, newest.sealed.len()), (3, 40));
    tx.commit().await.expect("committed");
    let mut tx = db.begin().await.expect("begun");
    let again = SealedList { number: 3, sealed: Vec::new() };
    let twice = revocations::insert(&mut tx, &again, ActorId::System, NOW).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "{twice:?}");
    tx.rollback().await.expect("rolled back");
}

async fn members(db: &Db) {
    let id: TerminalId = HORN.parse().expect("an id");
    let mut tx = db.begin().await.expect("begun");
    let planned = Terminal {
        id,
        name: "村委会".to_owned(),
        position: None,
        public_key: None,
        enrolled_at: None,
        retired_at: None,
        is_speaking: true,
        version: 1,
    };
    terminals::insert(&mut tx, &planned).await.expect("planned");
    assert!(terminals::broker_members(&mut tx).await.expect("read").is_empty(), "not enrolled");
    assert!(revocations::villages(&mut tx).await.expect("read").is_empty());
    assert_eq!(terminal_states::nearest_expiry(&mut tx).await.expect("read"), None);
    let password = PasswordVerifiers {
        digest: Digest([1; 32]),
        mosquitto: "$7$m".to_owned(),
        nats: "$2a$n".to_owned(),
    };
    terminals::enrol(&mut tx, id, &[2; 32], &password, NOW).await.expect("enrolled");
    let (mosquitto, nats) = (Some(password.mosquitto), Some(password.nats));
    let members = terminals::broker_members(&mut tx).await.expect("read");
    assert_eq!(members, [BrokerMember { id, mosquitto, nats }]);
    assert_eq!(revocations::villages(&mut tx).await.expect("read"), [id.village()]);
    for (number, hours) in [(1, 48), (2, 24)] {
        let vitals = terminal_states::Vitals {
            terminal: id,
            journal_id: 9,
            number,
            certificate_expires: Some(NOW + SignedDuration::from_hours(hours)),
            body: vec![0],
        };
        terminal_states::note_vitals(&mut tx, &vitals, NOW).await.expect("noted");
    }
    let day = NOW + SignedDuration::from_hours(24);
    assert_eq!(terminal_states::nearest_expiry(&mut tx).await.expect("read"), Some(day));
    assert_eq!(terminal_states::expiring_before(&mut tx, day).await.expect("read"), 0);
    let later = day + SignedDuration::from_micros(1);
    assert_eq!(terminal_states::expiring_before(&mut tx, later).await.expect("read"), 1);
    tx.commit().await.expect("committed");
}

async fn drills(db: &Db) {
    let mut tx = db.begin().await.expect("begun");
    let scope = DrillScope {
        regions: vec!["350211103000".parse().expect("a code")],
        terminals: vec![HORN.parse().expect("an id")],
    };
    let enrolment = |id: &str, drill: &str| DrillEnrolment {
        id: id.to_owned(),
        version: 1,
        drill: drill.to_owned(),
        region: "350211000000".parse().expect("a code"),
        scope: scope.clone(),
        from: NOW,
        until: NOW + SignedDuration::from_hours(2),
        made_by: ActorId::System,
        made_at: NOW,
        ended: None,
    };
    let (one, two) = (enrolment("a1", "台风"), enrolment("a2", "other"));
    for enrolment in [&one, &two] {
        drill_enrolments::insert(&mut tx, enrolment).await.expect("written");
    }
    assert_eq!(drill_enrolments::find(&mut tx, "a1").await.expect("read"), Some(one.clone()));
    assert_eq!(drill_enrolments::find(&mut tx, "a3").await.expect("read"), None);
    let of = drill_enrolments::of_drill(&mut tx, "台风", NOW).await.expect("read");
    assert_eq!(of, std::slice::from_ref(&one));
    let over = drill_enrolments::of_drill(&mut tx, "台风", one.until).await.expect("read");
    assert!(over.is_empty());
    let list = drill_enrolments::list(&mut tx, "350212", None, None, 10).await.expect("read");
    assert_eq!(list.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a2", "a1"]);
    let page = drill_enrolments::list(&mut tx, "350212", Some("台风"), Some("a2"), 10).await;
    assert_eq!(page.expect("read"), std::slice::from_ref(&one));
    let none = drill_enrolments::list(&mut tx, "350211", None, None, 10).await.expect("read");
    assert!(none.is_empty(), "another region");
    drill_enrolments::end(&mut tx, &one, ActorId::System, NOW).await.expect("ended");
    let stale = drill_enrolments::end(&mut tx, &one, ActorId::System, NOW).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })), "{stale:?}");
    let ended = drill_enrolments::find(&mut tx, "a1").await.expect("read").expect("there");
    assert_eq!((ended.version, ended.ended), (2, Some((ActorId::System, NOW))));
    let of = drill_enrolments::of_drill(&mut tx, "台风", NOW).await.expect("read");
    assert!(of.is_empty(), "ended");
    drill_enrolments::end_commands(&mut tx, "a1", NOW).await.expect("there are none");
    tx.commit().await.expect("committed");
}
