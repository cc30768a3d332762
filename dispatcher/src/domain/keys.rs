//! Roots and delegations: what is signed far from any serving machine.

use jiff::{SignedDuration, Timestamp};
use protocols::certificate::{Algorithm, Certificate};
use protocols::limits::CERTIFICATE_DAYS_MAX;
use protocols::region::RegionCode;
use protocols::wire::{self, MessageType, SigningKey, VerifyingKey};

use crate::domain::fault::Fault;

/// Bytes (UTF-8) of the name in a certificate.
pub const CERTIFICATE_NAME_BYTES_MAX: usize = 128;

/// How far before now a certificate begins, so that a terminal whose clock is behind believes it.
const BEGINS_BEFORE: SignedDuration = SignedDuration::from_hours(1);

/// What a root is asked to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Unique for its root: 64 random bits.
    pub serial: u64,
    /// The dispatcher's public key.
    pub public_key: VerifyingKey,
    /// The subtree that it may speak for.
    pub region: RegionCode,
    /// The dispatcher's name, for people.
    pub name: String,
    /// Days from now.
    pub days: i64,
}

/// Signs a delegation: the sealed certificate, or every rule that it breaks.
pub fn delegate(
    root: &SigningKey,
    delegation: &Delegation,
    now: Timestamp,
) -> Result<Vec<u8>, Vec<Fault>> {
    let mut faults = Vec::new();
    let name = delegation.name.trim();
    if name.is_empty() || name.len() > CERTIFICATE_NAME_BYTES_MAX {
        let (zh, en) = ("名称须为 1 至 128 字节", "a name has 1 to 128 bytes");
        faults.push(Fault::new("/name", "name-length", zh, en));
    }
    if !(1..=CERTIFICATE_DAYS_MAX).contains(&delegation.days) {
        let (zh, en) = ("有效期须为 1 至 400 天", "valid for 1 to 400 days");
        faults.push(Fault::new("/days", "validity", zh, en));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let not_before = now - BEGINS_BEFORE;
    let certificate = Certificate {
        serial: delegation.serial,
        public_key: delegation.public_key.to_bytes().to_vec(),
        algorithm: Algorithm::Ed25519,
        region: delegation.region,
        level: delegation.region.level(),
        not_before,
        not_after: not_before + SignedDuration::from_hours(24 * delegation.days),
        name: name.to_owned(),
    };
    Ok(wire::seal(MessageType::Certificate, None, wire::encode(&certificate), root, None))
}

#[cfg(test)]
mod tests {
    use protocols::trust::{Roots, open_certificate};

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);

    fn delegation(days: i64) -> Delegation {
        Delegation {
            serial: 7,
            public_key: SigningKey::from_seed(&[2; 32]).verifying_key(),
            region: "350211102000".parse().expect("a code"),
            name: "灌口镇".to_owned(),
            days,
        }
    }

    #[test]
    fn what_a_root_signs_its_terminals_believe() {
        let root = SigningKey::from_seed(&[1; 32]);
        let sealed = delegate(&root, &delegation(400), NOW).expect("within the rules");
        let roots = Roots::new([root.verifying_key()]);
        let certificate = open_certificate(&sealed, &roots).expect("believed");
        assert_eq!(certificate.region, delegation(1).region);
        assert!(certificate.not_before < NOW && NOW < certificate.not_after);
        let others = Roots::new([SigningKey::from_seed(&[3; 32]).verifying_key()]);
        assert!(open_certificate(&sealed, &others).is_err());
    }

    #[test]
    fn a_validity_beyond_400_days_and_an_empty_name_are_refused_together() {
        let root = SigningKey::from_seed(&[1; 32]);
        let bad = Delegation { name: String::new(), ..delegation(401) };
        let faults = delegate(&root, &bad, NOW).expect_err("refused");
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/days"]);
    }
}
