//! The table `events` and its place in `sequences`.

use jiff::Timestamp;

use crate::app::events::Event;
use crate::store::{Conn, StoreError, instant, micros, parsed};

/// Takes the next number and holds the sequence until commit.
pub async fn take(connection: &mut Conn) -> Result<i64, StoreError> {
    const SQL: &str = "update sequences set event = event + 1 where id = 1 returning event";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// The number of the newest event; 0 for none.
pub async fn newest(connection: &mut Conn) -> Result<i64, StoreError> {
    const SQL: &str = "select event from sequences where id = 1";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// The number of the oldest event that is still kept; `None` when none is.
pub async fn oldest(connection: &mut Conn) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "select cast(min(seq) as bigint) from events";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// Writes an event.
pub async fn insert(connection: &mut Conn, event: &Event) -> Result<(), StoreError> {
    const SQL: &str = "insert into events (seq, topic, region, body, at)
values ($1, $2, $3, $4, $5)";
    sqlx::query(SQL)
        .bind(event.seq)
        .bind(event.topic.as_str())
        .bind(event.region.to_string())
        .bind(&event.body)
        .bind(micros(event.at))
        .execute(connection)
        .await?;
    Ok(())
}

/// At most `limit` events after number `after`, in their order.
pub async fn after(
    connection: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    const SQL: &str = "select seq, topic, region, body, at from events
where seq > $1 order by seq limit $2";
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(connection).await?;
    rows.into_iter().map(Event::try_from).collect()
}

/// Deletes events older than `at`.
pub async fn delete_before(connection: &mut Conn, at: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "delete from events where at < $1";
    Ok(sqlx::query(SQL).bind(micros(at)).execute(connection).await?.rows_affected())
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    topic: String,
    region: String,
    body: String,
    at: i64,
}

impl TryFrom<Row> for Event {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.seq,
            topic: parsed(&row.topic, "events", "topic")?,
            region: parsed(&row.region, "events", "region")?,
            body: row.body,
            at: instant(row.at, "events", "at")?,
        })
    }
}
