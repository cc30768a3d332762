//! The tables `orders` and `streams`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use protocols::area::Target;
use protocols::digest::Digest;
use protocols::order::{Purpose, Sequence, Stream};
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use protocols::wire;
use sqlx::FromRow;

use crate::store::{Conn, StoreError, instant, micros, one, parsed};

/// What is numbered apart from each other in one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Orders.
    Order,
    /// Commands.
    Command,
}

impl StreamKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Command => "command",
        }
    }
}

/// Takes the next number of a stream, which begins each epoch anew from 1. The row is held until
/// commit, so that numbers become visible in their order.
pub async fn take_number(
    connection: &mut Conn,
    stream: Stream,
    kind: StreamKind,
) -> Result<Sequence, StoreError> {
    const SQL: &str = "insert into streams (authority, topic, kind, epoch, number)
values ($1, $2, $3, (select e.number from epochs e where e.id = 1), 1)
on conflict (authority, topic, kind) do update set epoch = excluded.epoch
    , number = case when streams.epoch = excluded.epoch then streams.number + 1 else 1 end
returning epoch, number";
    let (epoch, number): (i64, i64) = sqlx::query_as(SQL)
        .bind(stream.authority.to_string())
        .bind(stream.topic.to_string())
        .bind(kind.as_str())
        .fetch_one(connection)
        .await?;
    let wrong = |column| StoreError::Inconsistent { table: "streams", column };
    Ok(Sequence {
        epoch: u32::try_from(epoch).map_err(|_| wrong("epoch"))?,
        number: u64::try_from(number).map_err(|_| wrong("number"))?,
    })
}

/// A sealed order with what it is found by.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrder {
    /// Its identifier here.
    pub id: String,
    /// The alert.
    pub alert: String,
    /// Where it is published.
    pub stream: Stream,
    /// Its place there.
    pub sequence: Sequence,
    /// What it does.
    pub purpose: Purpose,
    /// Who is meant.
    pub target: Target,
    /// The signed bytes.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The name of a purpose in the database.
pub const fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Alert => "alert",
        Purpose::Update => "update",
        Purpose::MinorUpdate => "minor_update",
        Purpose::Lifted => "lifted",
        Purpose::Withdrawn => "withdrawn",
    }
}

/// Writes an order.
pub async fn insert(connection: &mut Conn, order: &NewOrder) -> Result<(), StoreError> {
    const SQL: &str = "insert into orders (
    id, alert, digest, topic, authority, epoch, number, purpose, target, sealed, created_at
    , expires_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let result = sqlx::query(SQL)
        .bind(&order.id)
        .bind(&order.alert)
        .bind(Digest::of(&order.sealed).0.to_vec())
        .bind(order.stream.topic.to_string())
        .bind(order.stream.authority.to_string())
        .bind(i64::from(order.sequence.epoch))
        .bind(i64::try_from(order.sequence.number).unwrap_or(i64::MAX))
        .bind(purpose_name(order.purpose))
        .bind(wire::encode(&order.target))
        .bind(&order.sealed)
        .bind(micros(order.created_at))
        .bind(micros(order.expires_at))
        .execute(connection)
        .await?;
    one(&result, "orders")
}

/// Ends every live order of an alert: its chain was closed or superseded.
pub async fn end(connection: &mut Conn, alert: &str, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "update orders set ended_at = $2 where alert = $1 and ended_at is null";
    sqlx::query(SQL).bind(alert).bind(micros(at)).execute(connection).await?;
    Ok(())
}

/// An order as it was addressed.
#[derive(Debug, Clone, PartialEq)]
pub struct AddressedOrder {
    /// Its identifier here.
    pub id: String,
    /// Where it was published.
    pub topic: RegionCode,
    /// Who is meant.
    pub target: Target,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct AddressedRow {
    id: String,
    topic: String,
    target: Vec<u8>,
    expires_at: i64,
}

/// The orders of an alert, by topic.
pub async fn of_alert(
    connection: &mut Conn,
    alert: &str,
) -> Result<Vec<AddressedOrder>, StoreError> {
    const SQL: &str = "select id, topic, target, expires_at from orders
where alert = $1 order by topic, id";
    let rows: Vec<AddressedRow> = sqlx::query_as(SQL).bind(alert).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let target = wire::decode(&row.target)
                .map_err(|_| StoreError::Inconsistent { table: "orders", column: "target" })?;
            Ok(AddressedOrder {
                topic: parsed(&row.topic, "orders", "topic")?,
                target,
                expires_at: instant(row.expires_at, "orders", "expires_at")?,
                id: row.id,
            })
        })
        .collect()
}

/// Writes the row of one terminal that an order means: nothing is known of it yet.
pub async fn insert_delivery(
    connection: &mut Conn,
    alert: &str,
    order: &str,
    terminal: TerminalId,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into deliveries (
    alert, order_id, terminal, state, repeats_finished, updated_at
) values ($1, $2, $3, 'pending', 0, $4)";
    let result = sqlx::query(SQL)
        .bind(alert)
        .bind(order)
        .bind(terminal.to_string())
        .bind(micros(now))
        .execute(connection)
        .await?;
    one(&result, "deliveries")
}

/// The terminals that an order means, as frozen when it was made.
pub async fn terminals_of(
    connection: &mut Conn,
    order: &str,
) -> Result<Vec<TerminalId>, StoreError> {
    const SQL: &str = "select terminal from deliveries where order_id = $1 order by terminal";
    let rows: Vec<(String,)> = sqlx::query_as(SQL).bind(order).fetch_all(connection).await?;
    rows.into_iter().map(|(id,)| parsed(&id, "deliveries", "terminal")).collect()
}

/// When each terminal was last heard; those never heard are left out.
pub async fn last_heard(
    connection: &mut Conn,
) -> Result<BTreeMap<TerminalId, Timestamp>, StoreError> {
    const SQL: &str = "select terminal, last_seen_at from terminal_states
where last_seen_at is not null";
    let rows: Vec<(String, i64)> = sqlx::query_as(SQL).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(terminal, at)| {
            let terminal = parsed(&terminal, "terminal_states", "terminal")?;
            Ok((terminal, instant(at, "terminal_states", "last_seen_at")?))
        })
        .collect()
}

/// How many terminals of an alert are in each state, by what their orders do.
pub async fn progress(
    connection: &mut Conn,
    alert: &str,
) -> Result<Vec<(String, String, i64)>, StoreError> {
    const SQL: &str = "select o.purpose, d.state, cast(count(*) as bigint)
from deliveries d join orders o on o.id = d.order_id
where d.alert = $1 group by o.purpose, d.state order by o.purpose, d.state";
    Ok(sqlx::query_as(SQL).bind(alert).fetch_all(connection).await?)
}
