//! The table `api_tokens`: only the digest of a token is kept.

use jiff::Timestamp;
use protocols::digest::Digest;
use uuid::Uuid;

use crate::app::tokens::Token;
use crate::store::{Conn, StoreError, instant, micros, parsed};

/// Writes a new token.
pub async fn insert(
    connection: &mut Conn,
    token: &Token,
    secret: Digest,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into api_tokens
(id, token_digest, name, scope, region, created_by, created_at, expires_at, revoked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    sqlx::query(SQL)
        .bind(token.id.to_string())
        .bind(&secret.0[..])
        .bind(&token.name)
        .bind(token.scope.as_str())
        .bind(token.region.to_string())
        .bind(token.created_by.to_string())
        .bind(micros(token.created_at))
        .bind(micros(token.expires_at))
        .bind(token.revoked_at.map(micros))
        .execute(connection)
        .await?;
    Ok(())
}

/// The token of this secret.
pub async fn by_secret(connection: &mut Conn, secret: Digest) -> Result<Option<Token>, StoreError> {
    const SQL: &str = "select id, name, scope, region, created_by, created_at, expires_at
, revoked_at from api_tokens where token_digest = $1";
    let row: Option<Row> =
        sqlx::query_as(SQL).bind(&secret.0[..]).fetch_optional(connection).await?;
    row.map(Token::try_from).transpose()
}

/// The token with this identifier.
pub async fn by_id(connection: &mut Conn, id: Uuid) -> Result<Option<Token>, StoreError> {
    const SQL: &str = "select id, name, scope, region, created_by, created_at, expires_at
, revoked_at from api_tokens where id = $1";
    let row: Option<Row> =
        sqlx::query_as(SQL).bind(id.to_string()).fetch_optional(connection).await?;
    row.map(Token::try_from).transpose()
}

/// At most `limit` tokens after identifier `after`, oldest first.
pub async fn list(
    connection: &mut Conn,
    after: &str,
    limit: i64,
) -> Result<Vec<Token>, StoreError> {
    const SQL: &str = "select id, name, scope, region, created_by, created_at, expires_at
, revoked_at from api_tokens where id > $1 order by id limit $2";
    let rows: Vec<Row> = sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(connection).await?;
    rows.into_iter().map(Token::try_from).collect()
}

/// Ends a token; `false` when it had been ended.
pub async fn revoke(connection: &mut Conn, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "update api_tokens set revoked_at = $2 where id = $1 and revoked_at is null";
    let result =
        sqlx::query(SQL).bind(id.to_string()).bind(micros(now)).execute(connection).await?;
    Ok(result.rows_affected() == 1)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    scope: String,
    region: String,
    created_by: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl TryFrom<Row> for Token {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let at = |micros, column| instant(micros, "api_tokens", column);
        Ok(Self {
            id: parsed(&row.id, "api_tokens", "id")?,
            scope: parsed(&row.scope, "api_tokens", "scope")?,
            region: parsed(&row.region, "api_tokens", "region")?,
            created_by: parsed(&row.created_by, "api_tokens", "created_by")?,
            created_at: at(row.created_at, "created_at")?,
            expires_at: at(row.expires_at, "expires_at")?,
            revoked_at: row.revoked_at.map(|us| at(us, "revoked_at")).transpose()?,
            name: row.name,
        })
    }
}
