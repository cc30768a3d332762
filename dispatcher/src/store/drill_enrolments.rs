//! The table `drill_enrolments`. Their signed commands stand in `commands`.

use jiff::Timestamp;
use protocols::region::RegionCode;
use sqlx::FromRow;

use crate::domain::actor::ActorId;
use crate::domain::drill::DrillScope;
use crate::store::{Conn, StoreError, instant, micros, one, parsed};

/// An enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillEnrolment {
    /// Its identifier.
    pub id: String,
    /// Rises with each change.
    pub version: i64,
    /// The drill.
    pub drill: String,
    /// The smallest single region that holds all of it.
    pub region: RegionCode,
    /// Who takes part.
    pub scope: DrillScope,
    /// From this instant.
    pub from: Timestamp,
    /// Until this instant, unless it was ended before.
    pub until: Timestamp,
    /// Who made it.
    pub made_by: ActorId,
    /// When.
    pub made_at: Timestamp,
    /// Who ended it before its time, and when.
    pub ended: Option<(ActorId, Timestamp)>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    version: i64,
    drill: String,
    region: String,
    scope: String,
    from_at: i64,
    until_at: i64,
    made_by: String,
    made_at: i64,
    ended_by: Option<String>,
    ended_at: Option<i64>,
}

const TABLE: &str = "drill_enrolments";

impl TryFrom<Row> for DrillEnrolment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let ended = match (row.ended_by, row.ended_at) {
            (Some(by), Some(at)) => {
                Some((parsed(&by, TABLE, "ended_by")?, instant(at, TABLE, "ended_at")?))
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(StoreError::Inconsistent { table: TABLE, column: "ended_at" });
            }
        };
        let scope = serde_json::from_str(&row.scope)
            .map_err(|_| StoreError::Inconsistent { table: TABLE, column: "scope" })?;
        Ok(Self {
            id: row.id,
            version: row.version,
            drill: row.drill,
            region: parsed(&row.region, TABLE, "region")?,
            scope,
            from: instant(row.from_at, TABLE, "from_at")?,
            until: instant(row.until_at, TABLE, "until_at")?,
            made_by: parsed(&row.made_by, TABLE, "made_by")?,
            made_at: instant(row.made_at, TABLE, "made_at")?,
            ended,
        })
    }
}

/// Writes an enrolment.
pub async fn insert(connection: &mut Conn, enrolment: &DrillEnrolment) -> Result<(), StoreError> {
    const SQL: &str = "insert into drill_enrolments (
    id, version, drill, region, scope, from_at, until_at, made_by, made_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let scope = serde_json::to_string(&enrolment.scope)
        .map_err(|_| StoreError::Inconsistent { table: TABLE, column: "scope" })?;
    let result = sqlx::query(SQL)
        .bind(&enrolment.id)
        .bind(enrolment.version)
        .bind(&enrolment.drill)
        .bind(enrolment.region.to_string())
        .bind(scope)
        .bind(micros(enrolment.from))
        .bind(micros(enrolment.until))
        .bind(enrolment.made_by.to_string())
        .bind(micros(enrolment.made_at))
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

/// The enrolment with this identifier.
pub async fn find(connection: &mut Conn, id: &str) -> Result<Option<DrillEnrolment>, StoreError> {
    const SQL: &str = "select id, version, drill, region, scope, from_at, until_at, made_by
    , made_at, ended_by, ended_at
from drill_enrolments where id = $1";
    let row: Option<Row> = sqlx::query_as(SQL).bind(id).fetch_optional(connection).await?;
    row.map(DrillEnrolment::try_from).transpose()
}

/// The enrolments in this drill that are not over.
pub async fn of_drill(
    connection: &mut Conn,
    drill: &str,
    now: Timestamp,
) -> Result<Vec<DrillEnrolment>, StoreError> {
    const SQL: &str = "select id, version, drill, region, scope, from_at, until_at, made_by
    , made_at, ended_by, ended_at
from drill_enrolments where drill = $1 and until_at > $2 and ended_at is null order by id";
    let rows: Vec<Row> =
        sqlx::query_as(SQL).bind(drill).bind(micros(now)).fetch_all(connection).await?;
    rows.into_iter().map(DrillEnrolment::try_from).collect()
}

/// Notes that an enrolment was ended, if it is still as it was read.
pub async fn end(
    connection: &mut Conn,
    enrolment: &DrillEnrolment,
    by: ActorId,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update drill_enrolments
set ended_by = $3, ended_at = $4, version = version + 1
where id = $1 and version = $2 and ended_at is null";
    let result = sqlx::query(SQL)
        .bind(&enrolment.id)
        .bind(enrolment.version)
        .bind(by.to_string())
        .bind(micros(at))
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

/// Enrolments of the regions before `until_region`, newest first.
pub async fn list(
    connection: &mut Conn,
    until_region: &str,
    drill: Option<&str>,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<DrillEnrolment>, StoreError> {
    const SQL: &str = "select id, version, drill, region, scope, from_at, until_at, made_by
    , made_at, ended_by, ended_at
from drill_enrolments
where region < $1 and ($2 = '' or drill = $2) and id < $3
order by id desc limit $4";
    // Identifiers are hexadecimal: `g` sorts after all of them.
    let rows: Vec<Row> = sqlx::query_as(SQL)
        .bind(until_region)
        .bind(drill.unwrap_or_default())
        .bind(before.unwrap_or("g"))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(DrillEnrolment::try_from).collect()
}

/// Takes the commands of an enrolment back: a newer one takes their place.
pub async fn end_commands(
    connection: &mut Conn,
    enrolment: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update commands set ended_at = $2
where subject = $1 and kind = 'drill' and ended_at is null";
    sqlx::query(SQL).bind(enrolment).bind(micros(at)).execute(connection).await?;
    Ok(())
}
