//! Signed heads, and what a restore asks of the database itself.

use std::path::Path;

use dispatcher::app::audit::{self, check, head};
use dispatcher::domain::actor::ActorId;
use dispatcher::store::{self, Db, Engine, audit_heads, migrations, restore};
use jiff::SignedDuration;
use protocols::digest::Digest;
use serde_json::json;

use crate::Notes;
use crate::city::{CITY, NOW, code, signer};

pub(crate) async fn run(db: &Db, notes: &mut Notes, folder: &Path) {
    heads(db, notes).await;
    ends(db).await;
    let mut read = db.read().await.expect("connects");
    let applied = migrations::applied(&mut read).await.expect("asks");
    assert_eq!(applied.len(), migrations::MIGRATIONS.len());
    drop(read);
    match db.engine() {
        Engine::Sqlite => file(db, folder).await,
        Engine::Postgres => server(db).await,
    }
}

async fn heads(db: &Db, notes: &mut Notes) {
    let (signer, roots) = signer(1);
    let mut tx = db.begin().await.expect("begins");
    assert_eq!(head::keep(&mut tx, &signer, NOW).await.expect("asks"), None, "empty");
    for number in 0..3 {
        let (by, detail) = (ActorId::System, json!({ "number": number }));
        audit::append_as(&mut tx, NOW, by, "probe", "x:1", &detail).await.expect("appends");
        let kept = head::keep(&mut tx, &signer, NOW).await.expect("keeps").expect("it grew");
        notes.keep("audit_heads.keep", &kept);
        assert_eq!(head::keep(&mut tx, &signer, NOW).await.expect("asks"), None, "it did not grow");
    }
    assert_eq!(audit_heads::newest(&mut tx).await.expect("asks"), Some((1, 3)));
    let page = audit_heads::after(&mut tx, (0, 0), 2).await.expect("lists");
    let rest = audit_heads::after(&mut tx, (1, 2), 2).await.expect("lists");
    assert_eq!((page.len(), rest.len()), (2, 1));
    let report = check::check(&mut tx, &[], &roots, code(CITY)).await.expect("checks");
    assert_eq!((report.entries, report.confirmed, report.faults.len()), (3, 3, 0));
    tx.commit().await.expect("commits");
}

/// Sessions, codes and event numbers end with a restore.
async fn ends(db: &Db) {
    let mut tx = db.begin().await.expect("begins");
    assert_eq!(restore::end_sessions(&mut tx, NOW).await.expect("ends"), 0);
    assert_eq!(restore::end_enrolments(&mut tx, NOW).await.expect("ends"), 0);
    let before = store::events::newest(&mut tx).await.expect("asks");
    restore::skip_events(&mut tx).await.expect("skips");
    assert!(store::events::newest(&mut tx).await.expect("asks") > before + 500_000);
    let later = NOW + SignedDuration::from_hours(1);
    assert_eq!(store::sessions::purge(&mut tx, later).await.expect("purges"), 0);
    tx.rollback().await.expect("rolls back");
}

async fn file(db: &Db, folder: &Path) {
    let path = folder.join("copy.db");
    let mut read = db.read().await.expect("connects");
    restore::copy_into(&mut read, &path.to_string_lossy()).await.expect("copies");
    let again = restore::copy_into(&mut read, &path.to_string_lossy()).await;
    assert!(again.is_err(), "nothing is written over");
    drop(read);
    let url = format!("sqlite:{}", path.display());
    let (copy, other) = (Db::connect(&url, 1).await, Db::connect(&url, 1).await);
    let (copy, other) = (copy.expect("opens"), other.expect("opens"));
    let mut read = copy.read().await.expect("connects");
    assert_eq!(restore::integrity(&mut read).await.expect("asks"), "ok");
    let (number, digest) = store::audit::head(&mut read).await.expect("asks");
    assert_eq!((number, digest.len()), (3, Digest::of(b"").0.len()));
    assert!(!restore::fold(&mut read).await.expect("asks"), "somebody else has it open");
    other.close().await;
    assert!(restore::fold(&mut read).await.expect("folds"));
    drop(read);
    copy.close().await;
}

async fn server(db: &Db) {
    let mut tx = db.begin().await.expect("begins");
    let tables = restore::count_tables(&mut tx).await.expect("counts");
    assert_eq!(usize::try_from(tables).expect("few"), crate::tables::names().count());
    restore::empty(&mut tx).await.expect("empties");
    assert_eq!(restore::count_tables(&mut tx).await.expect("counts"), 0);
    tx.rollback().await.expect("rolls back");
}
