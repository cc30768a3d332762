//! The table `terminals`.

use protocols::area::Position;
use protocols::digest::Digest;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use sqlx::FromRow;

use crate::domain::targeting::TerminalPlace;
use crate::domain::terminal::Terminal;
use crate::store::{Conn, StoreError, digest, instant, micros, one, parsed};

const TABLE: &str = "terminals";

/// Writes a planned terminal.
pub async fn insert(connection: &mut Conn, terminal: &Terminal) -> Result<(), StoreError> {
    const SQL: &str = "insert into terminals
(id, village, number, name, lat, lon, is_speaking, version)
values ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(SQL)
        .bind(terminal.id.to_string())
        .bind(terminal.id.village().to_string())
        .bind(i64::from(terminal.id.number()))
        .bind(&terminal.name)
        .bind(terminal.position.map(Position::lat))
        .bind(terminal.position.map(Position::lon))
        .bind(i64::from(terminal.is_speaking))
        .bind(terminal.version)
        .execute(connection)
        .await?;
    Ok(())
}

/// The number after the highest ever given in this village.
pub async fn next_number(connection: &mut Conn, village: RegionCode) -> Result<i64, StoreError> {
    const SQL: &str = "select cast(coalesce(max(number), 0) + 1 as bigint) from terminals
where village = $1";
    Ok(sqlx::query_scalar(SQL).bind(village.to_string()).fetch_one(connection).await?)
}

/// One terminal.
pub async fn get(connection: &mut Conn, id: TerminalId) -> Result<Option<Terminal>, StoreError> {
    const SQL: &str =
        "select id, name, lat, lon, public_key, enrolled_at, retired_at, is_speaking, version
from terminals where id = $1";
    let row: Option<Row> =
        sqlx::query_as(SQL).bind(id.to_string()).fetch_optional(connection).await?;
    row.map(Terminal::try_from).transpose()
}

/// At most `limit` terminals of the index range after `after`, in the order of their identifiers.
/// An identifier begins with its village, so that the range bounds it as well.
pub async fn list(
    connection: &mut Conn,
    (from, until): &(String, String),
    after: &str,
    limit: i64,
) -> Result<Vec<Terminal>, StoreError> {
    const SQL: &str =
        "select id, name, lat, lon, public_key, enrolled_at, retired_at, is_speaking, version
from terminals
where id > $3 and id < $2 and village >= $1 and village < $2 order by id limit $4";
    let rows: Vec<Row> = sqlx::query_as(SQL)
        .bind(from)
        .bind(until)
        .bind(after.max(from))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Terminal::try_from).collect()
}

/// How many terminals that are not retired stand in a region; planned ones included.
pub async fn count_within(connection: &mut Conn, region: RegionCode) -> Result<i64, StoreError> {
    const SQL: &str = "select cast(count(*) as bigint) from terminals
where village >= $1 and village < $2 and retired_at is null";
    let (from, until) = region.range();
    Ok(sqlx::query_scalar(SQL).bind(from).bind(until).fetch_one(connection).await?)
}

/// Saves name, position, loudspeaker and retirement of the version that was read.
pub async fn save(connection: &mut Conn, terminal: &Terminal) -> Result<(), StoreError> {
    const SQL: &str = "update terminals set
    name = $3
    , lat = $4
    , lon = $5
    , is_speaking = $6
    , retired_at = $7
    , version = version + 1
where id = $1 and version = $2";
    let result = sqlx::query(SQL)
        .bind(terminal.id.to_string())
        .bind(terminal.version)
        .bind(&terminal.name)
        .bind(terminal.position.map(Position::lat))
        .bind(terminal.position.map(Position::lon))
        .bind(i64::from(terminal.is_speaking))
        .bind(terminal.retired_at.map(micros))
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

/// An MQTT password as each kind of broker keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordVerifiers {
    /// SHA-256: the embedded one.
    pub digest: Digest,
    /// mosquitto's `$7$`.
    pub mosquitto: String,
    /// The bcrypt of nats-server.
    pub nats: String,
}

/// An enrolled terminal as an external broker must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerMember {
    /// Which.
    pub id: TerminalId,
    /// For mosquitto; absent when it joined before these were kept.
    pub mosquitto: Option<String>,
    /// For nats-server; absent as above.
    pub nats: Option<String>,
}

#[derive(FromRow)]
struct MemberRow {
    id: String,
    mosquitto_verifier: Option<String>,
    nats_verifier: Option<String>,
}

