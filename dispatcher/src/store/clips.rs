//! The table `clips`.

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::order::ClipReference;

use crate::store::{Conn, StoreError, digest, micros};
use crate::voice::Clip;

/// The clip that this voice made of this text, if any.
pub async fn find(
    connection: &mut Conn,
    text: &Digest,
    voice: &str,
) -> Result<Option<ClipReference>, StoreError> {
    const SQL: &str = "select digest, cast(length(bytes) as bigint) as size, duration_ms
from clips where text_digest = $1 and voice = $2";
    let row: Option<Row> =
        sqlx::query_as(SQL).bind(text.0.as_slice()).bind(voice).fetch_optional(connection).await?;
    row.map(ClipReference::try_from).transpose()
}

/// The file with this digest.
pub async fn bytes(connection: &mut Conn, clip: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: &str = "select bytes from clips where digest = $1";
    let row: Option<(Vec<u8>,)> =
        sqlx::query_as(SQL).bind(clip.0.as_slice()).fetch_optional(connection).await?;
    Ok(row.map(|(bytes,)| bytes))
}

/// Keeps a clip. One that is there already stays as it is.
pub async fn insert(
    connection: &mut Conn,
    clip: &Clip,
    language: &str,
    voice: &str,
    text: &Digest,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into clips
(digest, bytes, duration_ms, language, voice, text_digest, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict do nothing";
    sqlx::query(SQL)
        .bind(clip.reference.digest.0.as_slice())
        .bind(clip.bytes.as_slice())
        .bind(i64::from(clip.reference.duration_ms))
        .bind(language)
        .bind(voice)
        .bind(text.0.as_slice())
        .bind(micros(now))
        .execute(connection)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    digest: Vec<u8>,
    size: i64,
    duration_ms: i64,
}

impl TryFrom<Row> for ClipReference {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let number = |value: i64, column| {
            u32::try_from(value).map_err(|_| StoreError::Inconsistent { table: "clips", column })
        };
        Ok(Self {
            digest: digest(&row.digest, "clips", "digest")?,
            bytes: number(row.size, "bytes")?,
            duration_ms: number(row.duration_ms, "duration_ms")?,
        })
    }
}
