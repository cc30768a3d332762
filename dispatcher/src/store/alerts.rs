//! The table `alerts`.

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::region::RegionCode;
use sqlx::FromRow;

use crate::domain::alert::evidence::Closed;
use crate::domain::alert::lifecycle::Lifecycle;
use crate::domain::alert::record::Alert;
use crate::store::{Conn, StoreError, digest, instant, micros, one, parsed};

const TABLE: &str = "alerts";

/// What is derived from an alert for the columns that others filter by.
struct Columns {
    region: String,
    state: &'static str,
    kind: String,
    color: Option<String>,
    event: String,
    content: String,
    content_digest: Digest,
    lifecycle: String,
    asked: String,
    closures: Option<String>,
    issued_at: Option<i64>,
    closed: Option<(i64, &'static str)>,
    countersign_due_at: Option<i64>,
}

/// A closed enumeration as its JSON name.
fn name<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("records have string keys and finite numbers")
}

impl Columns {
    fn of(alert: &Alert) -> Self {
        let closed = match &alert.lifecycle {
            Lifecycle::Closed { closed: Closed { how, at, .. }, .. } => {
                Some((micros(*at), how.as_str()))
            }
            Lifecycle::Draft(_)
            | Lifecycle::Submitted(_)
            | Lifecycle::Approved(_)
            | Lifecycle::Issued(_)
            | Lifecycle::Updated { .. } => None,
        };
        let awaited = alert.lifecycle.emergency().filter(|it| it.countersigned.is_none());
        Self {
            region: alert.region.to_string(),
            state: alert.lifecycle.state(),
            kind: name(&alert.content.kind),
            color: alert.content.color.as_ref().map(name),
            event: alert.content.event.map(|event| event.to_string()).unwrap_or_default(),
            content: json(&alert.content),
            content_digest: alert.content_digest(),
            lifecycle: json(&alert.lifecycle),
            asked: json(&alert.asked),
            closures: alert.closures.as_ref().map(json),
            issued_at: alert.lifecycle.issued().map(|issued| micros(issued.at)),
            closed,
            countersign_due_at: awaited.map(|emergency| micros(emergency.due_at)),
        }
    }
}

/// Writes a new alert.
pub async fn insert(connection: &mut Conn, alert: &Alert) -> Result<(), StoreError> {
    const SQL: &str = "insert into alerts (
    id, version, chain, predecessor, region, sender, identifier, sent, state, kind, color, event
    , content, content_digest, lifecycle, asked, closures, cap_digest, origin, issued_at
    , expires_at, closed_at, closure, countersign_due_at, created_at
) values (
    $1, 1, $2, $3, $4, $5, $1, $6, $7, $8, $9, $10
    , $11, $12, $13, $14, $15, $16, $17, $18
    , $19, $20, $21, $22, $23
)";
    let columns = Columns::of(alert);
    let result = sqlx::query(SQL)
        .bind(&alert.id)
        .bind(&alert.chain)
        .bind(&alert.predecessor)
        .bind(columns.region)
        .bind(&alert.sender)
        .bind(alert.sent.map(micros))
        .bind(columns.state)
        .bind(columns.kind)
        .bind(columns.color)
        .bind(columns.event)
        .bind(columns.content)
        .bind(columns.content_digest.0.to_vec())
        .bind(columns.lifecycle)
        .bind(columns.asked)
        .bind(columns.closures)
        .bind(alert.cap_digest.map(|digest| digest.0.to_vec()))
        .bind(&alert.origin)
        .bind(columns.issued_at)
        .bind(micros(alert.expires_at()))
        .bind(columns.closed.map(|(at, _)| at))
        .bind(columns.closed.map(|(_, how)| how))
        .bind(columns.countersign_due_at)
        .bind(micros(alert.created_at))
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

/// Writes a changed alert over the version that was read; a conflict when somebody was faster.
pub async fn save(connection: &mut Conn, alert: &Alert) -> Result<(), StoreError> {
    const SQL: &str = "update alerts set
    version = version + 1, region = $3, sent = $4, state = $5, kind = $6, color = $7, event = $8
    , content = $9, content_digest = $10, lifecycle = $11, asked = $12, closures = $13
    , cap_digest = $14, issued_at = $15, expires_at = $16, closed_at = $17, closure = $18
    , countersign_due_at = $19
where id = $1 and version = $2";
    let columns = Columns::of(alert);
    let result = sqlx::query(SQL)
        .bind(&alert.id)
        .bind(alert.version)
        .bind(columns.region)
        .bind(alert.sent.map(micros))
        .bind(columns.state)
        .bind(columns.kind)
        .bind(columns.color)
        .bind(columns.event)
        .bind(columns.content)
        .bind(columns.content_digest.0.to_vec())
        .bind(columns.lifecycle)
        .bind(columns.asked)
        .bind(columns.closures)
        .bind(alert.cap_digest.map(|digest| digest.0.to_vec()))
        .bind(columns.issued_at)
        .bind(micros(alert.expires_at()))
        .bind(columns.closed.map(|(at, _)| at))
        .bind(columns.closed.map(|(_, how)| how))
        .bind(columns.countersign_due_at)
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

#[derive(FromRow)]
struct Row {
    id: String,
    version: i64,
    chain: String,
    predecessor: Option<String>,
    region: String,
    sender: String,
    sent: Option<i64>,
    content: String,
    lifecycle: String,
    asked: String,
    closures: Option<String>,
    cap_digest: Option<Vec<u8>>,
    origin: String,
    created_at: i64,
}

fn read<T: serde::de::DeserializeOwned>(text: &str, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Inconsistent { table: TABLE, column })
}

