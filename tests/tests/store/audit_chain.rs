//! The record under attack: each way of changing it is found, and the first broken entry is named.

use dispatcher::app::audit::check::{self, Claim, RESTORED, RecordFault, Report};
use dispatcher::app::audit::head::ForeignHead;
use dispatcher::app::audit::{self, BrokenChain, head};
use dispatcher::context::Signer;
use dispatcher::domain::actor::ActorId;
use dispatcher::store::{self, Db, Tx, epochs};
use jiff::{SignedDuration, Timestamp};
use protocols::audit::AuditHead;
use protocols::digest::Digest;
use protocols::trust::{Roots, TrustError};
use protocols::wire::{self, MessageType};
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::city::{CITY, NOW, code, signer};
use crate::tables::OWN;
use crate::{TURN, both};

/// A record of six entries, with signed heads at 2, 4 and 6: in the database, and as told outside.
struct Record {
    told: Vec<Claim>,
    signer: Signer,
    roots: Roots,
}

impl Record {
    async fn written(db: &Db) -> Self {
        let (signer, roots) = signer(1);
        let mut told = Vec::new();
        let mut tx = db.begin().await.expect("begins");
        for number in 1..=6 {
            let detail = json!({ "number": number });
            audit::append_as(&mut tx, NOW, ActorId::System, "probe", "x:1", &detail)
                .await
                .expect("appends");
            if number % 2 == 0 {
                let kept = head::keep(&mut tx, &signer, NOW).await.expect("keeps");
                let sealed = kept.expect("it grew").sealed;
                told.push(Claim { source: format!("day:{number}"), sealed });
            }
        }
        tx.commit().await.expect("commits");
        Self { told, signer, roots }
    }

    async fn judged(&self, tx: &mut Tx, told: &[Claim]) -> Report {
        check::check(tx, told, &self.roots, code(CITY)).await.expect("checks")
    }

    fn sealed(&self, epoch: u32, number: u64, digest: Digest, at: Timestamp) -> Claim {
        let authority = code(CITY);
        let head = AuditHead { authority, epoch, number, digest, at };
        let payload = wire::encode(&head);
        let sealed = self.signer.seal(NOW, MessageType::AuditHead, None, payload);
        let sealed = sealed.expect("it may sign");
        Claim { source: "told".to_owned(), sealed }
    }
}

async fn run(tx: &mut Tx, statements: &[&str]) {
    for sql in statements {
        let sql = AssertSqlSafe(format!("{OWN} {sql}"));
        sqlx::raw_sql(sql).execute(&mut **tx).await.expect("the attack succeeds");
    }
}

