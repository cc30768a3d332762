//! Accounts, grants, sessions, tokens: through their use cases, and the statements that only
//! operations use.

use dispatcher::app::accounts::{self, AccountError, NewAccount};
use dispatcher::app::sessions::{self, Credentials, LoginError};
use dispatcher::app::tokens::{self, NewToken, Scope};
use dispatcher::domain::account::IDLE;
use dispatcher::domain::actor::{ActorId, Grant};
use dispatcher::domain::authority::{Action, Role};
use dispatcher::ports::Ports;
use dispatcher::store::{self, Db, StoreError};
use jiff::{SignedDuration, Timestamp};
use protocols::digest::Digest;
use protocols::region::RegionCode;

const PASSWORD: &str = "a long password";
const SECRET: &[u8; 20] = b"12345678901234567890";

fn town() -> RegionCode {
    "350212110000".parse().expect("a code")
}

fn shown(password: &str, code: Option<String>) -> Credentials {
    Credentials {
        name: "lin".to_owned(),
        password: password.to_owned(),
        code,
        address: "127.0.0.1".to_owned(),
        agent: "test".to_owned(),
    }
}

fn code(now: Timestamp) -> String {
    let totp = totp_rs::Builder::new().with_secret(SECRET.to_vec()).build().expect("valid");
    totp.generate(now.as_second().unsigned_abs()).to_string()
}

/// The life of an account.
pub(crate) async fn run(db: &Db) {
    let start = Timestamp::from_second(1_800_000_000).expect("valid");
    let (ports, clock) = Ports::fixed(start, 1);
    let hash = accounts::hashed(&ports, PASSWORD.to_owned()).await.expect("long enough");
    add(db, &ports, hash.clone()).await;

    let wrong = sessions::login(db, &ports, shown("wrong password", None)).await;
    assert!(matches!(wrong, Err(LoginError::Wrong)));
    let login = sessions::login(db, &ports, shown(PASSWORD, Some(code(start)))).await;
    let login = login.expect("right");
    assert_eq!(login.session.stepped_up_at, Some(start));
    let again = sessions::login(db, &ports, shown(PASSWORD, Some(code(start)))).await;
    assert!(matches!(again, Err(LoginError::Wrong)), "a code counts once");

    let secret = Digest::of(login.secret.as_bytes());
    clock.advance(SignedDuration::from_mins(6));
    let found = sessions::authenticate(db, ports.now(), secret).await.expect("asks");
    let (actor, session) = found.expect("alive");
    let session = session.expect("a person's");
    let red = Some(protocols::alert::AlertColor::Red);
    assert!(actor.may(Action::IssueAlert, town(), red, ports.now()).is_err(), "stale");
    let now = ports.now();
    sessions::step_up(db, now, &session, &code(now)).await.expect("a fresh code");
    let (actor, _) = sessions::authenticate(db, now, secret).await.expect("asks").expect("alive");
    assert_eq!(actor.may(Action::IssueAlert, town(), red, now), Ok(()));

    let mut tx = db.begin().await.expect("begins");
    let seen = store::sessions::by_id(&mut tx, session.id).await.expect("asks").expect("there");
    assert_eq!(seen.seen_at, now, "a request is noted");
    let listed = sessions::list(&mut tx, session.account, now).await.expect("lists");
    assert_eq!(listed.len(), 1);
    assert_eq!(sessions::purge(&mut tx, now).await.expect("purges"), 0);
    tx.rollback().await.expect("rolls back");

    clock.advance(IDLE + SignedDuration::from_secs(1));
    let idle = sessions::authenticate(db, ports.now(), secret).await.expect("asks");
    assert!(idle.is_none(), "an idle session ends");
    lock_and_unlock(db, &ports, hash).await;
    machine(db, &ports).await;
}

