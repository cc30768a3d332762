//! What backup and restore ask of the database itself. Engines differ here, and only here.

use jiff::Timestamp;

use crate::store::{Conn, StoreError, micros, one};

/// By how much event numbers jump at a restore: readers who saw more than the backup holds find
/// themselves far behind, and begin anew.
const EVENTS_SKIPPED: i64 = 1_000_000;

/// Writes a consistent copy of the whole database into a new file, while others read and write.
/// SQLite alone.
pub async fn copy_into(connection: &mut Conn, path: &str) -> Result<(), StoreError> {
    const SQL: &str = "vacuum into $1";
    sqlx::query(SQL).bind(path).execute(connection).await?;
    Ok(())
}

/// What SQLite finds wrong with its file; `ok` for nothing.
pub async fn integrity(connection: &mut Conn) -> Result<String, StoreError> {
    const SQL: &str = "pragma integrity_check(1)";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// Folds the write-ahead log into the file and leaves one file alone. `false` when somebody else
/// has the database open. SQLite alone; the only connection of its pool.
pub async fn fold(connection: &mut Conn) -> Result<bool, StoreError> {
    const SQL: &str = "pragma journal_mode = delete";
    match sqlx::query_scalar::<_, String>(SQL).fetch_one(connection).await {
        Ok(mode) => Ok(mode == "delete"),
        Err(error) => match StoreError::from(error) {
            StoreError::Busy => Ok(false),
            error @ (StoreError::Conflict { .. }
            | StoreError::Duplicate { .. }
            | StoreError::Inconsistent { .. }
            | StoreError::Url(_)
            | StoreError::Migration { .. }
            | StoreError::Driver(_)) => Err(error),
        },
    }
}

/// How many tables there are in the schema that would be used. PostgreSQL alone.
pub async fn count_tables(connection: &mut Conn) -> Result<i64, StoreError> {
    const SQL: &str = "select cast(count(*) as bigint) from pg_tables
where schemaname = current_schema()";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// Removes every table of the schema, after a restore that did not end well into a database that
/// was empty. PostgreSQL alone.
pub async fn empty(connection: &mut Conn) -> Result<(), StoreError> {
    const SQL: &str = "do $$ declare one record; begin
    for one in select tablename from pg_tables where schemaname = current_schema() loop
        execute 'drop table ' || quote_ident(one.tablename) || ' cascade';
    end loop;
    drop domain if exists blob;
end $$";
    sqlx::raw_sql(SQL).execute(connection).await?;
    Ok(())
}

/// Ends every session: whoever was logged in when the backup was made is not by that logged in
/// now. Gives how many.
pub async fn end_sessions(connection: &mut Conn, now: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "update sessions set revoked_at = $1 where revoked_at is null";
    Ok(sqlx::query(SQL).bind(micros(now)).execute(connection).await?.rows_affected())
}

/// Uses up every open enrolment code: it may have been used since the backup. Gives how many.
pub async fn end_enrolments(connection: &mut Conn, now: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "update enrolments set claimed_at = $1 where claimed_at is null";
    Ok(sqlx::query(SQL).bind(micros(now)).execute(connection).await?.rows_affected())
}

/// Lets event numbers jump beyond any that were told before.
pub async fn skip_events(connection: &mut Conn) -> Result<(), StoreError> {
    const SQL: &str = "update sequences set event = event + $1 where id = 1";
    one(&sqlx::query(SQL).bind(EVENTS_SKIPPED).execute(connection).await?, "sequences")
}
