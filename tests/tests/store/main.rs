//! Every statement of the store on SQLite and on PostgreSQL: the same calls, the same rows.
//!
//! A module a table group. Each exports `run(db, notes)`, which calls the functions of its group
//! with data that means something, asserts what comes back, and notes it. One test plays them all
//! on fresh databases of either kind, listens to the driver, and fails with the list of statements
//! of the sources that never ran, and of notes and rows that differ between the engines. Where
//! PostgreSQL is not installed its half is skipped, and says so.

mod accounts;
mod alerts;
mod audit_chain;
mod backup;
mod city;
mod columns;
mod deliveries;
mod intake;
mod lists;
mod plans;
mod record;
mod recorder;
mod restoring;
mod statements;
mod stops;
mod tables;
mod trust;

use std::collections::BTreeSet;
use std::path::Path;

use dispatcher::store::{Db, Engine};
use recorder::Recorder;
use statements::Statement;
use tests::harness::postgres::Postgres;

/// Connections of a test's pool.
const CONNECTIONS: u32 = 4;

/// The table groups, each on a database of its own.
const GROUPS: [&str; 6] = ["columns", "accounts", "record", "trust", "city", "restoring"];

/// What came back, in the order of the calls.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<String>);

impl Notes {
    /// Notes an answer, for the comparison of the engines.
    pub(crate) fn keep(&mut self, call: &str, answer: &impl std::fmt::Debug) {
        self.0.push(format!("{call}: {answer:?}"));
    }
}

/// What one engine did.
struct Played {
    executed: BTreeSet<String>,
    /// Group and line: notes first, then every row of every table.
    lines: Vec<(&'static str, String)>,
}

async fn play(engine: Engine, url_of: &dyn Fn(&str) -> String, folder: &Path) -> Played {
    let recorder = Recorder::get();
    recorder.take();
    let mut lines = Vec::new();
    for group in GROUPS {
        eprintln!("{group} on {engine:?}");
        let db = Db::open(&url_of(group), CONNECTIONS).await.expect("opens");
        let mut notes = Notes::default();
        match group {
            "columns" => columns::run(&db).await,
            "accounts" => accounts::run(&db).await,
            "record" => record::run(&db).await,
            "trust" => trust::run(&db).await,
            "city" => Box::pin(city::run(&db, &mut notes)).await,
            "restoring" => restoring::run(&db, &mut notes, folder).await,
            _ => panic!("no such group"),
        }
        let rows = tables::dump(&db).await;
        // Closing waits for the driver's threads: nothing is told after it.
        db.close().await;
        lines.extend(notes.0.into_iter().chain(rows).map(|line| (group, line)));
    }
    Played { executed: recorder.take(), lines }
}

fn never_ran(engine: Engine, statements: &[Statement], executed: &BTreeSet<String>) -> Vec<String> {
    statements
        .iter()
        .filter(|statement| statement.only_on().is_none_or(|only| only == engine))
        .filter(|statement| !executed.iter().any(|sql| statement.is(sql)))
        .map(|statement| format!("never ran on {engine:?}: {statement}"))
        .collect()
}

/// Executed texts that nobody found in the sources: the reader of the sources would be blind to
/// them.
fn unknown(statements: &[Statement], executed: &BTreeSet<String>) -> Vec<String> {
    let is_migration = |sql: &String| {
        dispatcher::store::migrations::MIGRATIONS.iter().any(|migration| migration.sql == sql)
    };
    executed
        .iter()
        // What is in capitals the driver says by itself: COMMIT, ROLLBACK, a pragma on connect.
        .filter(|sql| !sql.starts_with(|first: char| first.is_ascii_uppercase()))
        .filter(|sql| !sql.starts_with(tables::OWN) && !is_migration(sql))
        .filter(|sql| !statements.iter().any(|statement| statement.is(sql)))
        .map(|sql| format!("ran, and stands in no source of the store: {sql}"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_runs_on_both_engines_and_gives_the_same_rows() {
    let _turn = TURN.lock().await;
    let statements = statements::sources().statements;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let file = |group: &str| format!("sqlite:{}", path.join(format!("{group}.db")).display());
    let sqlite = play(Engine::Sqlite, &file, path).await;
    let mut faults = never_ran(Engine::Sqlite, &statements, &sqlite.executed);
    faults.extend(unknown(&statements, &sqlite.executed));
    if let Some(server) = postgres(path).await {
        let database = |group: &str| server.database(group).expect("a database");
        let postgres = play(Engine::Postgres, &database, path).await;
        faults.extend(never_ran(Engine::Postgres, &statements, &postgres.executed));
        faults.extend(unknown(&statements, &postgres.executed));
        faults.extend(differences(&sqlite.lines, &postgres.lines));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn differences(
    sqlite: &[(&'static str, String)],
    postgres: &[(&'static str, String)],
) -> Vec<String> {
    let (here, there) = (sqlite.iter().collect::<BTreeSet<_>>(), postgres.iter().collect());
    let only = |one: &BTreeSet<_>, other: &BTreeSet<_>, name: &str| {
        let lines = one.difference(other).take(20);
        lines.map(|line: &&(&str, String)| format!("only on {name}: {line:?}")).collect::<Vec<_>>()
    };
    let mut faults = only(&here, &there, "SQLite");
    faults.extend(only(&there, &here, "PostgreSQL"));
    faults
}

/// One test of this process at a time speaks to a database: what is heard is its own.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn postgres(folder: &Path) -> Option<Postgres> {
    match Postgres::start(folder).await {
        Ok(server) => Some(server),
        Err(error) if error.to_string().contains("not installed") => {
            eprintln!("SKIPPED on PostgreSQL: {error:#}");
            None
        }
        Err(error) => panic!("PostgreSQL is installed and does not start: {error:#}"),
    }
}

/// A fresh database of each engine that is installed; the server lives as long as the second.
async fn both(folder: &Path) -> (Vec<Db>, Option<Postgres>) {
    let url = format!("sqlite:{}", folder.join("store.db").display());
    let mut databases = vec![Db::open(&url, CONNECTIONS).await.expect("SQLite opens")];
    let server = postgres(folder).await;
    if let Some(server) = &server {
        let url = server.database("store").expect("a database");
        databases.push(Db::open(&url, CONNECTIONS).await.expect("PostgreSQL opens"));
    }
    (databases, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_take_turns_and_lose_nothing() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (databases, _server) = both(folder.path()).await;
    for db in &databases {
        record::writers_take_turns(db).await;
        db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_on_sqlite_holds_the_writers_place_before_its_first_statement() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let (here, other) = (Db::open(&url, 2).await, Db::connect(&url, 1).await);
    let (here, other) = (here.expect("opens"), other.expect("opens"));
    let mut second = other.read().await.expect("connects");
    let own = |sql: &'static str| sqlx::raw_sql(sql);
    own("/* test */ pragma busy_timeout = 0").execute(&mut *second).await.expect("sets");
    let tx = here.begin().await.expect("begins");
    let refused = own("/* test */ begin immediate").execute(&mut *second).await;
    assert!(refused.is_err(), "the place was free though a transaction had begun");
    tx.rollback().await.expect("rolls back");
    own("/* test */ begin immediate").execute(&mut *second).await.expect("the place is free");
    own("/* test */ rollback").execute(&mut *second).await.expect("rolls back");
}