async fn add(db: &Db, ports: &Ports, password_hash: String) {
    let mut tx = db.begin().await.expect("begins");
    let new = |name: &str| NewAccount {
        name: name.to_owned(),
        full_name: "林伟".to_owned(),
        password_hash: password_hash.clone(),
        totp_secret: Some(SECRET.to_vec()),
    };
    let by = ActorId::System;
    let account = accounts::add(&mut tx, ports, by, new("lin")).await.expect("adds");
    let found = store::accounts::by_name(&mut tx, "lin").await.expect("asks");
    assert_eq!(found.as_ref(), Some(&account));
    assert_eq!(store::accounts::by_id(&mut tx, account.id).await.expect("asks"), Some(account));
    let grant = Grant { role: Role::Composer, region: town() };
    for (is_given, has_changed) in [(true, true), (true, false), (false, true), (true, true)] {
        let set = accounts::set_grant(&mut tx, ports.now(), by, "lin", grant, is_given).await;
        assert_eq!(set.expect("sets"), has_changed);
    }
    let machine = Grant { role: Role::Upstream, region: town() };
    let refused = accounts::set_grant(&mut tx, ports.now(), by, "lin", machine, true).await;
    assert!(matches!(refused, Err(AccountError::NotForPersons)));
    let holders = accounts::holders(&mut tx, &[Role::Composer], town()).await.expect("asks");
    assert_eq!(holders.len(), 1);
    tx.commit().await.expect("commits");

    let mut tx = db.begin().await.expect("begins");
    let twice = accounts::add(&mut tx, ports, by, new("lin")).await;
    assert!(matches!(twice, Err(AccountError::Store(StoreError::Duplicate { .. }))));
}

async fn lock_and_unlock(db: &Db, ports: &Ports, hash: String) {
    for _ in 0..5 {
        let wrong = sessions::login(db, ports, shown("wrong password", None)).await;
        assert!(matches!(wrong, Err(LoginError::Wrong)));
    }
    let locked = sessions::login(db, ports, shown(PASSWORD, None)).await;
    assert!(matches!(locked, Err(LoginError::Locked(_))), "the right password waits too");
    let (now, by) = (ports.now(), ActorId::System);
    let mut tx = db.begin().await.expect("begins");
    accounts::set_password(&mut tx, now, by, "lin", hash).await.expect("sets");
    accounts::set_totp(&mut tx, now, by, "lin", SECRET.to_vec()).await.expect("sets");
    tx.commit().await.expect("commits");
    let login = sessions::login(db, ports, shown(PASSWORD, None)).await;
    let login = login.expect("a new password unlocks");

    let mut tx = db.begin().await.expect("begins");
    for is_open in [true, false] {
        let ended = store::sessions::revoke(&mut tx, login.session.id, now).await;
        assert_eq!(ended.expect("ends"), is_open, "a session ends once");
    }
    let stale = store::accounts::by_name(&mut tx, "lin").await.expect("asks").expect("there");
    accounts::set_disabled(&mut tx, now, by, "lin", true).await.expect("disables");
    let conflict = store::accounts::update(&mut tx, &stale).await;
    assert!(matches!(conflict, Err(StoreError::Conflict { table: "accounts" })));
    tx.commit().await.expect("commits");
    let disabled = sessions::login(db, ports, shown(PASSWORD, None)).await;
    assert!(matches!(disabled, Err(LoginError::Wrong)));
}

async fn machine(db: &Db, ports: &Ports) {
    let (now, by) = (ports.now(), ActorId::System);
    let new = NewToken {
        name: "city".to_owned(),
        scope: Scope::CapSubmit,
        region: town(),
        expires_at: now + SignedDuration::from_hours(1),
    };
    let mut tx = db.begin().await.expect("begins");
    let (token, secret) = tokens::add(&mut tx, ports, by, new).await.expect("adds");
    let listed = store::tokens::list(&mut tx, "", 10).await.expect("lists");
    assert_eq!(listed, std::slice::from_ref(&token));
    assert_eq!(store::tokens::by_id(&mut tx, token.id).await.expect("asks"), Some(token.clone()));
    tx.commit().await.expect("commits");

    let digest = Digest::of(secret.as_bytes());
    let found = sessions::authenticate(db, now, digest).await.expect("asks");
    let (actor, session) = found.expect("counts");
    assert!(session.is_none());
    assert_eq!(actor.may(Action::SubmitCap, town(), None, now), Ok(()));
    assert!(actor.may(Action::DraftAlert, town(), None, now).is_err());
    let late = now + SignedDuration::from_hours(1);
    assert!(sessions::authenticate(db, late, digest).await.expect("asks").is_none());

    let mut tx = db.begin().await.expect("begins");
    assert!(tokens::revoke(&mut tx, now, by, token.id).await.expect("revokes"));
    assert!(!tokens::revoke(&mut tx, now, by, token.id).await.expect("revokes once"));
    tx.commit().await.expect("commits");
    assert!(sessions::authenticate(db, now, digest).await.expect("asks").is_none());
}
