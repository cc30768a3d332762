//! The table `deliveries`.

use std::sync::LazyLock;

use jiff::Timestamp;
use protocols::receipt::{Evidence, Reason};
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use sqlx::FromRow;

use crate::domain::delivery::{DeliveryState, Progress, Proof, Step};
use crate::store::{Conn, StoreError, instant, micros, one, parsed};

const TABLE: &str = "deliveries";

/// One order at one terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The order.
    pub order_id: String,
    /// The terminal.
    pub terminal: TerminalId,
    /// What is known.
    pub progress: Progress,
}

#[derive(FromRow)]
struct Row {
    order_id: String,
    terminal: String,
    state: String,
    reason: Option<String>,
    finished_mask: i64,
    accepted_at: Option<i64>,
    verified_at: Option<i64>,
    started_at: Option<i64>,
    first_sound_at: Option<i64>,
    finished_at: Option<i64>,
    step_at: Option<i64>,
    step_number: Option<i64>,
    evidence: Option<String>,
}

impl TryFrom<Row> for Delivery {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let wrong = |column| StoreError::Inconsistent { table: TABLE, column };
        let at = |at: Option<i64>, column| at.map(|at| instant(at, TABLE, column)).transpose();
        let step = match (at(row.step_at, "step_at")?, row.step_number) {
            (Some(step_at), Some(number)) => Some(Step {
                at: step_at,
                number: u64::try_from(number).map_err(|_| wrong("step_number"))?,
                state: parsed(&row.state, TABLE, "state")?,
                reason: row.reason.as_deref().map(reason_of).transpose()?,
                evidence: row.evidence.as_deref().map(proof_of).transpose()?,
            }),
            (None, _) | (_, None) => None,
        };
        Ok(Self {
            progress: Progress {
                step,
                finished_repeats: u32::try_from(row.finished_mask)
                    .map_err(|_| wrong("finished_mask"))?,
                accepted_at: at(row.accepted_at, "accepted_at")?,
                verified_at: at(row.verified_at, "verified_at")?,
                started_at: at(row.started_at, "started_at")?,
                first_sound_at: at(row.first_sound_at, "first_sound_at")?,
                finished_at: at(row.finished_at, "finished_at")?,
            },
            terminal: parsed(&row.terminal, TABLE, "terminal")?,
            order_id: row.order_id,
        })
    }
}

/// The word for a reason, as in JSON.
pub fn reason_word(reason: Reason) -> String {
    let word = serde_json::to_value(reason).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn reason_of(word: &str) -> Result<Reason, StoreError> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| StoreError::Inconsistent { table: TABLE, column: "reason" })
}

fn proof_of(json: &str) -> Result<Proof, StoreError> {
    let evidence: Evidence = serde_json::from_str(json)
        .map_err(|_| StoreError::Inconsistent { table: TABLE, column: "evidence" })?;
    Ok(Proof::from(&evidence))
}

/// Evidence as JSON, in the shape of [`Evidence`].
pub fn evidence_json(proof: &Proof) -> String {
    serde_json::to_string(&Evidence::from(proof)).unwrap_or_default()
}

/// Keys of one look. A shorter list repeats its last key.
const KEYS: usize = 64;

static FIND: LazyLock<String> = LazyLock::new(|| {
    let pairs = (0..KEYS).map(|key| format!("(${}, ${})", 2 * key + 1, 2 * key + 2));
    format!(
        "select order_id, terminal, state, reason, finished_mask, accepted_at, verified_at
    , started_at, first_sound_at, finished_at, step_at, step_number, evidence
from deliveries where (order_id, terminal) in (values {})",
        pairs.collect::<Vec<_>>().join(", ")
    )
});

/// The deliveries with these keys; unknown ones are left out.
pub async fn find(
    connection: &mut Conn,
    keys: &[(String, TerminalId)],
) -> Result<Vec<Delivery>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(KEYS) {
        let Some(last) = chunk.last() else { continue };
        let mut query = sqlx::query_as::<_, Row>(FIND.as_str());
        for (order, terminal) in chunk.iter().chain(std::iter::repeat(last)).take(KEYS) {
            query = query.bind(order.clone()).bind(terminal.to_string());
        }
        for row in query.fetch_all(&mut *connection).await? {
            found.push(row.try_into()?);
        }
    }
    Ok(found)
}

