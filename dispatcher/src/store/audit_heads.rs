//! The table `audit_heads`: what was signed of the record, from time to time.

use protocols::audit::AuditHead;

use crate::store::{Conn, StoreError, micros, one};

/// Keeps a signed head; one of the same entry is a duplicate.
pub async fn insert(
    connection: &mut Conn,
    head: &AuditHead,
    sealed: &[u8],
) -> Result<(), StoreError> {
    const SQL: &str = "insert into audit_heads (epoch, number, digest, at, sealed)
values ($1, $2, $3, $4, $5)";
    let result = sqlx::query(SQL)
        .bind(i64::from(head.epoch))
        .bind(i64::try_from(head.number).unwrap_or(i64::MAX))
        .bind(head.digest.0.to_vec())
        .bind(micros(head.at))
        .bind(sealed)
        .execute(connection)
        .await?;
    one(&result, "audit_heads")
}

/// Epoch and number of the newest; `None` for none.
pub async fn newest(connection: &mut Conn) -> Result<Option<(i64, i64)>, StoreError> {
    const SQL: &str = "select epoch, number from audit_heads
order by epoch desc, number desc limit 1";
    Ok(sqlx::query_as(SQL).fetch_optional(connection).await?)
}

/// At most `limit` signed heads after this place, oldest first: epoch, number and the signed bytes.
pub async fn after(
    connection: &mut Conn,
    (epoch, number): (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, i64, Vec<u8>)>, StoreError> {
    const SQL: &str = "select epoch, number, sealed from audit_heads
where epoch > $1 or (epoch = $1 and number > $2)
order by epoch, number limit $3";
    let rows = sqlx::query_as(SQL).bind(epoch).bind(number).bind(limit);
    Ok(rows.fetch_all(connection).await?)
}
