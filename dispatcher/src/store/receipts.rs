//! The table `receipts`, and how far each terminal's journal was acknowledged.

use std::sync::LazyLock;

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;

use crate::store::{Conn, StoreError, instant, micros, parsed};

/// One receipt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Whose.
    pub terminal: TerminalId,
    /// Which life of its journal.
    pub journal_id: u64,
    /// Its number there.
    pub number: u64,
    /// The order or command.
    pub order_digest: Digest,
    /// The state, as a word.
    pub state: &'static str,
    /// The reason, as a word.
    pub reason: Option<String>,
    /// Which sounding.
    pub repeat: u8,
    /// By the terminal's clock.
    pub at: Timestamp,
    /// The receipt as CBOR.
    pub body: Vec<u8>,
}

/// Rows of one insert. A batch that is shorter repeats its last row, which the key ignores, so
/// that one prepared statement serves all.
const ROWS: usize = 32;

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let row = |row: usize| {
        let places = (row * 10 + 1..=row * 10 + 10).map(|place| format!("${place}"));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    let rows = (0..ROWS).map(row).collect::<Vec<_>>().join("\n    , ");
    format!(
        "insert into receipts (
    terminal, journal_id, number, order_digest, state, reason, repeat, at, received_at, body
) values {rows}
on conflict (terminal, journal_id, number) do nothing"
    )
});

