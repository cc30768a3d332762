//! The tables `cap_documents` and `cap_imports`.

use jiff::Timestamp;
use protocols::alert::AlertKey;
use protocols::digest::Digest;
use sqlx::FromRow;

use crate::store::{Conn, StoreError, digest, instant, micros};

/// Which way a document went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Handed in.
    In,
    /// Composed here.
    Out,
}

impl Direction {
    const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// Keeps a document under its digest; one that is kept already stays.
pub async fn insert(
    connection: &mut Conn,
    bytes: &[u8],
    direction: Direction,
    now: Timestamp,
) -> Result<Digest, StoreError> {
    const SQL: &str = "insert into cap_documents (digest, bytes, direction, at)
values ($1, $2, $3, $4) on conflict (digest) do nothing";
    let digest = Digest::of(bytes);
    sqlx::query(SQL)
        .bind(digest.0.to_vec())
        .bind(bytes.to_vec())
        .bind(direction.as_str())
        .bind(micros(now))
        .execute(connection)
        .await?;
    Ok(digest)
}

/// The document with this digest.
pub async fn find(connection: &mut Conn, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: &str = "select bytes from cap_documents where digest = $1";
    let row: Option<(Vec<u8>,)> =
        sqlx::query_as(SQL).bind(digest.0.to_vec()).fetch_optional(connection).await?;
    Ok(row.map(|(bytes,)| bytes))
}

/// A message that came in, under its own key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapImport {
    /// Its key.
    pub key: AlertKey,
    /// Digest of its content, however it was written.
    pub digest: Digest,
    /// The alert it became or acted on.
    pub alert: Option<String>,
    /// The token under which it came.
    pub token: String,
    /// What became of it.
    pub outcome: String,
}

/// Keeps that a message came in; `false` when its key is taken.
pub async fn insert_import(
    connection: &mut Conn,
    import: &CapImport,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "insert into cap_imports (
    sender, identifier, sent, digest, alert, token, outcome, at
) values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (sender, identifier, sent) do nothing";
    let result = sqlx::query(SQL)
        .bind(&import.key.sender)
        .bind(&import.key.identifier)
        .bind(micros(import.key.sent))
        .bind(import.digest.0.to_vec())
        .bind(&import.alert)
        .bind(&import.token)
        .bind(&import.outcome)
        .bind(micros(now))
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}

#[derive(FromRow)]
struct ImportRow {
    sender: String,
    identifier: String,
    sent: i64,
    digest: Vec<u8>,
    alert: Option<String>,
    token: String,
    outcome: String,
}

impl TryFrom<ImportRow> for CapImport {
    type Error = StoreError;

    fn try_from(row: ImportRow) -> Result<Self, StoreError> {
        let sent = instant(row.sent, "cap_imports", "sent")?;
        Ok(Self {
            key: AlertKey { sender: row.sender, identifier: row.identifier, sent },
            digest: digest(&row.digest, "cap_imports", "digest")?,
            alert: row.alert,
            token: row.token,
            outcome: row.outcome,
        })
    }
}

/// Messages of this sender and identifier, newest `sent` first: real references carry a wrong time,
/// so that the time only chooses among them.
pub async fn imports(
    connection: &mut Conn,
    sender: &str,
    identifier: &str,
) -> Result<Vec<CapImport>, StoreError> {
    const SQL: &str = "select sender, identifier, sent, digest, alert, token, outcome
from cap_imports where sender = $1 and identifier = $2 order by sent desc";
    let rows: Vec<ImportRow> =
        sqlx::query_as(SQL).bind(sender).bind(identifier).fetch_all(connection).await?;
    rows.into_iter().map(CapImport::try_from).collect()
}
