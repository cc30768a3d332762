//! The table `enrolments`: codes by the digest of their secret.

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::terminal::TerminalId;

use crate::domain::actor::ActorId;
use crate::store::{Conn, StoreError, micros, parsed};

/// Writes a code.
pub async fn insert(
    connection: &mut Conn,
    secret: Digest,
    terminal: TerminalId,
    by: ActorId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into enrolments
(secret_digest, terminal, created_by, created_at, expires_at)
values ($1, $2, $3, $4, $5)";
    sqlx::query(SQL)
        .bind(secret.0.to_vec())
        .bind(terminal.to_string())
        .bind(by.to_string())
        .bind(micros(now))
        .bind(micros(expires_at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Uses a code up and gives its terminal; `None` when there is no such code, or it was used, or
/// its time is over. Of two that come at once, one gets the terminal: the row is changed only
/// while it is unclaimed.
pub async fn claim(
    connection: &mut Conn,
    secret: Digest,
    now: Timestamp,
) -> Result<Option<TerminalId>, StoreError> {
    const SQL: &str = "update enrolments set claimed_at = $2
where secret_digest = $1 and claimed_at is null and expires_at > $2
returning terminal";
    let terminal: Option<String> = sqlx::query_scalar(SQL)
        .bind(secret.0.to_vec())
        .bind(micros(now))
        .fetch_optional(connection)
        .await?;
    terminal.map(|terminal| parsed(&terminal, "enrolments", "terminal")).transpose()
}

/// Uses up every unclaimed code of a terminal: a newer code, or retirement, ends the older ones.
pub async fn revoke(
    connection: &mut Conn,
    terminal: TerminalId,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update enrolments set claimed_at = $2
where terminal = $1 and claimed_at is null";
    sqlx::query(SQL).bind(terminal.to_string()).bind(micros(now)).execute(connection).await?;
    Ok(())
}
