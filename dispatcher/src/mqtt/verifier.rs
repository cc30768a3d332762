//! Passwords as external brokers keep them: mosquitto's `$7$` (PBKDF2 with HMAC-SHA-512) and the
//! bcrypt of nats-server. The embedded broker keeps a SHA-256: its passwords are 128 random bits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a salt that mosquitto reads; it accepts no other length.
pub const MOSQUITTO_SALT_BYTES: usize = 12;

/// Bytes of a salt of bcrypt.
pub const NATS_SALT_BYTES: usize = 16;

/// How hard it is made to guess a password from its verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// 128 random bits can't be guessed at any price, and ten thousand terminals that come back at
    /// once must be let in within seconds: the least that the formats allow or their tools write.
    Drawn,
    /// Chosen by a person.
    Chosen,
}

impl Strength {
    const fn rounds(self) -> u32 {
        match self {
            Self::Drawn => 101,
            Self::Chosen => 100_000,
        }
    }

    const fn cost(self) -> u32 {
        match self {
            Self::Drawn => 4,
            Self::Chosen => 11,
        }
    }
}

/// A line's second half in mosquitto's password file.
pub fn mosquitto(password: &str, salt: &[u8; MOSQUITTO_SALT_BYTES], strength: Strength) -> String {
    let rounds = strength.rounds();
    let mut hash = [0; 64];
    pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password.as_bytes(), salt, rounds, &mut hash);
    format!("$7${rounds}${}${}", STANDARD.encode(salt), STANDARD.encode(hash))
}

/// A password in the configuration of nats-server, which knows bcrypt by its `$2a$`.
pub fn nats(password: &str, salt: [u8; NATS_SALT_BYTES], strength: Strength) -> String {
    bcrypt::hash_with_salt(password, strength.cost(), salt)
        .expect("the cost is one of two constants within bcrypt's range, and no text is too long")
        .format_for_version(bcrypt::Version::TwoA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mosquittos_own_tool_would_have_written_the_same() {
        // Line of `mosquitto_passwd -b -H sha512-pbkdf2` of mosquitto 2.0.11, taken apart.
        let line = include_str!("verifier_sample.txt").trim_end();
        let (name, verifier) = line.split_once(':').expect("a name and a verifier");
        assert_eq!(name, "350212103201-0007");
        let salt = verifier.split('$').nth(3).expect("a salt");
        let salt = STANDARD.decode(salt).expect("base64").try_into().expect("12 bytes");
        assert_eq!(mosquitto("drawn at enrolment", &salt, Strength::Drawn), verifier);
    }

    #[test]
    fn a_bcrypt_verifies_its_password_and_no_other() {
        let verifier = nats("right", [7; 16], Strength::Drawn);
        assert!(verifier.starts_with("$2a$04$"), "{verifier}");
        assert!(bcrypt::verify("right", &verifier).expect("a hash"));
        assert!(!bcrypt::verify("wrong", &verifier).expect("a hash"));
    }
}