/// Writes what is known of a delivery.
pub async fn save(
    connection: &mut Conn,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "update deliveries set state = $3, reason = $4, repeats_finished = $5
    , finished_mask = $6, accepted_at = $7, verified_at = $8, started_at = $9
    , first_sound_at = $10, finished_at = $11, step_at = $12, step_number = $13, evidence = $14
    , updated_at = $15
where order_id = $1 and terminal = $2";
    let progress = &delivery.progress;
    let step = progress.step.as_ref();
    let evidence = step.and_then(|step| step.evidence.as_ref()).map(evidence_json);
    let result = sqlx::query(SQL)
        .bind(&delivery.order_id)
        .bind(delivery.terminal.to_string())
        .bind(progress.state().as_str())
        .bind(step.and_then(|step| step.reason).map(reason_word))
        .bind(i64::from(progress.repeats_finished()))
        .bind(i64::from(progress.finished_repeats))
        .bind(progress.accepted_at.map(micros))
        .bind(progress.verified_at.map(micros))
        .bind(progress.started_at.map(micros))
        .bind(progress.first_sound_at.map(micros))
        .bind(progress.finished_at.map(micros))
        .bind(step.map(|step| micros(step.at)))
        .bind(step.map(|step| i64::try_from(step.number).unwrap_or(i64::MAX)))
        .bind(evidence)
        .bind(micros(now))
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

/// Where a page of deliveries begins.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// 0 for silent ones, which come first, 1 for the others.
    pub rank: i64,
    /// The terminal.
    pub terminal: String,
    /// The order.
    pub order_id: String,
}

impl Place {
    /// The place of a delivery in the list.
    pub fn of(delivery: &Delivery) -> Self {
        Self {
            rank: i64::from(!delivery.progress.state().is_silent()),
            terminal: delivery.terminal.to_string(),
            order_id: delivery.order_id.clone(),
        }
    }
}

/// A delivery with the name of its terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The delivery.
    pub delivery: Delivery,
    /// The terminal's name, while it is known.
    pub name: Option<String>,
    /// What the order does.
    pub purpose: String,
}

#[derive(FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    row: Row,
    name: Option<String>,
    purpose: String,
}

/// The region of an alert's authority; `None` when there is no such alert.
pub async fn alert_region(
    connection: &mut Conn,
    alert: &str,
) -> Result<Option<RegionCode>, StoreError> {
    const SQL: &str = "select region from alerts where id = $1";
    let region: Option<String> =
        sqlx::query_scalar(SQL).bind(alert).fetch_optional(connection).await?;
    region.map(|region| parsed(&region, "alerts", "region")).transpose()
}

/// Deliveries of an alert after `after`, those that nobody heard first.
pub async fn list(
    connection: &mut Conn,
    alert: &str,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    const SQL: &str = "select order_id, terminal, state, reason, finished_mask, accepted_at
    , verified_at, started_at, first_sound_at, finished_at, step_at, step_number, evidence, name, purpose
from (
    select d.*, t.name, o.purpose
        , case when state in ('started', 'finished', 'interrupted') then 1 else 0 end as silence
    from deliveries d
    join orders o on o.id = d.order_id
    left join terminals t on t.id = d.terminal
    where d.alert = $1
) as ranked
where silence > $2
    or (silence = $2 and (terminal > $3 or (terminal = $3 and order_id > $4)))
order by silence, terminal, order_id limit $5";
    let (rank, terminal, order_id) = match after {
        Some(place) => (place.rank, place.terminal.as_str(), place.order_id.as_str()),
        None => (-1, "", ""),
    };
    let rows: Vec<ListedRow> = sqlx::query_as(SQL)
        .bind(alert)
        .bind(rank)
        .bind(terminal)
        .bind(order_id)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|listed| {
            Ok(Listed {
                delivery: listed.row.try_into()?,
                name: listed.name,
                purpose: listed.purpose,
            })
        })
        .collect()
}

/// How many deliveries of an alert are in each state.
pub async fn count_by_state(
    connection: &mut Conn,
    alert: &str,
) -> Result<Vec<(DeliveryState, u64)>, StoreError> {
    const SQL: &str = "select state, cast(count(*) as bigint) from deliveries
where alert = $1 group by state order by state";
    let rows: Vec<(String, i64)> = sqlx::query_as(SQL).bind(alert).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(state, count)| {
            Ok((parsed(&state, TABLE, "state")?, u64::try_from(count).unwrap_or(0)))
        })
        .collect()
}
