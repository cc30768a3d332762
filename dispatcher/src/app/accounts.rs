//! Accounts: made, changed, granted, disabled; each change with its audit entry.

use jiff::Timestamp;
use protocols::region::RegionCode;
use serde_json::json;
use uuid::Uuid;

use crate::app::audit;
use crate::domain::account::{self, Account};
use crate::domain::actor::{ActorId, Grant};
use crate::domain::authority::Role;
use crate::domain::fault::Fault;
use crate::password;
use crate::ports::Ports;
use crate::store::{self, StoreError, Tx};

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A field breaks a rule.
    #[error("{}", .0.en)]
    Fault(Fault),
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// The role belongs to machines.
    #[error("the role upstream belongs to tokens, not to persons")]
    NotForPersons,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for AccountError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What a new account needs.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The login name.
    pub name: String,
    /// The person's name.
    pub full_name: String,
    /// The hash of the first password; see [`hashed`].
    pub password_hash: String,
    /// The secret of the second factor.
    pub totp_secret: Option<Vec<u8>>,
}

/// Checks a password and hashes it. Before the transaction: it takes a while.
pub async fn hashed(ports: &Ports, password: String) -> Result<String, AccountError> {
    account::check_password(&password)?;
    Ok(password::hash(password, ports.bytes()).await)
}

/// Makes an account.
pub async fn add(
    tx: &mut Tx,
    ports: &Ports,
    by: ActorId,
    new: NewAccount,
) -> Result<Account, AccountError> {
    account::check_name(&new.name)?;
    account::check_full_name(&new.full_name)?;
    let now = ports.now();
    let account = Account {
        id: ports.id(),
        name: new.name,
        full_name: new.full_name.trim().to_owned(),
        password_hash: new.password_hash,
        totp_secret: new.totp_secret,
        totp_step: 0,
        failed_logins: 0,
        locked_until: None,
        disabled_at: None,
        created_at: now,
        version: 1,
    };
    store::accounts::insert(tx, &account).await?;
    let detail = json!({ "name": account.name, "full_name": account.full_name });
    record(tx, now, by, "add_account", &account, detail).await?;
    Ok(account)
}

/// Sets a new password, and ends all sessions of the account.
pub async fn set_password(
    tx: &mut Tx,
    now: Timestamp,
    by: ActorId,
    name: &str,
    password_hash: String,
) -> Result<(), AccountError> {
    let mut account = find(tx, name).await?;
    account.password_hash = password_hash;
    account.succeeded();
    store::accounts::update(tx, &account).await?;
    store::sessions::revoke_all(tx, account.id, now).await?;
    record(tx, now, by, "set_password", &account, json!({})).await
}

/// Sets a new secret of the second factor.
pub async fn set_totp(
    tx: &mut Tx,
    now: Timestamp,
    by: ActorId,
    name: &str,
    secret: Vec<u8>,
) -> Result<(), AccountError> {
    let mut account = find(tx, name).await?;
    account.totp_secret = Some(secret);
    account.totp_step = 0;
    store::accounts::update(tx, &account).await?;
    record(tx, now, by, "set_totp", &account, json!({})).await
}

/// Gives or takes a grant; `false` when nothing changed.
pub async fn set_grant(
    tx: &mut Tx,
    now: Timestamp,
    by: ActorId,
    name: &str,
    grant: Grant,
    is_given: bool,
) -> Result<bool, AccountError> {
    if grant.role == Role::Upstream {
        return Err(AccountError::NotForPersons);
    }
    let account = find(tx, name).await?;
    let has_changed = if is_given {
        store::accounts::grant(tx, account.id, grant, by, now).await?
    } else {
        store::accounts::revoke(tx, account.id, grant).await?
    };
    if has_changed {
        let action = if is_given { "give_grant" } else { "take_grant" };
        let detail = json!({ "role": grant.role, "region": grant.region });
        record(tx, now, by, action, &account, detail).await?;
    }
    Ok(has_changed)
}

/// Disables an account and ends its sessions, or enables it again.
pub async fn set_disabled(
    tx: &mut Tx,
    now: Timestamp,
    by: ActorId,
    name: &str,
    is_disabled: bool,
) -> Result<(), AccountError> {
    let mut account = find(tx, name).await?;
    account.disabled_at = is_disabled.then_some(now);
    if !is_disabled {
        account.succeeded();
    }
    store::accounts::update(tx, &account).await?;
    store::sessions::revoke_all(tx, account.id, now).await?;
    let action = if is_disabled { "disable_account" } else { "enable_account" };
    record(tx, now, by, action, &account, json!({})).await
}

/// Identifiers of the enabled accounts that hold one of `roles` over `region`.
pub async fn holders(
    connection: &mut store::Conn,
    roles: &[Role],
    region: RegionCode,
) -> Result<Vec<Uuid>, StoreError> {
    let mut holders = Vec::new();
    let mut after = String::new();
    loop {
        let accounts = store::accounts::list(connection, &after, 200).await?;
        let Some(last) = accounts.last() else { return Ok(holders) };
        after.clone_from(&last.name);
        for account in accounts.into_iter().filter(|account| account.disabled_at.is_none()) {
            let grants = store::accounts::grants(connection, account.id).await?;
            let holds =
                |grant: &Grant| roles.contains(&grant.role) && grant.region.contains(region);
            if grants.iter().any(holds) {
                holders.push(account.id);
            }
        }
    }
}

async fn find(tx: &mut Tx, name: &str) -> Result<Account, AccountError> {
    store::accounts::by_name(tx, name).await?.ok_or(AccountError::NotFound)
}

async fn record(
    tx: &mut Tx,
    now: Timestamp,
    by: ActorId,
    action: &str,
    account: &Account,
    detail: serde_json::Value,
) -> Result<(), AccountError> {
    let object = format!("account:{}", account.id);
    Ok(audit::append_as(tx, now, by, action, &object, &detail).await?)
}
