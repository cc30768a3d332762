//! The table `sessions`: only the digest of a session's secret is kept.

use jiff::Timestamp;
use protocols::digest::Digest;
use uuid::Uuid;

use crate::domain::account::Session;
use crate::store::{Conn, StoreError, instant, micros, one, parsed};

/// Writes a new session.
pub async fn insert(
    connection: &mut Conn,
    session: &Session,
    secret: Digest,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into sessions
(id, token_digest, account, created_at, seen_at, stepped_up_at, revoked_at, address, agent)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    sqlx::query(SQL)
        .bind(session.id.to_string())
        .bind(&secret.0[..])
        .bind(session.account.to_string())
        .bind(micros(session.created_at))
        .bind(micros(session.seen_at))
        .bind(session.stepped_up_at.map(micros))
        .bind(session.revoked_at.map(micros))
        .bind(&session.address)
        .bind(&session.agent)
        .execute(connection)
        .await?;
    Ok(())
}

/// The session of this secret.
pub async fn by_secret(
    connection: &mut Conn,
    secret: Digest,
) -> Result<Option<Session>, StoreError> {
    const SQL: &str = "select id, account, created_at, seen_at, stepped_up_at, revoked_at
, address, agent from sessions where token_digest = $1";
    let row: Option<Row> =
        sqlx::query_as(SQL).bind(&secret.0[..]).fetch_optional(connection).await?;
    row.map(Session::try_from).transpose()
}

/// The session with this identifier.
pub async fn by_id(connection: &mut Conn, id: Uuid) -> Result<Option<Session>, StoreError> {
    const SQL: &str = "select id, account, created_at, seen_at, stepped_up_at, revoked_at
, address, agent from sessions where id = $1";
    let row: Option<Row> =
        sqlx::query_as(SQL).bind(id.to_string()).fetch_optional(connection).await?;
    row.map(Session::try_from).transpose()
}

/// The newest sessions of an account that were not ended by hand, newest first.
pub async fn of_account(
    connection: &mut Conn,
    account: Uuid,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Session>, StoreError> {
    const SQL: &str = "select id, account, created_at, seen_at, stepped_up_at, revoked_at
, address, agent from sessions
where account = $1 and created_at >= $2 and revoked_at is null
order by created_at desc, id limit $3";
    let rows: Vec<Row> = sqlx::query_as(SQL)
        .bind(account.to_string())
        .bind(micros(since))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Session::try_from).collect()
}

/// Notes a request.
pub async fn touch(connection: &mut Conn, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "update sessions set seen_at = $2 where id = $1 and seen_at < $2";
    sqlx::query(SQL).bind(id.to_string()).bind(micros(now)).execute(connection).await?;
    Ok(())
}

/// Notes a second factor.
pub async fn step_up(connection: &mut Conn, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "update sessions set stepped_up_at = $2 where id = $1";
    let result =
        sqlx::query(SQL).bind(id.to_string()).bind(micros(now)).execute(connection).await?;
    one(&result, "sessions")
}

/// Ends a session; `false` when it had been ended.
pub async fn revoke(connection: &mut Conn, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "update sessions set revoked_at = $2 where id = $1 and revoked_at is null";
    let result =
        sqlx::query(SQL).bind(id.to_string()).bind(micros(now)).execute(connection).await?;
    Ok(result.rows_affected() == 1)
}

/// Ends all sessions of an account; gives how many.
pub async fn revoke_all(
    connection: &mut Conn,
    account: Uuid,
    now: Timestamp,
) -> Result<u64, StoreError> {
    const SQL: &str = "update sessions set revoked_at = $2
where account = $1 and revoked_at is null";
    let result =
        sqlx::query(SQL).bind(account.to_string()).bind(micros(now)).execute(connection).await?;
    Ok(result.rows_affected())
}

/// Forgets sessions begun before `at`; gives how many.
pub async fn purge(connection: &mut Conn, at: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "delete from sessions where created_at < $1";
    Ok(sqlx::query(SQL).bind(micros(at)).execute(connection).await?.rows_affected())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    account: String,
    created_at: i64,
    seen_at: i64,
    stepped_up_at: Option<i64>,
    revoked_at: Option<i64>,
    address: String,
    agent: String,
}

impl TryFrom<Row> for Session {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let at = |micros, column| instant(micros, "sessions", column);
        Ok(Self {
            id: parsed(&row.id, "sessions", "id")?,
            account: parsed(&row.account, "sessions", "account")?,
            created_at: at(row.created_at, "created_at")?,
            seen_at: at(row.seen_at, "seen_at")?,
            stepped_up_at: row.stepped_up_at.map(|us| at(us, "stepped_up_at")).transpose()?,
            revoked_at: row.revoked_at.map(|us| at(us, "revoked_at")).transpose()?,
            address: row.address,
            agent: row.agent,
        })
    }
}
