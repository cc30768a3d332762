//! Every store function on SQLite and on PostgreSQL: the same calls, the same answers.
//!
//! A module a table group. Each exports `run(db)`, which calls each function of its group and
//! asserts what comes back; [`engines`] hands it a fresh database of either kind. Where PostgreSQL
//! is not installed its half is skipped, and says so.

mod accounts;
mod columns;
mod record;

use std::path::Path;

use dispatcher::store::Db;
use tests::harness::postgres::Postgres;

/// Connections of a test's pool.
const CONNECTIONS: u32 = 4;

/// A fresh database of each engine that is installed, tables included.
struct Engines {
    sqlite: Db,
    postgres: Option<(Db, Postgres)>,
    _folder: tempfile::TempDir,
}

async fn engines() -> Engines {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let sqlite = Db::open(&url, CONNECTIONS).await.expect("SQLite opens");
    let postgres = postgres(folder.path()).await;
    Engines { sqlite, postgres, _folder: folder }
}

async fn postgres(folder: &Path) -> Option<(Db, Postgres)> {
    let server = match Postgres::start(folder).await {
        Ok(server) => server,
        Err(error) if error.to_string().contains("not installed") => {
            eprintln!("SKIPPED on PostgreSQL: {error:#}");
            return None;
        }
        Err(error) => panic!("PostgreSQL is installed and does not start: {error:#}"),
    };
    let url = server.database("store").expect("a database");
    let db = Db::open(&url, CONNECTIONS).await.expect("PostgreSQL opens");
    Some((db, server))
}

impl Engines {
    fn each(&self) -> impl Iterator<Item = &Db> {
        std::iter::once(&self.sqlite).chain(self.postgres.iter().map(|(db, _)| db))
    }
}

macro_rules! on_both_engines {
    ($($name:ident => $run:path;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let engines = engines().await;
            for db in engines.each() {
                eprintln!("{} on {:?}", stringify!($name), db.engine());
                $run(db).await;
            }
        }
    )*};
}

on_both_engines! {
    columns_give_back_what_was_put_in => columns::run;
    accounts_sessions_and_tokens => accounts::run;
    record_events_and_keys => record::run;
    writers_take_turns_and_lose_nothing => record::writers_take_turns;
}
