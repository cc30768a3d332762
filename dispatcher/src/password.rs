//! Passwords and second factors: argon2id off the runtime's threads, TOTP (RFC 6238).

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use jiff::Timestamp;
use tokio::sync::Semaphore;

/// Hashes at work at once, 19 MiB each: a flood of logins waits instead of taking the memory.
const AT_ONCE: usize = 4;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Hashed when there is no such account, so that the answer takes as long: the hash of no password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$0000000000000000000000000000000000000000000";

/// The PHC text of a password under argon2id (19 MiB, two passes), with this salt.
pub async fn hash(password: String, salt: [u8; 16]) -> String {
    blocking(move || {
        Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .expect("the default parameters and a salt of 16 bytes are valid")
            .to_string()
    })
    .await
}

/// Whether `password` is the one of `hash`; without a hash it takes as long and is false.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    blocking(move || {
        let is_known = hash.is_some();
        let text = hash.unwrap_or_else(|| NOBODY.to_owned());
        let Ok(parsed) = PasswordHash::new(&text) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && is_known
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _turn = TURNS.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
}

/// Bytes of a TOTP secret.
pub const TOTP_SECRET_BYTES: usize = 20;

/// The time step whose code this is (the present one, the one before or after), or `None`. The
/// caller sees to it that a step counts once.
pub fn totp_step(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let seconds = u64::try_from(now.as_second()).ok()?;
    let totp = totp_rs::Builder::new().with_secret(secret.to_vec()).build().ok()?;
    i64::try_from(totp.check(code.trim(), seconds)?).ok()
}

/// The secret as people type it.
pub fn totp_base32(secret: &[u8]) -> String {
    totp_rs::Secret::from(secret.to_vec()).to_base32()
}

/// The secret as an authenticator scans it. `name` is a login name and needs no escaping.
pub fn totp_url(name: &str, secret: &[u8]) -> String {
    let secret = totp_base32(secret);
    format!("otpauth://totp/Tongluo:{name}?secret={secret}&issuer=Tongluo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_is_right() {
        let hashed = hash("correct horse".to_owned(), [7; 16]).await;
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify("correct horse".to_owned(), Some(hashed.clone())).await);
        assert!(!verify("wrong horse".to_owned(), Some(hashed)).await);
        assert!(!verify("correct horse".to_owned(), None).await);
        assert!(PasswordHash::new(NOBODY).is_ok(), "an unknown name must take as long");
    }

    #[test]
    fn the_code_of_the_standards_example_is_known() {
        // RFC 6238, appendix B: 94287082 at 59 s with eight digits; six digits keep the last six.
        let at = Timestamp::from_second(59).expect("valid");
        assert_eq!(totp_step(b"12345678901234567890", "287082", at), Some(1));
        assert_eq!(totp_step(b"12345678901234567890", "287083", at), None);
    }
}
