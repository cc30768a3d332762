//! Accounts of people and their sessions: when a login counts, when it is refused, how long it
//! lasts.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::fault::Fault;

/// Wrong passwords in a row before an account is locked: a person mistypes twice, not five times.
pub const FAILURES_MAX: i64 = 5;

/// How long the first lock lasts; each further failure doubles it.
pub const LOCK_FIRST: SignedDuration = SignedDuration::from_mins(1);

/// The longest lock: who guesses gets 96 tries a day, who forgot is not shut out of a shift.
pub const LOCK_MAX: SignedDuration = SignedDuration::from_mins(15);

/// A session without a request ends after this.
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);

/// A session ends after this whatever happens: one shift.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);

/// Characters of a password, at least.
pub const PASSWORD_CHARS_MIN: usize = 10;

/// Bytes of a password, at most: hashing is not to be fed megabytes.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Days a token of a machine may be valid: it is renewed when somebody still knows of it.
pub const TOKEN_DAYS_MAX: i64 = 400;

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its identifier.
    pub id: Uuid,
    /// The login name.
    pub name: String,
    /// The person's name.
    pub full_name: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Secret of the second factor, if enrolled.
    pub totp_secret: Option<Vec<u8>>,
    /// The last time step whose code was used.
    pub totp_step: i64,
    /// Wrong passwords since the last right one.
    pub failed_logins: i64,
    /// No login before this.
    pub locked_until: Option<Timestamp>,
    /// Since when it counts no more.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: i64,
}

/// One login that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its identifier (not its secret).
    pub id: Uuid,
    /// Whose.
    pub account: Uuid,
    /// Since when.
    pub created_at: Timestamp,
    /// Last request, within a minute.
    pub seen_at: Timestamp,
    /// Last second factor.
    pub stepped_up_at: Option<Timestamp>,
    /// When it was ended by hand.
    pub revoked_at: Option<Timestamp>,
    /// From where.
    pub address: String,
    /// With what.
    pub agent: String,
}

impl Account {
    /// Seconds until a login may be tried; `None` when it may be tried now.
    pub fn locked_s(&self, now: Timestamp) -> Option<i64> {
        let until = self.locked_until.filter(|until| *until > now)?;
        Some(until.duration_since(now).as_secs() + 1)
    }

    /// What a wrong password leads to.
    pub fn failed(&mut self, now: Timestamp) {
        self.failed_logins = self.failed_logins.saturating_add(1);
        let surplus = self.failed_logins - FAILURES_MAX;
        if surplus >= 0 {
            // 2⁴ minutes is beyond the longest lock already.
            let doubled = LOCK_FIRST * 2_i32.pow(surplus.clamp(0, 4) as u32);
            self.locked_until = Some(now + doubled.min(LOCK_MAX));
        }
    }

    /// What a right password leads to.
    pub fn succeeded(&mut self) {
        self.failed_logins = 0;
        self.locked_until = None;
    }
}

impl Session {
    /// Whether it still counts.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && now.duration_since(self.seen_at) <= IDLE
            && now.duration_since(self.created_at) <= ABSOLUTE
    }
}

/// What is wrong with a login name.
pub fn check_name(name: &str) -> Result<(), Fault> {
    let is_name = (2..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if is_name {
        return Ok(());
    }
    Err(Fault::new(
        "/name",
        "account-name",
        "账号须为 2 至 32 个小写字母、数字或 . _ -",
        "a login name is 2 to 32 lower-case letters, digits or . _ -",
    ))
}

/// What is wrong with a person's name.
pub fn check_full_name(name: &str) -> Result<(), Fault> {
    if (1..=64).contains(&name.trim().chars().count()) {
        return Ok(());
    }
    Err(Fault::new(
        "/full_name",
        "full-name",
        "姓名须为 1 至 64 个字符",
        "a name is 1 to 64 characters",
    ))
}

/// What is wrong with a password.
pub fn check_password(password: &str) -> Result<(), Fault> {
    let is_long = password.chars().count() >= PASSWORD_CHARS_MIN;
    if is_long && password.len() <= PASSWORD_BYTES_MAX {
        return Ok(());
    }
    Err(Fault::new(
        "/password",
        "password-length",
        "密码至少 10 个字符",
        "a password has at least 10 characters",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            id: Uuid::nil(),
            name: "lin".to_owned(),
            full_name: "林".to_owned(),
            password_hash: String::new(),
            totp_secret: None,
            totp_step: 0,
            failed_logins: 0,
            locked_until: None,
            disabled_at: None,
            created_at: Timestamp::UNIX_EPOCH,
            version: 1,
        }
    }

    #[test]
    fn the_fifth_wrong_password_locks_and_each_further_one_longer_up_to_a_bound() {
        let now = Timestamp::UNIX_EPOCH;
        let mut account = account();
        for _ in 0..4 {
            account.failed(now);
            assert_eq!(account.locked_s(now), None);
        }
        let mut locks = Vec::new();
        for _ in 0..6 {
            account.failed(now);
            locks.extend(account.locked_s(now));
        }
        assert_eq!(locks, [61, 121, 241, 481, 901, 901]);
        account.succeeded();
        assert_eq!(account.locked_s(now), None);
    }

    #[test]
    fn a_session_ends_when_idle_when_old_and_when_revoked() {
        let start = Timestamp::UNIX_EPOCH;
        let mut session = Session {
            id: Uuid::nil(),
            account: Uuid::nil(),
            created_at: start,
            seen_at: start,
            stepped_up_at: None,
            revoked_at: None,
            address: String::new(),
            agent: String::new(),
        };
        let tick = SignedDuration::from_micros(1);
        assert!(session.is_alive(start + IDLE));
        assert!(!session.is_alive(start + IDLE + tick));
        session.seen_at = start + ABSOLUTE;
        assert!(session.is_alive(start + ABSOLUTE));
        assert!(!session.is_alive(start + ABSOLUTE + tick));
        session.revoked_at = Some(start);
        assert!(!session.is_alive(start));
    }

    #[test]
    fn names_and_passwords_have_bounds() {
        assert!(check_name("lin.wei-2").is_ok());
        assert!(
            check_name("Lin").is_err() && check_name("a").is_err() && check_name("林伟").is_err()
        );
        assert!(check_password("0123456789").is_ok());
        assert!(check_password("012345678").is_err());
        assert!(check_full_name(" ").is_err());
    }
}
