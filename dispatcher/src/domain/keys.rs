//! Roots, delegations, renewals and revocations: what is signed far from any serving machine, and
//! how a dispatcher's own key and certificate stand.

use jiff::{SignedDuration, Timestamp};
use protocols::certificate::{Algorithm, Certificate, RevocationList};
use protocols::limits::{CERTIFICATE_DAYS_MAX, REVOCATIONS_MAX};
use protocols::region::RegionCode;
use protocols::wire::{self, KeyId, MessageType, SigningKey, VerifyingKey};

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

/// Whatever half of its life is left, a certificate that ends this soon is due: a month of leave,
/// of storms, of a safe whose key is away.
pub const DUE_BEFORE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Why nothing is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotSign {
    /// The key is on the revocation list.
    #[error("the key {0} of this dispatcher is revoked: `dispatcher key rotate --new-key`")]
    KeyRevoked(KeyId),
    /// The certificate is not valid now.
    #[error("the certificate of this dispatcher is valid from {from} to {until}, not now")]
    NotValid {
        /// Its first instant.
        from: Timestamp,
        /// The instant after its last.
        until: Timestamp,
    },
}

/// Whether a key may sign under its certificate now: what every terminal asks, too.
pub fn may_sign(
    certificate: &Certificate,
    key: KeyId,
    revoked: &[KeyId],
    now: Timestamp,
) -> Result<(), CannotSign> {
    if revoked.contains(&key) {
        return Err(CannotSign::KeyRevoked(key));
    }
    let (from, until) = (certificate.not_before, certificate.not_after);
    if now < from || until <= now {
        return Err(CannotSign::NotValid { from, until });
    }
    Ok(())
}

/// How a dispatcher's key and certificate stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In the first half of its life, and more than [`DUE_BEFORE`] from its end.
    Good,
    /// To be renewed.
    Due,
    /// Not valid now.
    NotValid,
    /// On the revocation list.
    Revoked,
}

impl Standing {
    /// The name in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Due => "due",
            Self::NotValid => "not_valid",
            Self::Revoked => "revoked",
        }
    }
}

/// How this key and certificate stand now.
pub fn standing(
    certificate: &Certificate,
    key: KeyId,
    revoked: &[KeyId],
    now: Timestamp,
) -> Standing {
    match may_sign(certificate, key, revoked, now) {
        Err(CannotSign::KeyRevoked(_)) => Standing::Revoked,
        Err(CannotSign::NotValid { .. }) => Standing::NotValid,
        Ok(()) if due_from(certificate) <= now => Standing::Due,
        Ok(()) => Standing::Good,
    }
}

/// From when on a certificate is to be renewed: at half of its life, at the latest
/// [`DUE_BEFORE`] its end.
pub fn due_from(certificate: &Certificate) -> Timestamp {
    let life = certificate.not_after.duration_since(certificate.not_before);
    let half = certificate.not_before + life / 2;
    half.min(certificate.not_after - DUE_BEFORE).max(certificate.not_before)
}

/// How a certificate is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Unique for its root: 64 random bits.
    pub serial: u64,
    /// Another key than the old certificate's.
    pub new_key: Option<VerifyingKey>,
    /// Days from now.
    pub days: i64,
    /// Before half of the old one's life is over.
    pub is_early: bool,
}

/// Signs the next certificate of a dispatcher: same region, same name. The old one stays valid to
/// its end, so that nothing is lost while the new one travels.
pub fn renew(
    root: &SigningKey,
    old: &Certificate,
    renewal: Renewal,
    now: Timestamp,
) -> Result<Vec<u8>, Vec<Fault>> {
    let due = due_from(old);
    if now < due && !renewal.is_early {
        return Err(vec![Fault::new(
            "/certificate",
            "not-due",
            format!("{due} 之前不必续期；确需提前请加 --early"),
            format!("not due before {due}: with --early it is renewed all the same"),
        )]);
    }
    let old_key = VerifyingKey::from_bytes(&old.public_key).map_err(|_| {
        let (zh, en) = ("旧证书的公钥无效", "the old certificate holds no public key");
        vec![Fault::new("/certificate", "public-key", zh, en)]
    })?;
    let delegation = Delegation {
        serial: renewal.serial,
        public_key: renewal.new_key.unwrap_or(old_key),
        region: old.region,
        name: old.name.clone(),
        days: renewal.days,
    };
    delegate(root, &delegation, now)
}

/// The list after `last` (or the first) with these keys besides. A list only grows: a key that was
/// revoked once never counts again.
pub fn next_list(
    last: Option<&RevocationList>,
    keys: &[KeyId],
    now: Timestamp,
) -> Result<RevocationList, Vec<Fault>> {
    let mut revoked = last.map(|last| last.keys.clone()).unwrap_or_default();
    let before = revoked.len();
    for key in keys {
        if !revoked.contains(key) {
            revoked.push(*key);
        }
    }
    if revoked.len() == before {
        let (zh, en) = ("没有新的密钥需要吊销", "there is no key that is not on the list yet");
        return Err(vec![Fault::new("/key", "nothing-new", zh, en)]);
    }
    if revoked.len() > REVOCATIONS_MAX {
        return Err(vec![Fault::new(
            "/key",
            "too-many",
            format!("吊销列表最多 {REVOCATIONS_MAX} 个密钥；请更换根密钥"),
            format!("a list holds {REVOCATIONS_MAX} keys: it is time for new roots"),
        )]);
    }
    let number = last.map_or(0, |last| last.number);
    let Some(number) = number.checked_add(1) else {
        let (zh, en) = ("编号已用尽", "there is no higher number");
        return Err(vec![Fault::new("/last", "number", zh, en)]);
    };
    Ok(RevocationList { number, at: now, keys: revoked })
}

