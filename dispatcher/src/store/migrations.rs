//! The tables, brought up to date on start: the same files for both engines.
//!
//! SQLite knows the type `blob`, PostgreSQL does not. There it is created once as a domain over
//! `bytea`; PostgreSQL reports a column of a domain with its base type, so that rows and
//! arguments are plain `bytea` on the wire. Nothing else differs.
//!
//! A file that was applied never changes: its digest is kept, and another text under the same
//! number stops the program.

use protocols::digest::Digest;

use super::{Conn, Db, Engine, StoreError};

/// One file of `migrations/`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The leading number.
    pub number: i64,
    /// The file's name without its ending.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

macro_rules! migration {
    ($number:literal, $name:literal) => {
        Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../migrations/", $name, ".sql")),
        }
    };
}

/// All of them, in their order. A new file needs its line here; a test compares with the folder.
pub const MIGRATIONS: &[Migration] = &[
    // Accounts, audit, events.
    migration!(1, "0001_accounts"),
    migration!(2, "0002_audit_and_events"),
    migration!(3, "0003_idempotency"),
    // Regions and terminals.
    migration!(10, "0010_regions"),
    migration!(11, "0011_terminals"),
    // Alerts and orders.
    migration!(20, "0020_alerts"),
    migration!(21, "0021_cap_in"),
    // Deliveries and receipts.
    migration!(30, "0030_deliveries"),
    migration!(31, "0031_stops"),
    // Clips and phrases.
    migration!(40, "0040_clips"),
    // Trust.
    migration!(50, "0050_revocations"),
    migration!(51, "0051_certificate_expiry"),
    migration!(52, "0052_drill_enrolments"),
    migration!(53, "0053_broker_verifiers"),
    // The record and the epoch.
    migration!(55, "0055_audit_heads"),
    // For the questions that are asked most.
    migration!(56, "0056_indexes"),
    migration!(57, "0057_retired_terminals"),
];

/// Any constant: two dispatchers that start at once on one PostgreSQL take turns.
const POSTGRES_LOCK: &str = "select pg_advisory_xact_lock(7361203)";

const POSTGRES_BLOB: &str = "do $$ begin
    if not exists (
        select 1 from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where t.typname = 'blob' and n.nspname = current_schema()
    ) then
        create domain blob as bytea;
    end if;
end $$";

const CREATE: &str = "create table if not exists migrations (
    number bigint primary key
    , name text not null
    , digest text not null
)";

/// Applies what is missing, each file with its record in one transaction.
pub async fn run(db: &Db) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    run_in(&mut tx, db.engine()).await?;
    tx.commit().await
}

/// As [`run`], in a transaction that does more.
pub async fn run_in(tx: &mut Conn, engine: Engine) -> Result<(), StoreError> {
    if engine == Engine::Postgres {
        sqlx::raw_sql(POSTGRES_LOCK).execute(&mut *tx).await?;
        sqlx::raw_sql(POSTGRES_BLOB).execute(&mut *tx).await?;
    }
    sqlx::raw_sql(CREATE).execute(&mut *tx).await?;
    let done = applied(tx).await?;
    if let Some((number, name, _)) =
        done.iter().find(|(number, ..)| MIGRATIONS.iter().all(|known| known.number != *number))
    {
        let why = format!("{name} was applied by a newer program than this one");
        return Err(StoreError::Migration { number: *number, why });
    }
    for migration in MIGRATIONS {
        let digest = Digest::of(migration.sql.as_bytes()).to_string();
        match done.iter().find(|(number, ..)| *number == migration.number) {
            Some((_, _, applied)) if *applied == digest => {}
            Some(_) => {
                let why = format!("{} was applied with another text", migration.name);
                return Err(StoreError::Migration { number: migration.number, why });
            }
            None => apply(tx, migration, &digest).await?,
        }
    }
    Ok(())
}

/// How many files are still to be applied; for `doctor`, which changes nothing.
pub async fn pending(db: &Db) -> Result<usize, StoreError> {
    let mut connection = db.read().await?;
    let done = applied(&mut connection).await.map_or(0, |done| done.len());
    Ok(MIGRATIONS.len().saturating_sub(done))
}

async fn apply(
    connection: &mut Conn,
    migration: &Migration,
    digest: &str,
) -> Result<(), StoreError> {
    sqlx::raw_sql(migration.sql).execute(&mut *connection).await.map_err(|error| {
        StoreError::Migration { number: migration.number, why: error.to_string() }
    })?;
    note(connection, migration.number, migration.name, digest).await
}

/// Notes that a file was applied.
pub async fn note(
    connection: &mut Conn,
    number: i64,
    name: &str,
    digest: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into migrations (number, name, digest) values ($1, $2, $3)";
    sqlx::query(SQL).bind(number).bind(name).bind(digest).execute(connection).await?;
    Ok(())
}

/// The files that were applied: number, name and digest of each.
pub async fn applied(connection: &mut Conn) -> Result<Vec<(i64, String, String)>, StoreError> {
    const SQL: &str = "select number, name, digest from migrations order by number";
    Ok(sqlx::query_as(SQL).fetch_all(connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_listed_once_and_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files = std::fs::read_dir(folder)
            .expect("the folder is beside the sources")
            .map(|entry| entry.expect("readable").file_name().into_string().expect("ASCII"))
            .collect::<Vec<_>>();
        files.sort();
        let listed =
            MIGRATIONS.iter().map(|known| format!("{}.sql", known.name)).collect::<Vec<_>>();
        assert_eq!(listed, files);
        for migration in MIGRATIONS {
            assert!(migration.name.starts_with(&format!("{:04}_", migration.number)));
        }
    }
}