/// Writes receipts; those known already are left as they are.
pub async fn insert(
    connection: &mut Conn,
    receipts: &[ReceiptRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in receipts.chunks(ROWS) {
        let Some(last) = chunk.last() else { continue };
        let mut query = sqlx::query(INSERT.as_str());
        for receipt in chunk.iter().chain(std::iter::repeat(last)).take(ROWS) {
            query = query
                .bind(receipt.terminal.to_string())
                .bind(receipt.journal_id.to_string())
                .bind(i64::try_from(receipt.number).unwrap_or(i64::MAX))
                .bind(receipt.order_digest.0.to_vec())
                .bind(receipt.state)
                .bind(receipt.reason.clone())
                .bind(i64::from(receipt.repeat))
                .bind(micros(receipt.at))
                .bind(micros(now))
                .bind(receipt.body.clone());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// How many receipts with these numbers are known.
pub async fn count(
    connection: &mut Conn,
    terminal: TerminalId,
    journal_id: u64,
    first: u64,
    last: u64,
) -> Result<u64, StoreError> {
    const SQL: &str = "select cast(count(*) as bigint) from receipts
where terminal = $1 and journal_id = $2 and number >= $3 and number <= $4";
    let count: i64 = sqlx::query_scalar(SQL)
        .bind(terminal.to_string())
        .bind(journal_id.to_string())
        .bind(i64::try_from(first).unwrap_or(i64::MAX))
        .bind(i64::try_from(last).unwrap_or(i64::MAX))
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Up to which number the receipts of this journal were acknowledged; 0 for none.
pub async fn up_to(
    connection: &mut Conn,
    terminal: TerminalId,
    journal_id: u64,
) -> Result<u64, StoreError> {
    const SQL: &str = "select receipts_up_to from terminal_states
where terminal = $1 and journal_id = $2";
    let up_to: Option<i64> = sqlx::query_scalar(SQL)
        .bind(terminal.to_string())
        .bind(journal_id.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(up_to.and_then(|up_to| u64::try_from(up_to).ok()).unwrap_or(0))
}

/// Notes up to which number the receipts of this journal are acknowledged.
pub async fn set_up_to(
    connection: &mut Conn,
    terminal: TerminalId,
    journal_id: u64,
    up_to: u64,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into terminal_states (terminal, journal_id, receipts_up_to)
values ($1, $2, $3)
on conflict (terminal) do update set receipts_up_to = excluded.receipts_up_to
    , vitals_number = case when terminal_states.journal_id = excluded.journal_id
        then terminal_states.vitals_number else 0 end
    , journal_id = excluded.journal_id";
    sqlx::query(SQL)
        .bind(terminal.to_string())
        .bind(journal_id.to_string())
        .bind(i64::try_from(up_to).unwrap_or(i64::MAX))
        .execute(connection)
        .await?;
    Ok(())
}

/// Where a page of receipts ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    received_at: i64,
    terminal: String,
    number: i64,
}

/// A receipt about an alert, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReceipt {
    /// Whose.
    pub terminal: TerminalId,
    /// Its number in the terminal's journal.
    pub number: i64,
    /// The order.
    pub order_id: String,
    /// What the order does, as a word.
    pub purpose: String,
    /// What happened, as a word.
    pub state: String,
    /// Why, as a word.
    pub reason: Option<String>,
    /// Which sounding.
    pub repeat: i64,
    /// By the terminal's clock.
    pub at: Timestamp,
    /// When it was written here.
    pub received_at: Timestamp,
}

impl KeptReceipt {
    /// Where a page that ends with it ended.
    pub fn place(&self) -> Place {
        Place {
            received_at: micros(self.received_at),
            terminal: self.terminal.to_string(),
            number: self.number,
        }
    }
}

#[derive(sqlx::FromRow)]
struct KeptRow {
    terminal: String,
    number: i64,
    order_id: String,
    purpose: String,
    state: String,
    reason: Option<String>,
    repeat: i64,
    at: i64,
    received_at: i64,
}

/// Receipts about the orders of an alert after `after`, in the order in which they came.
pub async fn of_alert(
    connection: &mut Conn,
    alert: &str,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<KeptReceipt>, StoreError> {
    const TABLE: &str = "receipts";
    const SQL: &str = "select r.terminal, r.number, o.id as order_id, o.purpose, r.state, r.reason
    , r.repeat, r.at, r.received_at
from receipts r join orders o on o.digest = r.order_digest
where o.alert = $1 and (r.received_at > $2
    or (r.received_at = $2 and (r.terminal > $3 or (r.terminal = $3 and r.number > $4))))
order by r.received_at, r.terminal, r.number limit $5";
    let (received_at, terminal, number) = match after {
        Some(place) => (place.received_at, place.terminal.as_str(), place.number),
        None => (-1, "", 0),
    };
    let rows: Vec<KeptRow> = sqlx::query_as(SQL)
        .bind(alert)
        .bind(received_at)
        .bind(terminal)
        .bind(number)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let kept = |row: KeptRow| {
        Ok(KeptReceipt {
            terminal: parsed(&row.terminal, TABLE, "terminal")?,
            at: instant(row.at, TABLE, "at")?,
            received_at: instant(row.received_at, TABLE, "received_at")?,
            number: row.number,
            order_id: row.order_id,
            purpose: row.purpose,
            state: row.state,
            reason: row.reason,
            repeat: row.repeat,
        })
    };
    rows.into_iter().map(kept).collect()
}

/// The order that a receipt is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// Its identifier.
    pub id: String,
    /// Its alert.
    pub alert: String,
    /// The alert's authority.
    pub region: RegionCode,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The order with this digest.
pub async fn order(connection: &mut Conn, digest: Digest) -> Result<Option<OrderKey>, StoreError> {
    const SQL: &str = "select o.id, o.alert, a.region, o.created_at, o.expires_at
from orders o join alerts a on a.id = o.alert where o.digest = $1";
    let row: Option<(String, String, String, i64, i64)> =
        sqlx::query_as(SQL).bind(digest.0.to_vec()).fetch_optional(connection).await?;
    row.map(|(id, alert, region, created_at, expires_at)| {
        Ok(OrderKey {
            id,
            alert,
            region: parsed(&region, "alerts", "region")?,
            created_at: instant(created_at, "orders", "created_at")?,
            expires_at: instant(expires_at, "orders", "expires_at")?,
        })
    })
    .transpose()
}

/// Deletes receipts that came before `at`; gives how many.
pub async fn purge(connection: &mut Conn, at: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "delete from receipts where received_at < $1";
    Ok(sqlx::query(SQL).bind(micros(at)).execute(connection).await?.rows_affected())
}