/// All enrolled terminals, in the order of their identifiers.
pub async fn broker_members(connection: &mut Conn) -> Result<Vec<BrokerMember>, StoreError> {
    const SQL: &str = "select id, mosquitto_verifier, nats_verifier from terminals
where enrolled_at is not null and retired_at is null order by id";
    let rows: Vec<MemberRow> = sqlx::query_as(SQL).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let id = parsed(&row.id, TABLE, "id")?;
            Ok(BrokerMember { id, mosquitto: row.mosquitto_verifier, nats: row.nats_verifier })
        })
        .collect()
}

/// Saves key and password of a terminal that joins, or joins again after a repair.
pub async fn enrol(
    connection: &mut Conn,
    id: TerminalId,
    public_key: &[u8],
    mqtt_password: &PasswordVerifiers,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update terminals set
    public_key = $2
    , mqtt_password_digest = $3
    , enrolled_at = $4
    , mosquitto_verifier = $5
    , nats_verifier = $6
    , version = version + 1
where id = $1 and retired_at is null";
    let result = sqlx::query(SQL)
        .bind(id.to_string())
        .bind(public_key)
        .bind(mqtt_password.digest.0.to_vec())
        .bind(micros(now))
        .bind(&mqtt_password.mosquitto)
        .bind(&mqtt_password.nats)
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

/// SHA-256 of the MQTT password; `None` when unknown, not enrolled or retired.
pub async fn mqtt_password(
    connection: &mut Conn,
    id: TerminalId,
) -> Result<Option<Digest>, StoreError> {
    const SQL: &str = "select mqtt_password_digest from terminals
where id = $1 and mqtt_password_digest is not null and retired_at is null";
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar(SQL).bind(id.to_string()).fetch_optional(connection).await?;
    bytes.map(|bytes| digest(&bytes, TABLE, "mqtt_password_digest")).transpose()
}

/// The public key; `None` when unknown, not enrolled or retired.
pub async fn public_key(
    connection: &mut Conn,
    id: TerminalId,
) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: &str = "select public_key from terminals
where id = $1 and public_key is not null and retired_at is null";
    Ok(sqlx::query_scalar(SQL).bind(id.to_string()).fetch_optional(connection).await?)
}

/// Terminals that were taken away for good since then.
pub async fn retired_since(
    connection: &mut Conn,
    since: jiff::Timestamp,
) -> Result<Vec<TerminalId>, StoreError> {
    const SQL: &str = "select id from terminals where retired_at >= $1 order by retired_at";
    let ids: Vec<String> =
        sqlx::query_scalar(SQL).bind(micros(since)).fetch_all(connection).await?;
    ids.iter().map(|id| parsed(id, TABLE, "id")).collect()
}

/// Every terminal that may be meant: enrolled, not retired.
pub async fn places(connection: &mut Conn) -> Result<Vec<TerminalPlace>, StoreError> {
    const SQL: &str = "select id, lat, lon from terminals
where enrolled_at is not null and retired_at is null order by id";
    let rows: Vec<(String, Option<f64>, Option<f64>)> =
        sqlx::query_as(SQL).fetch_all(connection).await?;
    let place = |(id, lat, lon): (String, Option<f64>, Option<f64>)| {
        Ok(TerminalPlace { id: parsed(&id, TABLE, "id")?, position: position(lat, lon) })
    };
    rows.into_iter().map(place).collect()
}

fn position(lat: Option<f64>, lon: Option<f64>) -> Option<Position> {
    lat.zip(lon).and_then(|(lat, lon)| Position::from_degrees(lat, lon))
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    lat: Option<f64>,
    lon: Option<f64>,
    public_key: Option<Vec<u8>>,
    enrolled_at: Option<i64>,
    retired_at: Option<i64>,
    is_speaking: i64,
    version: i64,
}

impl TryFrom<Row> for Terminal {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let at = |at: Option<i64>, column| at.map(|at| instant(at, TABLE, column)).transpose();
        Ok(Self {
            id: parsed(&row.id, TABLE, "id")?,
            name: row.name,
            position: position(row.lat, row.lon),
            public_key: row.public_key,
            enrolled_at: at(row.enrolled_at, "enrolled_at")?,
            retired_at: at(row.retired_at, "retired_at")?,
            is_speaking: row.is_speaking != 0,
            version: row.version,
        })
    }
}