/// Seals a list by a root.
pub fn seal_list(root: &SigningKey, list: &RevocationList) -> Vec<u8> {
    wire::seal(MessageType::RevocationList, None, wire::encode(list), root, None)
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
    fn certificate(days: i64) -> Certificate {
        let root = SigningKey::from_seed(&[1; 32]);
        let sealed = delegate(&root, &delegation(days), NOW).expect("within the rules");
        open_certificate(&sealed, &Roots::new([root.verifying_key()])).expect("believed")
    }

    fn days(days: i64) -> SignedDuration {
        SignedDuration::from_hours(24 * days)
    }

    #[test]
    fn a_certificate_is_due_at_half_life_and_a_month_before_its_end_at_the_latest() {
        let key = SigningKey::from_seed(&[2; 32]).key_id();
        let of = |certificate: &Certificate, at| standing(certificate, key, &[], at);
        let long = certificate(400);
        assert_eq!(of(&long, NOW + days(199)), Standing::Good);
        assert_eq!(of(&long, NOW + days(200)), Standing::Due);
        assert_eq!(of(&long, NOW + days(400)), Standing::NotValid);
        assert_eq!(of(&long, NOW - days(1)), Standing::NotValid);
        let short = certificate(40);
        assert_eq!(of(&short, NOW + days(9)), Standing::Good);
        assert_eq!(of(&short, NOW + days(10)), Standing::Due, "30 days are left");
        assert_eq!(standing(&long, key, &[key], NOW), Standing::Revoked);
    }

    #[test]
    fn either_root_renews_with_the_same_key_or_another_and_the_old_one_stays_valid() {
        let (active, spare) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[4; 32]));
        let roots = Roots::new([active.verifying_key(), spare.verifying_key()]);
        let old = certificate(100);
        let renewal = Renewal { serial: 8, new_key: None, days: 400, is_early: false };
        let early = renew(&active, &old, renewal, NOW + days(49)).expect_err("not due");
        assert_eq!(early[0].rule, "not-due");
        let now = NOW + days(51);
        let same = renew(&active, &old, renewal, now).expect("due");
        let same = open_certificate(&same, &roots).expect("believed");
        assert_eq!((same.region, &same.name), (old.region, &old.name));
        assert_eq!(same.public_key, old.public_key);
        let other = SigningKey::from_seed(&[5; 32]).verifying_key();
        let renewal = Renewal { new_key: Some(other), is_early: true, ..renewal };
        let next = renew(&spare, &old, renewal, NOW + days(1)).expect("early, by the spare");
        let next = open_certificate(&next, &roots).expect("believed");
        assert_eq!(next.public_key, other.to_bytes());
        let key = SigningKey::from_seed(&[2; 32]).key_id();
        assert_eq!(may_sign(&old, key, &[], now), Ok(()), "both count in the overlap");
        assert_eq!(may_sign(&same, key, &[], now), Ok(()));
    }

    #[test]
    fn lists_only_grow_and_their_numbers_rise() {
        let key = |n: u8| KeyId([n; 8]);
        let first = next_list(None, &[key(1)], NOW).expect("the first");
        assert_eq!((first.number, first.keys.len()), (1, 1));
        let second = next_list(Some(&first), &[key(2), key(1)], NOW).expect("the second");
        assert_eq!((second.number, &second.keys), (2, &vec![key(1), key(2)]));
        let nothing = next_list(Some(&second), &[key(2)], NOW).expect_err("nothing new");
        assert_eq!(nothing[0].rule, "nothing-new");
        let many: Vec<KeyId> =
            (0..=REVOCATIONS_MAX).map(|n| KeyId((n as u64).to_be_bytes())).collect();
        assert!(next_list(None, &many[1..], NOW).is_ok());
        assert_eq!(next_list(None, &many, NOW).expect_err("too many")[0].rule, "too-many");
        let last = RevocationList { number: u64::MAX, ..first };
        assert_eq!(next_list(Some(&last), &[key(9)], NOW).expect_err("no room")[0].rule, "number");
    }

    #[test]
    fn a_list_of_either_root_is_believed_and_of_nobody_else() {
        let roots = [1, 4].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let pinned = Roots::new(roots.iter().map(SigningKey::verifying_key));
        let list = next_list(None, &[KeyId([7; 8])], NOW).expect("a list");
        for root in &roots {
            let opened = protocols::trust::open_revocations(&seal_list(root, &list), &pinned);
            assert_eq!(opened, Ok(list.clone()));
        }
        let stranger = seal_list(&SigningKey::from_seed(&[6; 32]), &list);
        assert!(protocols::trust::open_revocations(&stranger, &pinned).is_err());
    }
}
