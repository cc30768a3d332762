//! Tokens of machines: one scope, one region, an end; made and revoked by an administrator.

use jiff::{SignedDuration, Timestamp};
use protocols::digest::Digest;
use protocols::region::RegionCode;
use serde_json::json;
use uuid::Uuid;

use crate::app::{audit, sessions};
use crate::domain::account::TOKEN_DAYS_MAX;
use crate::domain::actor::{Actor, ActorId, Grant};
use crate::domain::authority::Role;
use crate::domain::fault::Fault;
use crate::ports::Ports;
use crate::store::{self, Conn, StoreError, Tx};

/// What a token's secret begins with.
pub const PREFIX: &str = "tlt_";

/// What a token is for. A closed set.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
pub enum Scope {
    /// Hand in CAP documents.
    #[serde(rename = "cap:submit")]
    CapSubmit,
}

impl Scope {
    /// The name in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CapSubmit => "cap:submit",
        }
    }

    /// The role in the table of authority that it stands for.
    const fn role(self) -> Role {
        match self {
            Self::CapSubmit => Role::Upstream,
        }
    }
}

/// A text names no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is cap:submit")]
pub struct ParseScopeError;

impl std::str::FromStr for Scope {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == Self::CapSubmit.as_str() { Ok(Self::CapSubmit) } else { Err(ParseScopeError) }
    }
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its identifier.
    pub id: Uuid,
    /// Which machine holds it.
    pub name: String,
    /// What for.
    pub scope: Scope,
    /// For which region and all below.
    pub region: RegionCode,
    /// Who made it.
    pub created_by: ActorId,
    /// When.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// When it was ended by hand.
    pub revoked_at: Option<Timestamp>,
}

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A field breaks a rule.
    #[error("{}", .0.en)]
    Fault(Fault),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a new token needs.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Which machine holds it.
    pub name: String,
    /// What for.
    pub scope: Scope,
    /// For which region.
    pub region: RegionCode,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Makes a token. The secret is given once.
pub async fn add(
    tx: &mut Tx,
    ports: &Ports,
    by: ActorId,
    new: NewToken,
) -> Result<(Token, String), TokenError> {
    let now = ports.now();
    check(&new, now).map_err(TokenError::Fault)?;
    let secret = sessions::secret(ports, PREFIX);
    let token = Token {
        id: ports.id(),
        name: new.name.trim().to_owned(),
        scope: new.scope,
        region: new.region,
        created_by: by,
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    store::tokens::insert(tx, &token, Digest::of(secret.as_bytes())).await?;
    let object = format!("token:{}", token.id);
    let detail = json!({ "name": token.name, "scope": token.scope, "region": token.region });
    audit::append_as(tx, now, by, "add_token", &object, &detail).await?;
    Ok((token, secret))
}

fn check(new: &NewToken, now: Timestamp) -> Result<(), Fault> {
    if !(1..=64).contains(&new.name.trim().chars().count()) {
        let (zh, en) = ("名称须为 1 至 64 个字符", "a name is 1 to 64 characters");
        return Err(Fault::new("/name", "token-name", zh, en));
    }
    let latest = now + SignedDuration::from_hours(24 * TOKEN_DAYS_MAX);
    if new.expires_at <= now || new.expires_at > latest {
        let (zh, en) = ("有效期须在 400 天以内", "the expiry lies within the next 400 days");
        return Err(Fault::new("/expires_at", "token-expiry", zh, en));
    }
    Ok(())
}

/// Ends a token; `false` when it had been ended.
pub async fn revoke(
    tx: &mut Tx,
    now: Timestamp,
    by: ActorId,
    token: Uuid,
) -> Result<bool, StoreError> {
    let has_ended = store::tokens::revoke(tx, token, now).await?;
    if has_ended {
        let object = format!("token:{token}");
        audit::append_as(tx, now, by, "revoke_token", &object, &json!({})).await?;
    }
    Ok(has_ended)
}

/// The machine of a secret, if its token counts.
pub(crate) async fn authenticate(
    connection: &mut Conn,
    now: Timestamp,
    secret: Digest,
) -> Result<Option<Actor>, StoreError> {
    let token = store::tokens::by_secret(connection, secret).await?;
    let token = token.filter(|token| token.revoked_at.is_none() && token.expires_at > now);
    Ok(token.map(|token| Actor {
        id: ActorId::Token(token.id),
        name: token.name,
        grants: vec![Grant { role: token.scope.role(), region: token.region }],
        stepped_up_at: None,
    }))
}
