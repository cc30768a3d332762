//! The tables `stops` and `commands`.

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::order::{Sequence, Stream};
use protocols::region::RegionCode;
use sqlx::FromRow;

use crate::domain::actor::ActorId;
use crate::store::{Conn, StoreError, instant, micros, one, parsed};

/// A region that was silenced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Its identifier.
    pub id: String,
    /// Rises with each change.
    pub version: i64,
    /// The region.
    pub region: RegionCode,
    /// Why.
    pub reason: String,
    /// Who silenced it.
    pub placed_by: ActorId,
    /// When.
    pub placed_at: Timestamp,
    /// Who let it sound again, and when.
    pub lifted: Option<(ActorId, Timestamp)>,
}

#[derive(FromRow)]
struct StopRow {
    id: String,
    version: i64,
    region: String,
    reason: String,
    placed_by: String,
    placed_at: i64,
    lifted_by: Option<String>,
    lifted_at: Option<i64>,
}

impl TryFrom<StopRow> for Stop {
    type Error = StoreError;

    fn try_from(row: StopRow) -> Result<Self, StoreError> {
        let lifted = match (row.lifted_by, row.lifted_at) {
            (Some(by), Some(at)) => {
                Some((parsed(&by, "stops", "lifted_by")?, instant(at, "stops", "lifted_at")?))
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(StoreError::Inconsistent { table: "stops", column: "lifted_at" });
            }
        };
        Ok(Self {
            id: row.id,
            version: row.version,
            region: parsed(&row.region, "stops", "region")?,
            reason: row.reason,
            placed_by: parsed(&row.placed_by, "stops", "placed_by")?,
            placed_at: instant(row.placed_at, "stops", "placed_at")?,
            lifted,
        })
    }
}

/// Writes a stop.
pub async fn insert(connection: &mut Conn, stop: &Stop) -> Result<(), StoreError> {
    const SQL: &str = "insert into stops (id, version, region, reason, placed_by, placed_at)
values ($1, $2, $3, $4, $5, $6)";
    let result = sqlx::query(SQL)
        .bind(&stop.id)
        .bind(stop.version)
        .bind(stop.region.to_string())
        .bind(&stop.reason)
        .bind(stop.placed_by.to_string())
        .bind(micros(stop.placed_at))
        .execute(connection)
        .await?;
    one(&result, "stops")
}

/// The stop with this identifier.
pub async fn find(connection: &mut Conn, id: &str) -> Result<Option<Stop>, StoreError> {
    const SQL: &str = "select id, version, region, reason, placed_by, placed_at, lifted_by
    , lifted_at
from stops where id = $1";
    let row: Option<StopRow> = sqlx::query_as(SQL).bind(id).fetch_optional(connection).await?;
    row.map(Stop::try_from).transpose()
}

/// The stop of exactly this region that is in force.
pub async fn in_force(
    connection: &mut Conn,
    region: RegionCode,
) -> Result<Option<Stop>, StoreError> {
    const SQL: &str = "select id, version, region, reason, placed_by, placed_at, lifted_by
    , lifted_at
from stops where region = $1 and lifted_at is null";
    let row: Option<StopRow> =
        sqlx::query_as(SQL).bind(region.to_string()).fetch_optional(connection).await?;
    row.map(Stop::try_from).transpose()
}

/// Notes that a stop was lifted, if it is still as it was read.
pub async fn lift(
    connection: &mut Conn,
    stop: &Stop,
    by: ActorId,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update stops set lifted_by = $3, lifted_at = $4, version = version + 1
where id = $1 and version = $2 and lifted_at is null";
    let result = sqlx::query(SQL)
        .bind(&stop.id)
        .bind(stop.version)
        .bind(by.to_string())
        .bind(micros(at))
        .execute(connection)
        .await?;
    one(&result, "stops")
}

/// Stops of the regions from `range`, newest first, those in force alone when `in_force`.
pub async fn list(
    connection: &mut Conn,
    range: &(String, String),
    in_force: bool,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Stop>, StoreError> {
    const SQL: &str = "select id, version, region, reason, placed_by, placed_at, lifted_by
    , lifted_at
from stops
where region >= $1 and region < $2 and ($3 = 0 or lifted_at is null) and id < $4
order by id desc limit $5";
    // Identifiers are hexadecimal: `g` sorts after all of them.
    let rows: Vec<StopRow> = sqlx::query_as(SQL)
        .bind(&range.0)
        .bind(&range.1)
        .bind(i64::from(in_force))
        .bind(before.unwrap_or("g"))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Stop::try_from).collect()
}

/// A sealed command with what it is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    /// Its identifier here.
    pub id: String,
    /// `stop` or `lift`.
    pub kind: &'static str,
    /// What it is about.
    pub subject: String,
    /// Where it is published.
    pub stream: Stream,
    /// Its place there.
    pub sequence: Sequence,
    /// The signed bytes.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Writes a command.
pub async fn insert_command(connection: &mut Conn, command: &NewCommand) -> Result<(), StoreError> {
    const SQL: &str = "insert into commands (
    id, kind, subject, digest, topic, authority, epoch, number, sealed, created_at, expires_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let result = sqlx::query(SQL)
        .bind(&command.id)
        .bind(command.kind)
        .bind(&command.subject)
        .bind(Digest::of(&command.sealed).0.to_vec())
        .bind(command.stream.topic.to_string())
        .bind(command.stream.authority.to_string())
        .bind(i64::from(command.sequence.epoch))
        .bind(i64::try_from(command.sequence.number).unwrap_or(i64::MAX))
        .bind(&command.sealed)
        .bind(micros(command.created_at))
        .bind(micros(command.expires_at))
        .execute(connection)
        .await?;
    one(&result, "commands")
}

/// Ends the commands about stops on this topic: a newer one takes their place.
pub async fn end_commands(
    connection: &mut Conn,
    topic: RegionCode,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update commands set ended_at = $2
where topic = $1 and kind in ('stop', 'lift') and ended_at is null";
    sqlx::query(SQL).bind(topic.to_string()).bind(micros(at)).execute(connection).await?;
    Ok(())
}

/// Stops whose command in force ends before `until` and is worth another one: those in force, and
/// those lifted after `lifted_after`, whose lifting some terminals may not have heard yet.
pub async fn to_renew(
    connection: &mut Conn,
    until: Timestamp,
    lifted_after: Timestamp,
    limit: i64,
) -> Result<Vec<Stop>, StoreError> {
    const SQL: &str = "select s.id, s.version, s.region, s.reason, s.placed_by, s.placed_at
    , s.lifted_by, s.lifted_at
from commands c join stops s on s.id = c.subject
where c.ended_at is null and c.kind in ('stop', 'lift') and c.expires_at < $1
    and (s.lifted_at is null or s.lifted_at > $2)
order by s.id limit $3";
    let rows: Vec<StopRow> = sqlx::query_as(SQL)
        .bind(micros(until))
        .bind(micros(lifted_after))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Stop::try_from).collect()
}
