//! The table `idempotency_keys`.

use jiff::Timestamp;
use protocols::digest::Digest;

use crate::app::idempotency::{Answer, Request};
use crate::store::{Conn, StoreError, digest, micros, one};

/// Reserves a key; `false` when it is taken. On PostgreSQL this waits for whoever holds it.
pub async fn insert(
    connection: &mut Conn,
    request: &Request,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "insert into idempotency_keys (actor, key, fingerprint, created_at)
values ($1, $2, $3, $4) on conflict (actor, key) do nothing";
    let result = sqlx::query(SQL)
        .bind(request.actor.to_string())
        .bind(&request.key)
        .bind(&request.fingerprint.0[..])
        .bind(micros(now))
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// What a taken key was first used for, and its answer if it was given.
pub async fn find(
    connection: &mut Conn,
    request: &Request,
) -> Result<(Digest, Option<Answer>), StoreError> {
    const SQL: &str = "select fingerprint, status, body, location from idempotency_keys
where actor = $1 and key = $2";
    let row: Row = sqlx::query_as(SQL)
        .bind(request.actor.to_string())
        .bind(&request.key)
        .fetch_one(connection)
        .await?;
    let fingerprint = digest(&row.fingerprint, "idempotency_keys", "fingerprint")?;
    let Some(status) = row.status else { return Ok((fingerprint, None)) };
    let status = u16::try_from(status)
        .map_err(|_| StoreError::Inconsistent { table: "idempotency_keys", column: "status" })?;
    let body = row.body.unwrap_or_default();
    Ok((fingerprint, Some(Answer { status, body, location: row.location })))
}

/// Stores the answer.
pub async fn answer(
    connection: &mut Conn,
    request: &Request,
    answer: &Answer,
) -> Result<(), StoreError> {
    const SQL: &str = "update idempotency_keys set status = $3, body = $4, location = $5
where actor = $1 and key = $2";
    let result = sqlx::query(SQL)
        .bind(request.actor.to_string())
        .bind(&request.key)
        .bind(i64::from(answer.status))
        .bind(&answer.body)
        .bind(&answer.location)
        .execute(connection)
        .await?;
    one(&result, "idempotency_keys")
}

/// Forgets this key if it is older than `before`.
pub async fn delete_expired(
    connection: &mut Conn,
    request: &Request,
    before: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "delete from idempotency_keys
where actor = $1 and key = $2 and created_at < $3";
    sqlx::query(SQL)
        .bind(request.actor.to_string())
        .bind(&request.key)
        .bind(micros(before))
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets all keys older than `before`.
pub async fn purge(connection: &mut Conn, before: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "delete from idempotency_keys where created_at < $1";
    Ok(sqlx::query(SQL).bind(micros(before)).execute(connection).await?.rows_affected())
}

#[derive(sqlx::FromRow)]
struct Row {
    fingerprint: Vec<u8>,
    status: Option<i64>,
    body: Option<String>,
    location: Option<String>,
}
