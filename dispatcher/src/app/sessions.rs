//! Sessions: login with lock-out, the second factor, logout, and who a secret belongs to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use protocols::digest::Digest;
use serde_json::json;
use uuid::Uuid;

use crate::app::{audit, tokens};
use crate::domain::account::{ABSOLUTE, Account, Session};
use crate::domain::actor::{Actor, ActorId};
use crate::password;
use crate::ports::Ports;
use crate::store::{self, Db, StoreError, Tx};

/// What a session's secret begins with, so that it is known in a log or a paste for what it is.
pub const PREFIX: &str = "tls_";

/// `seen_at` is written at most this often: not each request is a write.
const TOUCH: SignedDuration = SignedDuration::from_mins(1);

/// Characters of a user agent that are kept.
const AGENT_CHARS: usize = 120;

/// What somebody shows to log in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The login name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The second factor, to step up at once.
    pub code: Option<String>,
    /// From where.
    pub address: String,
    /// With what.
    pub agent: String,
}

/// Why a login was refused.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Name, password or code; never said which.
    #[error("name, password or code are wrong")]
    Wrong,
    /// Too many wrong ones.
    #[error("locked for {0} s")]
    Locked(i64),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A login that worked.
#[derive(Debug, Clone)]
pub struct Login {
    /// The secret: given to the person once, kept as a digest.
    pub secret: String,
    /// The session.
    pub session: Session,
    /// Who it is.
    pub actor: Actor,
}

/// Logs in. The only use case that opens transactions itself: hashing lies between them, and a
/// wrong password is to be remembered.
pub async fn login(db: &Db, ports: &Ports, shown: Credentials) -> Result<Login, LoginError> {
    let now = ports.now();
    let known = {
        let mut connection = db.read().await?;
        store::accounts::by_name(&mut connection, &shown.name).await?
    };
    if let Some(wait) = known.as_ref().and_then(|account| account.locked_s(now)) {
        return Err(LoginError::Locked(wait));
    }
    let known = known.filter(|account| account.disabled_at.is_none());
    let hash = known.as_ref().map(|account| account.password_hash.clone());
    let is_right = password::verify(shown.password.clone(), hash).await;
    let Some(known) = known else { return Err(LoginError::Wrong) };

    let mut tx = db.begin().await?;
    // Read again: somebody else may have failed, or the account may be disabled, meanwhile.
    let account = store::accounts::by_id(&mut tx, known.id).await?;
    let Some(mut account) = account.filter(|account| account.disabled_at.is_none()) else {
        return Err(LoginError::Wrong);
    };
    if let Some(wait) = account.locked_s(now) {
        return Err(LoginError::Locked(wait));
    }
    let is_stepped_up = match shown.code.as_deref() {
        None => Some(false),
        Some(code) => use_code(&mut account, code, now).then_some(true),
    };
    let Some(is_stepped_up) = is_stepped_up.filter(|_| is_right) else {
        account.failed(now);
        store::accounts::update(&mut tx, &account).await?;
        let object = format!("account:{}", account.id);
        let detail = json!({ "address": shown.address, "failures": account.failed_logins });
        audit::append_as(&mut tx, now, ActorId::System, "refuse_login", &object, &detail).await?;
        tx.commit().await?;
        return Err(LoginError::Wrong);
    };
    account.succeeded();
    store::accounts::update(&mut tx, &account).await?;
    let login = open(&mut tx, ports, &account, &shown, is_stepped_up).await?;
    tx.commit().await?;
    Ok(login)
}

async fn open(
    tx: &mut Tx,
    ports: &Ports,
    account: &Account,
    shown: &Credentials,
    is_stepped_up: bool,
) -> Result<Login, StoreError> {
    let now = ports.now();
    let secret = secret(ports, PREFIX);
    let session = Session {
        id: ports.id(),
        account: account.id,
        created_at: now,
        seen_at: now,
        stepped_up_at: is_stepped_up.then_some(now),
        revoked_at: None,
        address: shown.address.clone(),
        agent: shown.agent.chars().take(AGENT_CHARS).collect(),
    };
    store::sessions::insert(tx, &session, Digest::of(secret.as_bytes())).await?;
    let actor = actor(tx, account, &session).await?;
    let object = format!("session:{}", session.id);
    audit::append(tx, now, &actor, "login", &object, &json!({ "address": session.address }))
        .await?;
    Ok(Login { secret, session, actor })
}

