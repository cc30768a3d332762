//! The table `epochs`: the epoch of every stream and of the record.

use crate::store::{Conn, StoreError, one};

/// The epoch in which numbers are taken now.
pub async fn current(connection: &mut Conn) -> Result<u32, StoreError> {
    const SQL: &str = "select number from epochs where id = 1";
    let number: i64 = sqlx::query_scalar(SQL).fetch_one(connection).await?;
    u32::try_from(number)
        .map_err(|_| StoreError::Inconsistent { table: "epochs", column: "number" })
}

/// Begins a later epoch. Each stream begins it with its next number; an earlier or equal epoch is
/// a conflict.
pub async fn raise(connection: &mut Conn, epoch: u32) -> Result<(), StoreError> {
    const SQL: &str = "update epochs set number = $1 where id = 1 and number < $1";
    one(&sqlx::query(SQL).bind(i64::from(epoch)).execute(connection).await?, "epochs")
}
