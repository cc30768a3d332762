//! The table `revocation_lists`, and the villages to whose terminals a list must go.

use jiff::Timestamp;
use protocols::region::RegionCode;
use sqlx::FromRow;

use crate::domain::actor::ActorId;
use crate::store::{Conn, StoreError, micros, one, parsed};

/// A sealed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedList {
    /// Its number.
    pub number: u64,
    /// The bytes that a root signed.
    pub sealed: Vec<u8>,
}

#[derive(FromRow)]
struct ListRow {
    number: i64,
    sealed: Vec<u8>,
}

/// The newest list; none before the first was brought in.
pub async fn newest(connection: &mut Conn) -> Result<Option<SealedList>, StoreError> {
    const SQL: &str = "select number, sealed from revocation_lists order by number desc limit 1";
    let row: Option<ListRow> = sqlx::query_as(SQL).fetch_optional(connection).await?;
    row.map(|row| {
        let number = u64::try_from(row.number).map_err(|_| StoreError::Inconsistent {
            table: "revocation_lists",
            column: "number",
        })?;
        Ok(SealedList { number, sealed: row.sealed })
    })
    .transpose()
}

/// Keeps a list. One with this number that is there already is [`StoreError::Duplicate`].
pub async fn insert(
    connection: &mut Conn,
    list: &SealedList,
    by: ActorId,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into revocation_lists (number, sealed, imported_by, imported_at)
values ($1, $2, $3, $4)";
    let result = sqlx::query(SQL)
        .bind(i64::try_from(list.number).unwrap_or(i64::MAX))
        .bind(&list.sealed)
        .bind(by.to_string())
        .bind(micros(at))
        .execute(connection)
        .await?;
    one(&result, "revocation_lists")
}

/// The villages that have an enrolled terminal.
pub async fn villages(connection: &mut Conn) -> Result<Vec<RegionCode>, StoreError> {
    const SQL: &str = "select distinct village from terminals
where enrolled_at is not null and retired_at is null order by village";
    let rows: Vec<String> = sqlx::query_scalar(SQL).fetch_all(connection).await?;
    rows.iter().map(|village| parsed(village, "terminals", "village")).collect()
}
