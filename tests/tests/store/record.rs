//! The append-only record, the events and the keys of repeated requests.

use dispatcher::app::events::Topic;
use dispatcher::app::idempotency::{self, Answer, Begin, KeyError, Request, Running};
use dispatcher::app::{audit, events};
use dispatcher::domain::actor::ActorId;
use dispatcher::store::{self, Db};
use jiff::{SignedDuration, Timestamp};
use protocols::digest::Digest;
use protocols::region::RegionCode;
use serde_json::json;

fn region() -> RegionCode {
    "350200000000".parse().expect("a code")
}

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("valid")
}

/// Chain, outbox, keys.
pub(crate) async fn run(db: &Db) {
    let mut tx = db.begin().await.expect("begins");
    assert_eq!(store::audit::head(&mut tx).await.expect("asks"), (0, Vec::new()));
    for number in 1..=3 {
        let detail = json!({ "number": number, "why": "试播" });
        let by = ActorId::System;
        audit::append_as(&mut tx, start(), by, "probe", "x:1", &detail).await.expect("appends");
        let topic = Topic::Attention;
        events::push(&mut tx, start(), topic, region(), &json!({ "type": "probe" }))
            .await
            .expect("pushes");
    }
    tx.commit().await.expect("commits");
    chain(db).await;
    outbox(db).await;
    keys(db).await;
}

async fn chain(db: &Db) {
    let mut connection = db.read().await.expect("connects");
    let mut entries = store::audit::after(&mut connection, 0, 10).await.expect("lists");
    let head = store::audit::head(&mut connection).await.expect("asks");
    assert_eq!(audit::verify(None, &entries), Ok(head.clone()));
    let first = (entries[0].seq, entries[0].digest.clone());
    let rest = audit::verify(Some((first.0, &first.1)), &entries[1..]);
    assert_eq!(rest, Ok(head));
    let mut gap = entries.clone();
    gap.remove(1);
    assert_eq!(audit::verify(None, &gap), Err(audit::BrokenChain::Gap(3)));
    "{}".clone_into(&mut entries[1].detail);
    assert_eq!(audit::verify(None, &entries), Err(audit::BrokenChain::Content(2)));
    entries[1].digest = entries[1].expected_digest().0.to_vec();
    assert_eq!(audit::verify(None, &entries), Err(audit::BrokenChain::Link(3)));
}

async fn outbox(db: &Db) {
    let mut tx = db.begin().await.expect("begins");
    let all = store::events::after(&mut tx, 0, 10).await.expect("lists");
    assert_eq!(all.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(store::events::after(&mut tx, 2, 10).await.expect("lists").len(), 1);
    assert_eq!(store::events::newest(&mut tx).await.expect("asks"), 3);
    assert_eq!(store::events::oldest(&mut tx).await.expect("asks"), Some(1));
    assert_eq!(events::purge(&mut tx, start() + events::KEPT).await.expect("purges"), 0);
    let later = start() + events::KEPT + SignedDuration::from_secs(1);
    assert_eq!(events::purge(&mut tx, later).await.expect("purges"), 3);
    assert_eq!(store::events::oldest(&mut tx).await.expect("asks"), None);
    assert_eq!(store::events::newest(&mut tx).await.expect("asks"), 3, "numbers go on");
    tx.commit().await.expect("commits");
}

async fn keys(db: &Db) {
    let running = Running::default();
    let request = |body: &[u8]| Request {
        actor: ActorId::System,
        key: "k".to_owned(),
        fingerprint: Digest::of(body),
    };
    let answer = Answer { status: 201, body: "{}".to_owned(), location: Some("/x".to_owned()) };
    let begin = async |body: &[u8], now| idempotency::begin(db, &running, request(body), now).await;

    let Ok(Begin::New(dropped)) = begin(b"a", start()).await else { panic!("new") };
    assert!(matches!(begin(b"a", start()).await, Err(KeyError::Running)));
    drop(dropped);
    let Ok(Begin::New(work)) = begin(b"a", start()).await else { panic!("free after a drop") };
    work.finish(&answer).await.expect("finishes");
    let Ok(Begin::Replay(replayed)) = begin(b"a", start()).await else { panic!("replay") };
    assert_eq!(replayed, answer);
    assert!(matches!(begin(b"b", start()).await, Err(KeyError::OtherRequest)));
    let later = start() + idempotency::KEPT + SignedDuration::from_secs(1);
    let Ok(Begin::New(work)) = begin(b"b", later).await else { panic!("forgotten") };
    work.finish(&answer).await.expect("finishes");
    let mut tx = db.begin().await.expect("begins");
    let purged = idempotency::purge(&mut tx, later + idempotency::KEPT).await.expect("purges");
    assert_eq!(purged, 0);
    tx.commit().await.expect("commits");
}

/// Twenty tasks append at once: no number is lost or taken twice, and the chain holds.
pub(crate) async fn writers_take_turns(db: &Db) {
    let mut tasks = Vec::new();
    for number in 0..20 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            let mut tx = db.begin().await.expect("begins");
            let (by, detail) = (ActorId::System, json!({ "number": number }));
            audit::append_as(&mut tx, start(), by, "probe", "x:1", &detail).await.expect("appends");
            tx.commit().await.expect("commits");
        }));
    }
    for task in tasks {
        task.await.expect("ends");
    }
    let mut connection = db.read().await.expect("connects");
    let entries = store::audit::after(&mut connection, 0, 100).await.expect("lists");
    let head = store::audit::head(&mut connection).await.expect("asks");
    assert_eq!((entries.len(), head.0), (20, 20));
    assert_eq!(audit::verify(None, &entries), Ok(head));
}
