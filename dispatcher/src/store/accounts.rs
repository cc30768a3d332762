//! The tables `accounts` and `grants`.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::account::Account;
use crate::domain::actor::{ActorId, Grant};
use crate::store::{Conn, StoreError, instant, micros, one, parsed};

/// Writes a new account.
pub async fn insert(connection: &mut Conn, account: &Account) -> Result<(), StoreError> {
    const SQL: &str = "insert into accounts
(id, name, full_name, password_hash, totp_secret, totp_step, failed_logins, locked_until
, disabled_at, created_at, version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    sqlx::query(SQL)
        .bind(account.id.to_string())
        .bind(&account.name)
        .bind(&account.full_name)
        .bind(&account.password_hash)
        .bind(account.totp_secret.clone())
        .bind(account.totp_step)
        .bind(account.failed_logins)
        .bind(account.locked_until.map(micros))
        .bind(account.disabled_at.map(micros))
        .bind(micros(account.created_at))
        .bind(account.version)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes what may change, over the version that was read.
pub async fn update(connection: &mut Conn, account: &Account) -> Result<(), StoreError> {
    const SQL: &str = "update accounts set
full_name = $3
, password_hash = $4
, totp_secret = $5
, totp_step = $6
, failed_logins = $7
, locked_until = $8
, disabled_at = $9
, version = version + 1
where id = $1 and version = $2";
    let result = sqlx::query(SQL)
        .bind(account.id.to_string())
        .bind(account.version)
        .bind(&account.full_name)
        .bind(&account.password_hash)
        .bind(account.totp_secret.clone())
        .bind(account.totp_step)
        .bind(account.failed_logins)
        .bind(account.locked_until.map(micros))
        .bind(account.disabled_at.map(micros))
        .execute(connection)
        .await?;
    one(&result, "accounts")
}

/// The account with this login name.
pub async fn by_name(connection: &mut Conn, name: &str) -> Result<Option<Account>, StoreError> {
    const SQL: &str = "select id, name, full_name, password_hash, totp_secret, totp_step
, failed_logins, locked_until, disabled_at, created_at, version
from accounts where name = $1";
    let row: Option<Row> = sqlx::query_as(SQL).bind(name).fetch_optional(connection).await?;
    row.map(Account::try_from).transpose()
}

/// The account with this identifier.
pub async fn by_id(connection: &mut Conn, id: Uuid) -> Result<Option<Account>, StoreError> {
    const SQL: &str = "select id, name, full_name, password_hash, totp_secret, totp_step
, failed_logins, locked_until, disabled_at, created_at, version
from accounts where id = $1";
    let row: Option<Row> =
        sqlx::query_as(SQL).bind(id.to_string()).fetch_optional(connection).await?;
    row.map(Account::try_from).transpose()
}

/// At most `limit` accounts whose name comes after `after`, by name.
pub async fn list(
    connection: &mut Conn,
    after: &str,
    limit: i64,
) -> Result<Vec<Account>, StoreError> {
    const SQL: &str = "select id, name, full_name, password_hash, totp_secret, totp_step
, failed_logins, locked_until, disabled_at, created_at, version
from accounts where name > $1 order by name limit $2";
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(connection).await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// What was granted to an account.
pub async fn grants(connection: &mut Conn, account: Uuid) -> Result<Vec<Grant>, StoreError> {
    const SQL: &str = "select role, region from grants where account = $1 order by role, region";
    let rows: Vec<(String, String)> =
        sqlx::query_as(SQL).bind(account.to_string()).fetch_all(connection).await?;
    let grant = |(role, region): (String, String)| {
        Ok(Grant {
            role: parsed(&role, "grants", "role")?,
            region: parsed(&region, "grants", "region")?,
        })
    };
    rows.into_iter().map(grant).collect()
}

/// Gives a grant; `false` when it was given before.
pub async fn grant(
    connection: &mut Conn,
    account: Uuid,
    grant: Grant,
    by: ActorId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "insert into grants (account, role, region, granted_by, granted_at)
values ($1, $2, $3, $4, $5) on conflict (account, role, region) do nothing";
    let result = sqlx::query(SQL)
        .bind(account.to_string())
        .bind(grant.role.as_str())
        .bind(grant.region.to_string())
        .bind(by.to_string())
        .bind(micros(now))
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// Takes a grant; `false` when there was none.
pub async fn revoke(
    connection: &mut Conn,
    account: Uuid,
    grant: Grant,
) -> Result<bool, StoreError> {
    const SQL: &str = "delete from grants where account = $1 and role = $2 and region = $3";
    let result = sqlx::query(SQL)
        .bind(account.to_string())
        .bind(grant.role.as_str())
        .bind(grant.region.to_string())
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    full_name: String,
    password_hash: String,
    totp_secret: Option<Vec<u8>>,
    totp_step: i64,
    failed_logins: i64,
    locked_until: Option<i64>,
    disabled_at: Option<i64>,
    created_at: i64,
    version: i64,
}

impl TryFrom<Row> for Account {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let at = |micros: Option<i64>, column| {
            micros.map(|micros| instant(micros, "accounts", column)).transpose()
        };
        Ok(Self {
            id: parsed(&row.id, "accounts", "id")?,
            locked_until: at(row.locked_until, "locked_until")?,
            disabled_at: at(row.disabled_at, "disabled_at")?,
            created_at: instant(row.created_at, "accounts", "created_at")?,
            name: row.name,
            full_name: row.full_name,
            password_hash: row.password_hash,
            totp_secret: row.totp_secret,
            totp_step: row.totp_step,
            failed_logins: row.failed_logins,
            version: row.version,
        })
    }
}