/// Shows the second factor in a running session. A wrong code counts like a wrong password.
pub async fn step_up(
    db: &Db,
    now: Timestamp,
    session: &Session,
    code: &str,
) -> Result<(), LoginError> {
    let mut tx = db.begin().await?;
    let account = store::accounts::by_id(&mut tx, session.account).await?;
    let mut account = account.ok_or(LoginError::Wrong)?;
    if let Some(wait) = account.locked_s(now) {
        return Err(LoginError::Locked(wait));
    }
    let is_right = use_code(&mut account, code, now);
    if is_right {
        account.succeeded();
        store::sessions::step_up(&mut tx, session.id, now).await?;
    } else {
        account.failed(now);
    }
    store::accounts::update(&mut tx, &account).await?;
    let (object, by) = (format!("session:{}", session.id), ActorId::Account(account.id));
    let action = if is_right { "step_up" } else { "refuse_step_up" };
    audit::append_as(&mut tx, now, by, action, &object, &json!({})).await?;
    tx.commit().await?;
    if is_right { Ok(()) } else { Err(LoginError::Wrong) }
}

/// Ends a session; `false` when it had ended.
pub async fn end(
    tx: &mut Tx,
    now: Timestamp,
    by: &Actor,
    session: Uuid,
) -> Result<bool, StoreError> {
    let has_ended = store::sessions::revoke(tx, session, now).await?;
    if has_ended {
        let object = format!("session:{session}");
        audit::append(tx, now, by, "logout", &object, &json!({})).await?;
    }
    Ok(has_ended)
}

/// Whom a secret belongs to, if it counts: a person's session or a machine's token.
pub async fn authenticate(
    db: &Db,
    now: Timestamp,
    secret: Digest,
) -> Result<Option<(Actor, Option<Session>)>, StoreError> {
    let mut connection = db.read().await?;
    let Some(session) = store::sessions::by_secret(&mut connection, secret).await? else {
        let actor = tokens::authenticate(&mut connection, now, secret).await?;
        return Ok(actor.map(|actor| (actor, None)));
    };
    if !session.is_alive(now) {
        return Ok(None);
    }
    let account = store::accounts::by_id(&mut connection, session.account).await?;
    let Some(account) = account.filter(|account| account.disabled_at.is_none()) else {
        return Ok(None);
    };
    let actor = actor(&mut connection, &account, &session).await?;
    drop(connection);
    if now.duration_since(session.seen_at) >= TOUCH {
        let mut tx = db.begin().await?;
        store::sessions::touch(&mut tx, session.id, now).await?;
        tx.commit().await?;
    }
    Ok(Some((actor, Some(session))))
}

/// Sessions of an account that may still count, newest first.
pub async fn list(
    connection: &mut store::Conn,
    account: Uuid,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let sessions = store::sessions::of_account(connection, account, now - ABSOLUTE, 200).await?;
    Ok(sessions.into_iter().filter(|session| session.is_alive(now)).collect())
}

/// Forgets sessions that ended a month ago; until then the record's words can be followed.
pub async fn purge(connection: &mut store::Conn, now: Timestamp) -> Result<u64, StoreError> {
    store::sessions::purge(connection, now - SignedDuration::from_hours(24 * 30)).await
}

/// 256 unpredictable bits as text.
pub(crate) fn secret(ports: &Ports, prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(ports.bytes::<32>()))
}

async fn actor(
    connection: &mut store::Conn,
    account: &Account,
    session: &Session,
) -> Result<Actor, StoreError> {
    Ok(Actor {
        id: ActorId::Account(account.id),
        name: account.full_name.clone(),
        grants: store::accounts::grants(connection, account.id).await?,
        stepped_up_at: session.stepped_up_at,
    })
}

/// Whether the code is right and of a step that was not used; then it is used.
fn use_code(account: &mut Account, code: &str, now: Timestamp) -> bool {
    let step = account.totp_secret.as_ref().and_then(|key| password::totp_step(key, code, now));
    let Some(step) = step.filter(|step| *step > account.totp_step) else { return false };
    account.totp_step = step;
    true
}
