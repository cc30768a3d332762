//! The tables `regions`, `region_aliases` and `place_revisions`.

use protocols::area::Position;
use protocols::region::{Alias, RegionCode};

use crate::domain::regions::{AliasRow, Region, RegionTree};
use crate::store::{Conn, StoreError, instant, micros, one, parsed};

const TABLE: &str = "regions";

/// The whole list. A city has some hundreds of regions, a province some ten thousand.
pub async fn tree(connection: &mut Conn) -> Result<RegionTree, StoreError> {
    const SQL: &str = "select code, name, name_en, kind, is_target, lat, lon, ring from regions
order by code";
    let rows: Vec<Row> = sqlx::query_as(SQL).fetch_all(connection).await?;
    let regions = rows.into_iter().map(Region::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(RegionTree::new(regions))
}

/// How many regions there are: none before the first import.
pub async fn count(connection: &mut Conn) -> Result<i64, StoreError> {
    const SQL: &str = "select cast(count(*) as bigint) from regions";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// One region.
pub async fn get(connection: &mut Conn, code: RegionCode) -> Result<Option<Region>, StoreError> {
    const SQL: &str = "select code, name, name_en, kind, is_target, lat, lon, ring from regions
where code = $1";
    let row: Option<Row> =
        sqlx::query_as(SQL).bind(code.to_string()).fetch_optional(connection).await?;
    row.map(Region::try_from).transpose()
}

/// Writes a region, or writes over it.
pub async fn put(connection: &mut Conn, region: &Region) -> Result<(), StoreError> {
    const SQL: &str = "insert into regions
(code, level, name, name_en, kind, parent, is_target, lat, lon, ring)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (code) do update set
    level = excluded.level
    , name = excluded.name
    , name_en = excluded.name_en
    , kind = excluded.kind
    , parent = excluded.parent
    , is_target = excluded.is_target
    , lat = excluded.lat
    , lon = excluded.lon
    , ring = excluded.ring";
    sqlx::query(SQL)
        .bind(region.code.to_string())
        .bind(level_name(region.code))
        .bind(&region.name)
        .bind(region.name_en.as_deref())
        .bind(&region.kind)
        .bind(region.code.parent().map(|parent| parent.to_string()))
        .bind(i64::from(region.is_target))
        .bind(region.place.map(Position::lat))
        .bind(region.place.map(Position::lon))
        .bind(region.ring.as_deref().map(ring_text))
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a region that the new list no longer has.
pub async fn delete(connection: &mut Conn, code: RegionCode) -> Result<(), StoreError> {
    const SQL: &str = "delete from regions where code = $1";
    one(&sqlx::query(SQL).bind(code.to_string()).execute(connection).await?, TABLE)
}

/// The ministry's codes.
pub async fn aliases(connection: &mut Conn) -> Result<Vec<AliasRow>, StoreError> {
    const SQL: &str = "select code, region, name, valid_from, valid_until from region_aliases
where scheme = 'mca' order by code, valid_from";
    let rows: Vec<AliasColumns> = sqlx::query_as(SQL).fetch_all(connection).await?;
    rows.into_iter().map(AliasRow::try_from).collect()
}

/// Removes all codes of the ministry, before new ones are written.
pub async fn delete_aliases(connection: &mut Conn) -> Result<(), StoreError> {
    const SQL: &str = "delete from region_aliases where scheme = 'mca'";
    sqlx::query(SQL).execute(connection).await?;
    Ok(())
}

/// Writes one code of the ministry.
pub async fn insert_alias(connection: &mut Conn, row: &AliasRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into region_aliases
(scheme, code, region, name, valid_from, valid_until)
values ('mca', $1, $2, $3, $4, $5)";
    sqlx::query(SQL)
        .bind(row.alias.code.to_string())
        .bind(row.alias.region.to_string())
        .bind(&row.name)
        .bind(micros(row.alias.valid_from))
        .bind(row.alias.valid_until.map(micros))
        .execute(connection)
        .await?;
    Ok(())
}

/// The number that rises with every change of regions or terminals.
pub async fn revision(connection: &mut Conn) -> Result<i64, StoreError> {
    const SQL: &str = "select number from place_revisions where id = 1";
    Ok(sqlx::query_scalar(SQL).fetch_one(connection).await?)
}

/// Raises that number, in the transaction of the change.
pub async fn raise_revision(connection: &mut Conn) -> Result<(), StoreError> {
    const SQL: &str = "update place_revisions set number = number + 1 where id = 1";
    one(&sqlx::query(SQL).execute(connection).await?, "place_revisions")
}

/// The level as it stands in lists and in the API.
pub fn level_name(code: RegionCode) -> &'static str {
    use protocols::region::RegionLevel;
    match code.level() {
        RegionLevel::City => "city",
        RegionLevel::District => "district",
        RegionLevel::Town => "town",
        RegionLevel::Village => "village",
    }
}

fn ring_text(ring: &[Position]) -> String {
    let points: Vec<[f64; 2]> = ring.iter().map(|at| [at.lon(), at.lat()]).collect();
    serde_json::to_string(&points).expect("finite numbers always encode")
}

#[derive(sqlx::FromRow)]
struct Row {
    code: String,
    name: String,
    name_en: Option<String>,
    kind: String,
    is_target: i64,
    lat: Option<f64>,
    lon: Option<f64>,
    ring: Option<String>,
}

impl TryFrom<Row> for Region {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let bad = |column| StoreError::Inconsistent { table: TABLE, column };
        let ring = row.ring.map(|text| {
            let points: Vec<[f64; 2]> = serde_json::from_str(&text).map_err(|_| bad("ring"))?;
            let at = |[lon, lat]: &[f64; 2]| Position::from_degrees(*lat, *lon);
            points.iter().map(at).collect::<Option<Vec<_>>>().ok_or_else(|| bad("ring"))
        });
        Ok(Self {
            code: parsed(&row.code, TABLE, "code")?,
            name: row.name,
            name_en: row.name_en,
            kind: row.kind,
            is_target: row.is_target != 0,
            place: row.lat.zip(row.lon).and_then(|(lat, lon)| Position::from_degrees(lat, lon)),
            ring: ring.transpose()?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct AliasColumns {
    code: String,
    region: String,
    name: String,
    valid_from: i64,
    valid_until: Option<i64>,
}

impl TryFrom<AliasColumns> for AliasRow {
    type Error = StoreError;

    fn try_from(row: AliasColumns) -> Result<Self, StoreError> {
        const TABLE: &str = "region_aliases";
        let until = row.valid_until.map(|until| instant(until, TABLE, "valid_until"));
        let alias = Alias {
            code: parsed(&row.code, TABLE, "code")?,
            region: parsed(&row.region, TABLE, "region")?,
            valid_from: instant(row.valid_from, TABLE, "valid_from")?,
            valid_until: until.transpose()?,
        };
        Ok(Self { alias, name: row.name })
    }
}
