//! Receipts of ten thousand terminals into the store, on SQLite and on PostgreSQL, beside bare
//! inserts of the same rows into the same database.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use dispatcher::app::receipts::record;
use dispatcher::metrics::Metrics;
use dispatcher::store::orders::{self, NewOrder};
use dispatcher::store::{Db, Tx};
use jiff::{SignedDuration, Timestamp};
use protocols::area::Target;
use protocols::digest::Digest;
use protocols::order::{Purpose, Sequence, Stream};
use protocols::receipt::{Evidence, Receipt, ReceiptBatch, ReceiptState};
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;

use super::figure::Figure;
use super::timing::{each, ms};
use crate::harness::clock;
use crate::harness::postgres::Postgres;

/// Terminals that answer.
const TERMINALS: u64 = 10_000;

/// Terminals of one village.
const OF_VILLAGE: u64 = 1_000;

/// Receipts of each.
const STATES: [ReceiptState; 3] =
    [ReceiptState::Verified, ReceiptState::Started, ReceiptState::Finished];

/// Batches in one transaction, as the dispatcher takes them in.
const BATCHES: usize = 512;

/// Rows in one bare insert, as many as in one of the dispatcher's.
const ROWS: usize = 32;

/// Fresh databases of each kind.
const RUNS: usize = 5;

const CONNECTIONS: u32 = 2;

/// When it all happens.
const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);

/// 莲花镇.
const TOWN: u64 = 350_212_105_000;

const ORDER: &str = "order";

/// Both engines.
pub(super) async fn receipts(folder: &Path) -> anyhow::Result<Vec<Figure>> {
    let batches = batches()?;
    let file = |run: usize| Ok(format!("sqlite:{}", folder.join(format!("{run}.db")).display()));
    let sqlite = on("SQLite", "store-sqlite", &batches, &file).await?;
    let server = Postgres::start_durable(folder).await?;
    let database = |run: usize| server.database(&format!("figures{run}"));
    let postgres = on("PostgreSQL", "store-postgres", &batches, &database).await?;
    Ok(vec![sqlite, postgres])
}

async fn on(
    engine: &str,
    name: &str,
    batches: &[ReceiptBatch],
    url: &dyn Fn(usize) -> anyhow::Result<String>,
) -> anyhow::Result<Figure> {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let db = Db::open(&url(run)?, CONNECTIONS).await.context("open a database")?;
        seed(&db, batches).await.context("an order for all")?;
        ours.push(ours_into(&db, batches).await?);
        bare.push(bare_into(&db, batches).await?);
        db.close().await;
    }
    let receipts = TERMINALS as usize * STATES.len();
    let what = format!("{receipts} receipts into {engine}, deliveries and events with them");
    Figure::new(name, &what, "ms", &each(&ours, ms))?
        .beside("the same rows by bare multi-row inserts, same transactions", &each(&bare, ms))
        .map(|figure| {
            figure
                .at_most(5_000.0)
                .note("the goal covers the officer's screen, too; this is the store's part of it")
        })
}

/// An alert, its order, and a delivery for each terminal.
async fn seed(db: &Db, batches: &[ReceiptBatch]) -> anyhow::Result<()> {
    const ALERT: &str = "insert into alerts (
    id, version, chain, region, sender, identifier, state, kind, event, content, content_digest
    , lifecycle, asked, origin, expires_at, created_at
) values ('alert', 1, 'alert', $1, 'sender', 'identifier', 'issued', 'actual', '11B01', '{}'
    , cast('' as blob), '{}', '{}', 'composed', $2, $2)";
    const BARE: &str = "create table bare as select * from receipts where number < 0";
    const KEY: &str = "create unique index bare_key on bare (terminal, journal_id, number)";
    let town = RegionCode::new(TOWN).context("a town")?;
    let mut tx = db.begin().await?;
    sqlx::query(ALERT)
        .bind(town.to_string())
        .bind(dispatcher::store::micros(NOW))
        .execute(&mut *tx)
        .await?;
    let order = NewOrder {
        id: ORDER.to_owned(),
        alert: "alert".to_owned(),
        stream: Stream { authority: town, topic: town },
        sequence: Sequence { epoch: 1, number: 1 },
        purpose: Purpose::Alert,
        target: Target { regions: vec![town], ..Target::default() },
        sealed: ORDER.as_bytes().to_vec(),
        created_at: NOW,
        expires_at: NOW + SignedDuration::from_hours(3),
    };
    orders::insert(&mut tx, &order).await?;
    for batch in batches {
        orders::insert_delivery(&mut tx, "alert", ORDER, batch.terminal, NOW).await?;
    }
    sqlx::query(BARE).execute(&mut *tx).await?;
    sqlx::query(KEY).execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