/// Sets the counter and the kept heads back to entry 4, as a careful thief would.
const COVER_UP: [&str; 3] = [
    "delete from audit where seq > 4",
    "update sequences set audit = 4, audit_digest = (select digest from audit where seq = 4)",
    "delete from audit_heads where number > 4",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_a_missing_and_a_cut_entry_are_each_found_and_named() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (databases, _server) = both(folder.path()).await;
    for db in &databases {
        eprintln!("on {:?}", db.engine());
        let record = Record::written(db).await;
        let mut tx = db.begin().await.expect("begins");
        let whole = record.judged(&mut tx, &record.told).await;
        assert_eq!((whole.entries, whole.confirmed, whole.faults.len()), (6, 6, 0));
        tx.rollback().await.expect("rolls back");
        let attacks: [(&[&str], RecordFault, i64); 4] = [
            (
                &["update audit set detail = '{}' where seq = 3"],
                RecordFault::Chain(BrokenChain::Content(3)),
                3,
            ),
            (&["delete from audit where seq = 3"], RecordFault::Chain(BrokenChain::Gap(4)), 3),
            (
                &["update audit set previous = digest where seq = 5"],
                RecordFault::Chain(BrokenChain::Link(5)),
                5,
            ),
            (
                &["delete from audit where seq > 4"],
                RecordFault::CutTail { ends_at: 4, counted: 6 },
                5,
            ),
        ];
        for (statements, fault, entry) in attacks {
            let mut tx = db.begin().await.expect("begins");
            run(&mut tx, statements).await;
            let report = record.judged(&mut tx, &record.told).await;
            assert_eq!(report.faults.first(), Some(&fault), "{statements:?}");
            assert_eq!(fault.entry(), Some(entry));
            tx.rollback().await.expect("rolls back");
        }
        db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_cut_with_its_traces_shows_by_the_heads_that_were_told() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (databases, _server) = both(folder.path()).await;
    for db in &databases {
        let record = Record::written(db).await;
        let mut tx = db.begin().await.expect("begins");
        run(&mut tx, &COVER_UP).await;
        let blind = record.judged(&mut tx, &[]).await;
        assert_eq!(blind.faults, [], "the database alone can't know");
        let report = record.judged(&mut tx, &record.told).await;
        let source_ = "day:6".to_owned();
        let cut = RecordFault::CutBelowHead { ends_at: 4, named: 6, source_ };
        assert_eq!((report.faults[0].entry(), &report.faults[..]), (Some(5), &[cut][..]));
        tx.rollback().await.expect("rolls back");

        // Rewritten from entry 3 on, with every digest made to fit.
        let mut tx = db.begin().await.expect("begins");
        rewrite(&mut tx).await;
        let report = record.judged(&mut tx, &record.told[..2]).await;
        let [RecordFault::Rewritten { named: 4, last_good: 2, .. }] = report.faults.as_slice()
        else {
            panic!("{:?}", report.faults)
        };
        assert_eq!(report.faults[0].entry(), Some(3));
        tx.rollback().await.expect("rolls back");
        db.close().await;
    }
}

async fn rewrite(tx: &mut Tx) {
    let mut entries = store::audit::after(tx, 0, 9).await.expect("reads");
    "{\"number\":33}".clone_into(&mut entries[2].detail);
    for index in 2..entries.len() {
        let before = entries[index - 1].digest.clone();
        entries[index].previous = before;
        entries[index].digest = entries[index].expected_digest().0.to_vec();
    }
    run(tx, &["delete from audit where seq > 2"]).await;
    for entry in &entries[2..] {
        store::audit::insert(tx, entry).await.expect("writes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_of_a_stranger_is_found_and_one_that_a_restore_lost_is_no_fault() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (databases, _server) = both(folder.path()).await;
    for db in &databases {
        let record = Record::written(db).await;
        let mut tx = db.begin().await.expect("begins");
        // The right region under a root that is not pinned.
        let (stranger, _) = signer(40);
        let (number, digest) = store::audit::head(&mut tx).await.expect("asks");
        let forged = head::seal(&mut tx, &stranger, NOW).await.expect("asks").expect("there");
        let foreign = Claim { source: "day:7".to_owned(), sealed: forged.sealed };
        let report = record.judged(&mut tx, &[foreign]).await;
        let why = ForeignHead::Trust(TrustError::UnknownSigner);
        let source_ = "day:7".to_owned();
        assert_eq!(report.faults, [RecordFault::Foreign { source_, why }]);
        // Our own key, for a time when its certificate did not count.
        let digest = store::digest(&digest, "", "").expect("32 bytes");
        let before = NOW - SignedDuration::from_hours(24);
        let early = record.sealed(1, number.unsigned_abs(), digest, before);
        let report = record.judged(&mut tx, &[early]).await;
        let why = ForeignHead::OutsideValidity(before);
        let [RecordFault::Foreign { why: found, .. }] = report.faults.as_slice() else {
            panic!("{:?}", report.faults)
        };
        assert_eq!(*found, why);
        // A head of an epoch that the database never saw: an older file in its place.
        let later = record.sealed(9, number.unsigned_abs(), digest, NOW);
        let report = record.judged(&mut tx, &[later]).await;
        assert!(matches!(
            report.faults[..],
            [RecordFault::LaterEpoch { named: 9, current: 1, .. }]
        ));
        tx.rollback().await.expect("rolls back");

        // Restored from a backup of entry 4: what was signed later is lost, and that is written.
        let mut tx = db.begin().await.expect("begins");
        run(&mut tx, &COVER_UP).await;
        epochs::raise(&mut tx, 7).await.expect("raises");
        let detail = json!({ "epoch": 7 });
        audit::append_as(&mut tx, NOW, ActorId::System, RESTORED, "database", &detail)
            .await
            .expect("appends");
        head::keep(&mut tx, &record.signer, NOW).await.expect("keeps").expect("it grew");
        let report = record.judged(&mut tx, &record.told).await;
        assert_eq!((report.faults.len(), &report.lost[..]), (0, &[(1, 6)][..]), "{report:?}");
        assert_eq!((report.entries, report.epoch, report.confirmed), (5, 7, 5));
        tx.rollback().await.expect("rolls back");
        db.close().await;
    }
}
