//! The table `terminal_states`, and what a broker or an inbox must know of a terminal.

use jiff::Timestamp;
use protocols::area::Position;
use protocols::digest::Digest;
use protocols::terminal::TerminalId;
use sqlx::FromRow;

use crate::store::{Conn, StoreError, digest, instant, micros, parsed};

/// An enrolled terminal, as far as its messages are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// Its public key, as bytes.
    pub public_key: Vec<u8>,
    /// SHA-256 of its MQTT password.
    pub password_digest: Option<Digest>,
    /// Where it stands.
    pub position: Option<Position>,
}

#[derive(FromRow)]
struct EnrolledRow {
    public_key: Vec<u8>,
    mqtt_password_digest: Option<Vec<u8>>,
    lat: Option<f64>,
    lon: Option<f64>,
}

/// The terminal, if it is enrolled and not retired.
pub async fn enrolled(
    connection: &mut Conn,
    terminal: TerminalId,
) -> Result<Option<Enrolled>, StoreError> {
    const SQL: &str = "select public_key, mqtt_password_digest, lat, lon from terminals
where id = $1 and public_key is not null and enrolled_at is not null and retired_at is null";
    let row: Option<EnrolledRow> =
        sqlx::query_as(SQL).bind(terminal.to_string()).fetch_optional(connection).await?;
    row.map(|row| {
        let password_digest = row.mqtt_password_digest;
        Ok(Enrolled {
            public_key: row.public_key,
            password_digest: password_digest
                .map(|bytes| digest(&bytes, "terminals", "mqtt_password_digest"))
                .transpose()?,
            position: row.lat.zip(row.lon).and_then(|(lat, lon)| Position::from_degrees(lat, lon)),
        })
    })
    .transpose()
}

/// Notes that a terminal was heard. A new life of its journal begins its numbers again.
pub async fn note_hello(
    connection: &mut Conn,
    terminal: TerminalId,
    journal_id: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str =
        "insert into terminal_states (terminal, last_seen_at, connected_hint, journal_id)
values ($1, $2, 1, $3)
on conflict (terminal) do update set last_seen_at = excluded.last_seen_at
    , connected_hint = 1
    , vitals_number = case when terminal_states.journal_id = excluded.journal_id
        then terminal_states.vitals_number else 0 end
    , receipts_up_to = case when terminal_states.journal_id = excluded.journal_id
        then terminal_states.receipts_up_to else 0 end
    , journal_id = excluded.journal_id";
    sqlx::query(SQL)
        .bind(terminal.to_string())
        .bind(micros(now))
        .bind(journal_id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Vitals as they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// Whose.
    pub terminal: TerminalId,
    /// Which life of its journal.
    pub journal_id: u64,
    /// Their number there.
    pub number: u64,
    /// The nearest end of a certificate that the terminal relies on.
    pub certificate_expires: Option<Timestamp>,
    /// As CBOR.
    pub body: Vec<u8>,
}

/// Notes vitals, unless they are older than what is known.
pub async fn note_vitals(
    connection: &mut Conn,
    vitals: &Vitals,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into terminal_states (
    terminal, last_seen_at, connected_hint, vitals, vitals_number, journal_id
    , certificate_expires_at
) values ($1, $2, 1, $3, $4, $5, $6)
on conflict (terminal) do update set last_seen_at = excluded.last_seen_at
    , connected_hint = 1
    , vitals = excluded.vitals
    , vitals_number = excluded.vitals_number
    , certificate_expires_at = excluded.certificate_expires_at
    , receipts_up_to = case when terminal_states.journal_id = excluded.journal_id
        then terminal_states.receipts_up_to else 0 end
    , journal_id = excluded.journal_id
where terminal_states.journal_id is null
    or terminal_states.journal_id <> excluded.journal_id
    or terminal_states.vitals_number < excluded.vitals_number";
    sqlx::query(SQL)
        .bind(vitals.terminal.to_string())
        .bind(micros(now))
        .bind(&vitals.body)
        .bind(i64::try_from(vitals.number).unwrap_or(i64::MAX))
        .bind(vitals.journal_id.to_string())
        .bind(vitals.certificate_expires.map(micros))
        .execute(connection)
        .await?;
    Ok(())
}

/// The nearest end of a certificate that an enrolled terminal relies on.
pub async fn nearest_expiry(connection: &mut Conn) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "select min(s.certificate_expires_at)
from terminals t join terminal_states s on s.terminal = t.id
where t.enrolled_at is not null and t.retired_at is null";
    let nearest: Option<i64> = sqlx::query_scalar(SQL).fetch_one(connection).await?;
    nearest.map(|at| instant(at, "terminal_states", "certificate_expires_at")).transpose()
}