impl TryFrom<Row> for Alert {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let cap_digest = row.cap_digest.map(|bytes| digest(&bytes, TABLE, "cap_digest"));
        Ok(Self {
            id: row.id,
            version: row.version,
            chain: row.chain,
            predecessor: row.predecessor,
            region: parsed(&row.region, TABLE, "region")?,
            sender: row.sender,
            sent: row.sent.map(|sent| instant(sent, TABLE, "sent")).transpose()?,
            content: read(&row.content, "content")?,
            asked: read(&row.asked, "asked")?,
            lifecycle: read(&row.lifecycle, "lifecycle")?,
            closures: row.closures.map(|text| read(&text, "closures")).transpose()?,
            cap_digest: cap_digest.transpose()?,
            origin: row.origin,
            created_at: instant(row.created_at, TABLE, "created_at")?,
        })
    }
}

/// The alert with this identifier.
pub async fn find(connection: &mut Conn, id: &str) -> Result<Option<Alert>, StoreError> {
    const SQL: &str = "select id, version, chain, predecessor, region, sender, sent, content
    , lifecycle, asked, closures, cap_digest, origin, created_at
from alerts where id = $1";
    let row: Option<Row> = sqlx::query_as(SQL).bind(id).fetch_optional(connection).await?;
    row.map(Alert::try_from).transpose()
}

/// Lets no other transaction end, update or expire the chain before this one is over. Whoever
/// needs several chains takes them in the order of their identifiers.
pub async fn hold_chain(connection: &mut Conn, chain: &str) -> Result<(), StoreError> {
    const SQL: &str = "update alerts set version = version where id = $1";
    let result = sqlx::query(SQL).bind(chain).execute(connection).await?;
    one(&result, TABLE)
}

/// All members of a chain, oldest first.
pub async fn chain(connection: &mut Conn, chain: &str) -> Result<Vec<Alert>, StoreError> {
    const SQL: &str = "select id, version, chain, predecessor, region, sender, sent, content
    , lifecycle, asked, closures, cap_digest, origin, created_at
from alerts where chain = $1 order by id";
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(chain).fetch_all(connection).await?;
    rows.into_iter().map(Alert::try_from).collect()
}

/// What a list is cut to. Empty texts do not filter.
#[derive(Debug, Clone)]
pub struct Filter {
    /// First region code.
    pub from: String,
    /// First region code after.
    pub until: String,
    /// State as stored.
    pub state: String,
    /// Kind as stored.
    pub kind: String,
    /// Only older ones: the last identifier of the page before.
    pub before: Option<String>,
}

/// A page of alerts, newest first.
pub async fn page(
    connection: &mut Conn,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Alert>, StoreError> {
    const SQL: &str = "select id, version, chain, predecessor, region, sender, sent, content
    , lifecycle, asked, closures, cap_digest, origin, created_at
from alerts
where region >= $1 and region < $2
    and ($3 = '' or state = $3)
    and ($4 = '' or kind = $4)
    and ($5 = '' or id < $5)
order by id desc limit $6";
    let rows: Vec<Row> = sqlx::query_as(SQL)
        .bind(&filter.from)
        .bind(&filter.until)
        .bind(&filter.state)
        .bind(&filter.kind)
        .bind(filter.before.as_deref().unwrap_or_default())
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Alert::try_from).collect()
}

/// Issued alerts whose time has run out.
pub async fn expired(
    connection: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Alert>, StoreError> {
    const SQL: &str = "select id, version, chain, predecessor, region, sender, sent, content
    , lifecycle, asked, closures, cap_digest, origin, created_at
from alerts where state = 'issued' and expires_at <= $1 order by expires_at limit $2";
    let rows: Vec<Row> =
        sqlx::query_as(SQL).bind(micros(now)).bind(limit).fetch_all(connection).await?;
    rows.into_iter().map(Alert::try_from).collect()
}

/// When the next issued alert expires or the next countersign is due.
pub async fn next_deadline(connection: &mut Conn) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "select cast(min(at) as bigint) from (
    select min(expires_at) as at from alerts where state = 'issued'
    union all
    select min(countersign_due_at) as at from alerts where breached_at is null
) as deadlines";
    let at: Option<i64> = sqlx::query_scalar(SQL).fetch_one(connection).await?;
    at.map(|at| instant(at, TABLE, "expires_at")).transpose()
}

/// An emergency issue that was not countersigned in time and not yet announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The alert.
    pub alert: String,
    /// On whose behalf it was issued.
    pub region: RegionCode,
    /// Since when.
    pub due_at: Timestamp,
}

#[derive(FromRow)]
struct BreachRow {
    id: String,
    region: String,
    countersign_due_at: i64,
}

/// Breaches that nobody was told of yet.
pub async fn new_breaches(
    connection: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Breach>, StoreError> {
    const SQL: &str = "select id, region, countersign_due_at from alerts
where countersign_due_at <= $1 and breached_at is null order by countersign_due_at limit $2";
    let rows: Vec<BreachRow> =
        sqlx::query_as(SQL).bind(micros(now)).bind(limit).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Breach {
                region: parsed(&row.region, TABLE, "region")?,
                due_at: instant(row.countersign_due_at, TABLE, "countersign_due_at")?,
                alert: row.id,
            })
        })
        .collect()
}

/// Keeps that a breach was announced. The alert's version stays: nothing of it changed.
pub async fn mark_breached(
    connection: &mut Conn,
    alert: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update alerts set breached_at = $2 where id = $1 and breached_at is null";
    let result = sqlx::query(SQL).bind(alert).bind(micros(now)).execute(connection).await?;
    one(&result, TABLE)
}
