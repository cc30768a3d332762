//! The table `audit` and its place in `sequences`.

use crate::app::audit::Entry;
use crate::store::{Conn, StoreError, instant, micros, one, parsed};

/// Takes the next number and the head's digest, and holds the sequence until commit.
pub async fn take(connection: &mut Conn) -> Result<(i64, Vec<u8>), StoreError> {
    const SQL: &str = "update sequences set audit = audit + 1 where id = 1
returning audit, audit_digest";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// The head of the chain: its number (0 for none) and digest.
pub async fn head(connection: &mut Conn) -> Result<(i64, Vec<u8>), StoreError> {
    const SQL: &str = "select audit, audit_digest from sequences where id = 1";
    Ok(sqlx::query_as(SQL).fetch_one(connection).await?)
}

/// Writes an entry and makes it the head.
pub async fn insert(connection: &mut Conn, entry: &Entry) -> Result<(), StoreError> {
    const SQL: &str = "insert into audit
(seq, at, actor, action, object, detail, previous, digest)
values ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(SQL)
        .bind(entry.seq)
        .bind(micros(entry.at))
        .bind(entry.actor.to_string())
        .bind(&entry.action)
        .bind(&entry.object)
        .bind(&entry.detail)
        .bind(&entry.previous)
        .bind(&entry.digest)
        .execute(&mut *connection)
        .await?;
    set_head(connection, &entry.digest).await
}

async fn set_head(connection: &mut Conn, digest: &[u8]) -> Result<(), StoreError> {
    const SQL: &str = "update sequences set audit_digest = $1 where id = 1";
    one(&sqlx::query(SQL).bind(digest).execute(connection).await?, "sequences")
}

/// At most `limit` entries after number `after`, in their order.
pub async fn after(
    connection: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    const SQL: &str = "select seq, at, actor, action, object, detail, previous, digest
from audit where seq > $1 order by seq limit $2";
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(connection).await?;
    rows.into_iter().map(Entry::try_from).collect()
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    action: String,
    object: String,
    detail: String,
    previous: Vec<u8>,
    digest: Vec<u8>,
}

impl TryFrom<Row> for Entry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.seq,
            at: instant(row.at, "audit", "at")?,
            actor: parsed(&row.actor, "audit", "actor")?,
            action: row.action,
            object: row.object,
            detail: row.detail,
            previous: row.previous,
            digest: row.digest,
        })
    }
}
