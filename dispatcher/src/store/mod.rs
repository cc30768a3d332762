//! The only SQL of the program, on SQLite and PostgreSQL with the same texts.
//!
//! # How to write a store function
//! A free async function over `&mut Conn`, one statement with a `&'static str`, `$n` arguments,
//! lowercase, leading commas. Columns are BIGINT, TEXT, BLOB or DOUBLE PRECISION; booleans are 0
//! and 1, times microseconds (use [`micros`] and [`instant`]), aggregates are cast
//! (`cast(count(*) as bigint)`). Rows are private structs with `sqlx::FromRow` and become domain
//! types through `TryFrom`, where what can't be read is [`StoreError::Inconsistent`]. A mutation
//! passes its result through [`one`], so that a row changed meanwhile is [`StoreError::Conflict`].
//!
//! # Order of locks
//! The sequence row behind events and audit is locked until commit. Use cases push them last, so
//! that two transactions never wait for each other in opposite orders.

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod audit_heads;
pub mod auto_issue_rules;
pub mod cap_documents;
pub mod clips;
pub mod deliveries;
pub mod drill_enrolments;
pub mod enrolments;
pub mod epochs;
pub mod events;
pub mod idempotency;
pub mod migrations;
pub mod orders;
pub mod outbox;
pub mod receipts;
pub mod regions;
pub mod restore;
pub mod revocations;
pub mod sessions;
pub mod stops;
pub mod terminal_states;
pub mod terminals;
pub mod tokens;

mod error;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use error::StoreError;

/// What store functions run on: a pooled connection ([`Db::read`]) or a transaction ([`Db::begin`]).
pub type Conn = AnyConnection;

/// A pooled connection outside a transaction.
pub type Read = sqlx::pool::PoolConnection<Any>;

/// How long a transaction waits for the writer before it before it gives up. Longer than any
/// transaction of ours, shorter than an officer's patience.
pub const BUSY: Duration = Duration::from_secs(5);

/// Connections by default: reads are short, and a small machine has few cores.
pub const CONNECTIONS_DEFAULT: u32 = 8;

/// Which engine serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One file beside the program.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database, cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: AnyPool,
    engine: Engine,
    /// SQLite has one writer: waiting for it in line, inside the process, is fair and does not
    /// poll. PostgreSQL needs no such line.
    writer: Arc<Semaphore>,
}

impl Db {
    /// Opens `sqlite:<path>` (created when absent) or `postgres://…` and brings the tables up to
    /// date.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StoreError> {
        let db = Self::connect(url, connections).await?;
        migrations::run(&db).await?;
        Ok(db)
    }

    /// As [`Db::open`], without touching the tables.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let engine = Engine::of(url)?;
        let url = match engine {
            Engine::Sqlite => sqlite_url(url)?,
            Engine::Postgres => url.to_owned(),
        };
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(BUSY)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if engine == Engine::Sqlite {
                        sqlx::raw_sql(SQLITE_PRAGMAS).execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await?;
        Ok(Self { pool, engine, writer: Arc::new(Semaphore::new(1)) })
    }

    /// Which engine serves.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// A connection for reading. Each statement sees its own state of the database; whoever needs
    /// several that agree begins a transaction.
    pub async fn read(&self) -> Result<Read, StoreError> {
        Ok(self.pool.acquire().await?)
    }

    /// A transaction that may write. On SQLite it holds the writer's place from here to its end,
    /// so that nothing it has read is changed under it. Dropped uncommitted, it leaves nothing.
    /// Never begin a second one while holding the first.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        match self.engine {
            Engine::Sqlite => {
                let turn = tokio::time::timeout(BUSY, self.writer.clone().acquire_owned()).await;
                let turn = turn.map_err(|_| StoreError::Busy)?.map_err(|_| StoreError::Busy)?;
                let inner = self.pool.begin_with("begin immediate").await?;
                Ok(Tx { inner, _turn: Some(turn) })
            }
            Engine::Postgres => Ok(Tx { inner: self.pool.begin().await?, _turn: None }),
        }
    }

    /// Closes all connections; on SQLite this also folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Full synchronisation: an order that an officer saw issued survives a power cut.
const SQLITE_PRAGMAS: &str = "pragma journal_mode = wal;
pragma synchronous = full;
pragma foreign_keys = on;
pragma busy_timeout = 5000;";

impl Engine {
    /// Read from the URL's scheme.
    pub fn of(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Ok(Self::Postgres)
        } else {
            Err(StoreError::Url("neither sqlite:<path> nor postgres://…"))
        }
    }
}

/// The file that a `sqlite:` URL names.
pub fn sqlite_path(url: &str) -> PathBuf {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    PathBuf::from(path.split('?').next().unwrap_or(path))
}

fn sqlite_url(url: &str) -> Result<String, StoreError> {
    if url.contains(":memory:") {
        return Err(StoreError::Url("a database in memory is another one for each connection"));
    }
    if let Some(folder) = sqlite_path(url).parent() {
        std::fs::create_dir_all(folder)
            .map_err(|_| StoreError::Url("the folder of the database can't be made"))?;
    }
    Ok(if url.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") })
}

/// A transaction; dereferences to [`Conn`].
#[derive(Debug)]
pub struct Tx {
    // Dropped before the turn, so that the next writer finds the lock free.
    inner: sqlx::Transaction<'static, Any>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Tx {
    /// Makes everything in it true at once.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }

    /// Leaves nothing of it, and waits until that is so.
    pub async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.inner.rollback().await?)
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.inner
    }
}

/// How many regions are imported; for `doctor`.
pub async fn count_regions(connection: &mut Conn) -> Result<i64, StoreError> {
    const SQL: &str = "select cast(count(*) as bigint) from regions";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// Exactly one row was changed, or somebody else changed it first.
pub fn one(result: &sqlx::any::AnyQueryResult, table: &'static str) -> Result<(), StoreError> {
    match result.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict { table }),
    }
}

/// An instant as it stands in a column.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// An instant from a column.
pub fn instant(
    micros: i64,
    table: &'static str,
    column: &'static str,
) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| StoreError::Inconsistent { table, column })
}

/// A value of a closed type from its text in a column.
pub fn parsed<T: std::str::FromStr>(
    text: &str,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Inconsistent { table, column })
}

/// A digest from a column.
pub fn digest(
    bytes: &[u8],
    table: &'static str,
    column: &'static str,
) -> Result<protocols::digest::Digest, StoreError> {
    let bytes = bytes.try_into().map_err(|_| StoreError::Inconsistent { table, column })?;
    Ok(protocols::digest::Digest(bytes))
}