/// One batch a terminal: verified, started, finished.
fn batches() -> anyhow::Result<Vec<ReceiptBatch>> {
    let batch = |index: u64| -> anyhow::Result<ReceiptBatch> {
        let village = RegionCode::new(TOWN + 201 + index / OF_VILLAGE).context("a village")?;
        let number = u16::try_from(index % OF_VILLAGE + 1)?;
        let receipts = STATES.iter().zip(1_i64..).map(|(state, second)| {
            let at = NOW + SignedDuration::from_secs(second);
            let evidence = (*state == ReceiptState::Finished).then(|| Evidence {
                first_sound_at: Some(at),
                frames: 480_000,
                ..Evidence::default()
            });
            Receipt {
                order: Digest::of(ORDER.as_bytes()),
                alert: None,
                state: *state,
                reason: None,
                repeat: 1,
                at,
                clock_unsure: false,
                evidence,
            }
        });
        Ok(ReceiptBatch {
            terminal: TerminalId::new(village, number)?,
            journal_id: index + 1,
            first_number: 1,
            receipts: receipts.collect(),
        })
    };
    (0..TERMINALS).map(batch).collect()
}

/// As the dispatcher does it.
async fn ours_into(db: &Db, batches: &[ReceiptBatch]) -> anyhow::Result<Duration> {
    let metrics = Metrics::default();
    let mut changed = 0;
    let begun = clock::instant();
    for some in batches.chunks(BATCHES) {
        let mut tx = db.begin().await?;
        changed += record(&mut tx, &metrics, some, NOW).await?.changed;
        tx.commit().await?;
    }
    let took = begun.elapsed();
    ensure!(changed as u64 == TERMINALS, "{changed} deliveries changed");
    ensure!(count(db, COUNT_OURS).await? == TERMINALS * 3, "receipts are missing");
    Ok(took)
}

/// Rows and nothing that follows from them.
async fn bare_into(db: &Db, batches: &[ReceiptBatch]) -> anyhow::Result<Duration> {
    let row = |row: usize| {
        let places = (row * 10 + 1..=row * 10 + 10).map(|place| format!("${place}"));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    let rows = (0..ROWS).map(row).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "insert into bare (terminal, journal_id, number, order_digest, state, reason, repeat, at
    , received_at, body) values {rows} on conflict (terminal, journal_id, number) do nothing"
    );
    let begun = clock::instant();
    for some in batches.chunks(BATCHES) {
        let mut tx = db.begin().await?;
        insert_bare(&mut tx, &sql, some).await?;
        tx.commit().await?;
    }
    let took = begun.elapsed();
    ensure!(count(db, COUNT_BARE).await? == TERMINALS * 3, "bare rows are missing");
    Ok(took)
}

async fn insert_bare(tx: &mut Tx, sql: &str, batches: &[ReceiptBatch]) -> anyhow::Result<()> {
    let rows = batches.iter().flat_map(|batch| {
        (batch.first_number..).zip(&batch.receipts).map(move |(number, said)| (batch, number, said))
    });
    let rows = rows.collect::<Vec<_>>();
    for some in rows.chunks(ROWS) {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let last = some.last().context("a chunk holds rows")?;
        for (batch, number, said) in some.iter().chain(std::iter::repeat(last)).take(ROWS) {
            query = query
                .bind(batch.terminal.to_string())
                .bind(batch.journal_id.to_string())
                .bind(i64::try_from(*number)?)
                .bind(said.order.0.to_vec())
                .bind("finished")
                .bind(None::<String>)
                .bind(i64::from(said.repeat))
                .bind(dispatcher::store::micros(said.at))
                .bind(dispatcher::store::micros(NOW))
                .bind(protocols::wire::encode(*said));
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

const COUNT_OURS: &str = "select cast(count(*) as bigint) from receipts";
const COUNT_BARE: &str = "select cast(count(*) as bigint) from bare";

async fn count(db: &Db, sql: &'static str) -> anyhow::Result<u64> {
    let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut *db.read().await?).await?;
    Ok(u64::try_from(count)?)
}
