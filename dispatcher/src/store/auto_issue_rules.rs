//! The tables `auto_issue_rules` and `auto_issues`.

use jiff::Timestamp;
use sqlx::FromRow;

use crate::domain::auto_issue::AutoIssueRule;
use crate::store::{Conn, StoreError, micros, one};

const TABLE: &str = "auto_issue_rules";

fn json(rule: &AutoIssueRule) -> String {
    serde_json::to_string(rule).expect("a rule has string keys and whole numbers")
}

/// Writes a new rule.
pub async fn insert(connection: &mut Conn, rule: &AutoIssueRule) -> Result<(), StoreError> {
    const SQL: &str = "insert into auto_issue_rules (
    id, version, region, token, sender, state, ends_at, rule, created_at
) values ($1, 1, $2, $3, $4, $5, $6, $7, $8)";
    let result = sqlx::query(SQL)
        .bind(&rule.id)
        .bind(rule.limits.region.to_string())
        .bind(&rule.limits.token)
        .bind(&rule.limits.sender)
        .bind(rule.state.as_str())
        .bind(micros(rule.limits.ends_at))
        .bind(json(rule))
        .bind(micros(rule.created_at))
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

/// Writes a changed rule over the version that was read.
pub async fn save(connection: &mut Conn, rule: &AutoIssueRule) -> Result<(), StoreError> {
    const SQL: &str = "update auto_issue_rules
set version = version + 1, state = $3, rule = $4 where id = $1 and version = $2";
    let result = sqlx::query(SQL)
        .bind(&rule.id)
        .bind(rule.version)
        .bind(rule.state.as_str())
        .bind(json(rule))
        .execute(connection)
        .await?;
    one(&result, TABLE)
}

#[derive(FromRow)]
struct Row {
    version: i64,
    rule: String,
}

impl TryFrom<Row> for AutoIssueRule {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let rule: Self = serde_json::from_str(&row.rule)
            .map_err(|_| StoreError::Inconsistent { table: TABLE, column: "rule" })?;
        Ok(Self { version: row.version, ..rule })
    }
}

/// The rule with this identifier.
pub async fn find(connection: &mut Conn, id: &str) -> Result<Option<AutoIssueRule>, StoreError> {
    const SQL: &str = "select version, rule from auto_issue_rules where id = $1";
    let row: Option<Row> = sqlx::query_as(SQL).bind(id).fetch_optional(connection).await?;
    row.map(AutoIssueRule::try_from).transpose()
}

/// Active rules of a token, oldest first: the first that admits an alert issues it.
pub async fn active(
    connection: &mut Conn,
    token: &str,
    now: Timestamp,
) -> Result<Vec<AutoIssueRule>, StoreError> {
    const SQL: &str = "select version, rule from auto_issue_rules
where token = $1 and state = 'active' and ends_at > $2 order by id";
    let rows: Vec<Row> =
        sqlx::query_as(SQL).bind(token).bind(micros(now)).fetch_all(connection).await?;
    rows.into_iter().map(AutoIssueRule::try_from).collect()
}

/// Rules of a range of regions, newest first.
pub async fn page(
    connection: &mut Conn,
    from: &str,
    until: &str,
    before: &str,
    limit: i64,
) -> Result<Vec<AutoIssueRule>, StoreError> {
    const SQL: &str = "select version, rule from auto_issue_rules
where region >= $1 and region < $2 and ($3 = '' or id < $3) order by id desc limit $4";
    let rows: Vec<Row> = sqlx::query_as(SQL)
        .bind(from)
        .bind(until)
        .bind(before)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(AutoIssueRule::try_from).collect()
}

/// Keeps that a rule issued an alert.
pub async fn record_issue(
    connection: &mut Conn,
    rule: &str,
    alert: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into auto_issues (rule, alert, at) values ($1, $2, $3)";
    let result =
        sqlx::query(SQL).bind(rule).bind(alert).bind(micros(now)).execute(connection).await?;
    one(&result, "auto_issues")
}

/// Makes every other transaction that would issue by this rule wait for the end of this one.
pub async fn hold(connection: &mut Conn, rule: &str) -> Result<(), StoreError> {
    const SQL: &str = "update auto_issue_rules set version = version where id = $1";
    let result = sqlx::query(SQL).bind(rule).execute(connection).await?;
    one(&result, TABLE)
}

/// How many alerts a rule issued after `since`.
pub async fn issued_since(
    connection: &mut Conn,
    rule: &str,
    since: Timestamp,
) -> Result<usize, StoreError> {
    const SQL: &str = "select cast(count(*) as bigint) from auto_issues
where rule = $1 and at > $2";
    let count: i64 =
        sqlx::query_scalar(SQL).bind(rule).bind(micros(since)).fetch_one(connection).await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