/// How many enrolled terminals rely on a certificate that ends before `until`.
pub async fn expiring_before(connection: &mut Conn, until: Timestamp) -> Result<i64, StoreError> {
    const SQL: &str = "select cast(count(*) as bigint)
from terminals t join terminal_states s on s.terminal = t.id
where t.enrolled_at is not null and t.retired_at is null and s.certificate_expires_at < $1";
    Ok(sqlx::query_scalar(SQL).bind(micros(until)).fetch_one(connection).await?)
}

/// Notes the unsigned word of the broker that a terminal came or went.
pub async fn note_hint(
    connection: &mut Conn,
    terminal: TerminalId,
    is_connected: bool,
) -> Result<(), StoreError> {
    const SQL: &str = "update terminal_states set connected_hint = $2 where terminal = $1";
    sqlx::query(SQL)
        .bind(terminal.to_string())
        .bind(i64::from(is_connected))
        .execute(connection)
        .await?;
    Ok(())
}

/// When a terminal was last heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Who.
    pub terminal: TerminalId,
    /// When; `None` for never.
    pub last_seen_at: Option<Timestamp>,
    /// The broker's unsigned word that it is connected.
    pub is_connected_hint: bool,
    /// Its newest vitals, as CBOR.
    pub vitals: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct HeardRow {
    id: String,
    last_seen_at: Option<i64>,
    connected_hint: Option<i64>,
    vitals: Option<Vec<u8>>,
}

impl TryFrom<HeardRow> for Heard {
    type Error = StoreError;

    fn try_from(row: HeardRow) -> Result<Self, StoreError> {
        let last_seen_at = row.last_seen_at;
        Ok(Self {
            terminal: parsed(&row.id, "terminals", "id")?,
            last_seen_at: last_seen_at
                .map(|at| instant(at, "terminal_states", "last_seen_at"))
                .transpose()?,
            is_connected_hint: row.connected_hint == Some(1),
            vitals: row.vitals,
        })
    }
}

/// Enrolled terminals of the villages in `range` after `after`, with when they were last heard.
pub async fn heard(
    connection: &mut Conn,
    range: &(String, String),
    after: &str,
    limit: i64,
) -> Result<Vec<Heard>, StoreError> {
    const SQL: &str = "select t.id, s.last_seen_at, s.connected_hint, s.vitals
from terminals t left join terminal_states s on s.terminal = t.id
where t.id > $3 and t.id < $2 and t.village >= $1 and t.village < $2
    and t.enrolled_at is not null and t.retired_at is null
order by t.id limit $4";
    let rows: Vec<HeardRow> = sqlx::query_as(SQL)
        .bind(&range.0)
        .bind(&range.1)
        .bind(after.max(&range.0))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Heard::try_from).collect()
}

/// When this terminal was last heard, if it is enrolled and not retired.
pub async fn heard_of(
    connection: &mut Conn,
    terminal: TerminalId,
) -> Result<Option<Heard>, StoreError> {
    const SQL: &str = "select t.id, s.last_seen_at, s.connected_hint, s.vitals
from terminals t left join terminal_states s on s.terminal = t.id
where t.id = $1 and t.enrolled_at is not null and t.retired_at is null";
    let row: Option<HeardRow> =
        sqlx::query_as(SQL).bind(terminal.to_string()).fetch_optional(connection).await?;
    row.map(Heard::try_from).transpose()
}

/// When each enrolled terminal was last heard, without its vitals: for the reconciler.
pub async fn last_seen(
    connection: &mut Conn,
) -> Result<Vec<(TerminalId, Option<Timestamp>)>, StoreError> {
    const SQL: &str = "select t.id, s.last_seen_at
from terminals t left join terminal_states s on s.terminal = t.id
where t.enrolled_at is not null and t.retired_at is null
order by t.id";
    let rows: Vec<(String, Option<i64>)> = sqlx::query_as(SQL).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(id, at)| {
            let at = at.map(|at| instant(at, "terminal_states", "last_seen_at")).transpose()?;
            Ok((parsed(&id, "terminals", "id")?, at))
        })
        .collect()
}
