//! What waits to be published and what is live: `orders` and `commands`, read for the broker.

use std::sync::Arc;

use jiff::Timestamp;
use protocols::region::RegionCode;
use protocols::wire;

use crate::mqtt::hello::LiveOrder;
use crate::store::{Conn, StoreError, digest, micros, one, parsed};

/// A sealed message that waits to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublished {
    /// Its identifier here.
    pub id: String,
    /// The region on whose topic it belongs.
    pub topic: RegionCode,
    /// The signed bytes.
    pub sealed: Vec<u8>,
}

#[derive(sqlx::FromRow)]
struct UnpublishedRow {
    id: String,
    topic: String,
    sealed: Vec<u8>,
}

impl UnpublishedRow {
    fn read(self, table: &'static str) -> Result<Unpublished, StoreError> {
        let topic = parsed(&self.topic, table, "topic")?;
        Ok(Unpublished { id: self.id, topic, sealed: self.sealed })
    }
}

/// Orders that were never given to the broker and still matter, oldest first.
pub async fn unpublished_orders(
    connection: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Unpublished>, StoreError> {
    const SQL: &str = "select id, topic, sealed from orders
where published_at is null and ended_at is null and expires_at > $1
order by created_at, id limit $2";
    let rows: Vec<UnpublishedRow> =
        sqlx::query_as(SQL).bind(micros(now)).bind(limit).fetch_all(connection).await?;
    rows.into_iter().map(|row| row.read("orders")).collect()
}

/// Commands of the same kind.
pub async fn unpublished_commands(
    connection: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Unpublished>, StoreError> {
    const SQL: &str = "select id, topic, sealed from commands
where published_at is null and ended_at is null and expires_at > $1
order by created_at, id limit $2";
    let rows: Vec<UnpublishedRow> =
        sqlx::query_as(SQL).bind(micros(now)).bind(limit).fetch_all(connection).await?;
    rows.into_iter().map(|row| row.read("commands")).collect()
}

/// The broker acknowledged an order.
pub async fn order_published(
    connection: &mut Conn,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update orders set published_at = $2 where id = $1";
    one(&sqlx::query(SQL).bind(id).bind(micros(now)).execute(connection).await?, "orders")
}

/// The broker acknowledged a command.
pub async fn command_published(
    connection: &mut Conn,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update commands set published_at = $2 where id = $1";
    one(&sqlx::query(SQL).bind(id).bind(micros(now)).execute(connection).await?, "commands")
}

/// Live orders at most, in one look: far more than a city has at once.
pub const LIVE_MAX: i64 = 4_096;

#[derive(sqlx::FromRow)]
struct LiveRow {
    digest: Vec<u8>,
    topic: String,
    target: Vec<u8>,
    sealed: Vec<u8>,
}

/// The orders at the heads of all live chains, newest first.
pub async fn live_orders(
    connection: &mut Conn,
    now: Timestamp,
) -> Result<Vec<Arc<LiveOrder>>, StoreError> {
    const SQL: &str = "select digest, topic, target, sealed from orders
where ended_at is null and expires_at > $1
order by created_at desc, id desc limit $2";
    let rows: Vec<LiveRow> =
        sqlx::query_as(SQL).bind(micros(now)).bind(LIVE_MAX).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let target = wire::decode(&row.target)
                .map_err(|_| StoreError::Inconsistent { table: "orders", column: "target" })?;
            Ok(Arc::new(LiveOrder {
                digest: digest(&row.digest, "orders", "digest")?,
                topic: parsed(&row.topic, "orders", "topic")?,
                target,
                sealed: row.sealed,
            }))
        })
        .collect()
}

/// A command in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveCommand {
    /// The region on whose topic it was published.
    pub topic: RegionCode,
    /// The signed bytes.
    pub sealed: Vec<u8>,
}

/// The commands in force, oldest first: one for each region that was ever stopped lately.
pub async fn live_commands(
    connection: &mut Conn,
    now: Timestamp,
) -> Result<Vec<LiveCommand>, StoreError> {
    const SQL: &str = "select topic, sealed from commands
where ended_at is null and expires_at > $1
order by created_at, id limit $2";
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as(SQL).bind(micros(now)).bind(LIVE_MAX).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(topic, sealed)| {
            Ok(LiveCommand { topic: parsed(&topic, "commands", "topic")?, sealed })
        })
        .collect()
}
