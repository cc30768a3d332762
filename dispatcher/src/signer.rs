//! Key, certificate and pinned roots of this dispatcher, as the serving program holds them: a
//! renewed certificate takes the place of the old one while it serves, and a revoked key signs
//! nothing any more.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use jiff::Timestamp;
use protocols::certificate::{Certificate, RevocationList};
use protocols::order::Stream;
use protocols::region::RegionCode;
use protocols::trust::{self, Roots};
use protocols::wire::{self, KeyId, MessageType, SigningKey, VerifyingKey};

use crate::config::trust::TrustConfig;
use crate::domain::keys::{self, CannotSign, Standing};

/// A key with the certificate under which it speaks.
#[derive(Debug)]
struct Credential {
    key: SigningKey,
    sealed_certificate: Vec<u8>,
    certificate: Certificate,
}

/// What the newest revocation list says, as far as this program knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revoked {
    /// Its number; 0 for none.
    pub number: u64,
    /// The keys on it.
    pub keys: Vec<KeyId>,
}

/// Key, certificate and pinned roots of this dispatcher.
#[derive(Debug)]
pub struct Signer {
    roots: Roots,
    region: RegionCode,
    credential: RwLock<Arc<Credential>>,
    revoked: RwLock<Arc<Revoked>>,
}

/// Why a renewed certificate is not taken up.
#[derive(Debug, thiserror::Error)]
pub enum NotRenewed {
    /// The files are not usable, or not yet both of them in place.
    #[error("{0:#}")]
    Files(anyhow::Error),
    /// It speaks for another region: that is another dispatcher, which is started anew.
    #[error("the certificate is for {found}, this dispatcher serves {serves}")]
    OtherRegion {
        /// The new one's.
        found: RegionCode,
        /// The one that is served.
        serves: RegionCode,
    },
    /// It may not sign now.
    #[error(transparent)]
    Unusable(#[from] CannotSign),
}

impl Signer {
    /// Puts them together; an error when the certificate is not one of the roots' or is for
    /// another key. Whether it is valid *now* is asked by the caller ([`Signer::standing`]).
    pub fn new(key: SigningKey, sealed_certificate: Vec<u8>, roots: Roots) -> anyhow::Result<Self> {
        let credential = Credential::new(key, sealed_certificate, &roots)?;
        let region = credential.certificate.region;
        let credential = RwLock::new(Arc::new(credential));
        Ok(Self { roots, region, credential, revoked: RwLock::default() })
    }

    /// Reads the three files that the configuration names.
    pub fn load(config: &TrustConfig) -> anyhow::Result<Self> {
        let (key, certificate) = read_credential(config)?;
        Self::new(key, certificate, read_roots(&config.roots_file)?)
    }

    /// Takes up another key and certificate from the files, if they are other ones than those in
    /// use. Streams go on: they are numbered by region, not by key.
    pub fn renew(&self, config: &TrustConfig, now: Timestamp) -> Result<bool, NotRenewed> {
        let (key, certificate) = read_credential(config).map_err(NotRenewed::Files)?;
        let old = self.credential();
        if certificate == old.sealed_certificate && key.key_id() == old.key.key_id() {
            return Ok(false);
        }
        let new = Credential::new(key, certificate, &self.roots).map_err(NotRenewed::Files)?;
        if new.certificate.region != self.region {
            let found = new.certificate.region;
            return Err(NotRenewed::OtherRegion { found, serves: self.region });
        }
        keys::may_sign(&new.certificate, new.key.key_id(), &self.revoked().keys, now)?;
        *self.credential.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(true)
    }

    /// Takes a revocation list in; `false` when it is not newer than the one that is known.
    pub fn revoke(&self, list: RevocationList) -> bool {
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        if list.number <= revoked.number {
            return false;
        }
        *revoked = Arc::new(Revoked { number: list.number, keys: list.keys });
        true
    }

    /// The newest revocation list that this program knows.
    pub fn revoked(&self) -> Arc<Revoked> {
        Arc::clone(&self.revoked.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seals `payload` under the certificate, which is attached.
    pub fn seal(
        &self,
        now: Timestamp,
        kind: MessageType,
        stream: Option<Stream>,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, CannotSign> {
        let own = self.credential();
        keys::may_sign(&own.certificate, own.key.key_id(), &self.revoked().keys, now)?;
        Ok(wire::seal(kind, stream, payload, &own.key, Some(&own.sealed_certificate)))
    }

    /// How many bytes [`Signer::seal`] would make of this; nothing signed leaves.
    pub fn sealed_bytes(
        &self,
        kind: MessageType,
        stream: Option<Stream>,
        payload: Vec<u8>,
    ) -> usize {
        let own = self.credential();
        wire::seal(kind, stream, payload, &own.key, Some(&own.sealed_certificate)).len()
    }

    /// How key and certificate stand.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let own = self.credential();
        keys::standing(&own.certificate, own.key.key_id(), &self.revoked().keys, now)
    }

    /// The region it may speak for.
    pub fn region(&self) -> RegionCode {
        self.region
    }

    /// The name of the key in use.
    pub fn key_id(&self) -> KeyId {
        self.credential().key.key_id()
    }

    /// The certificate as content.
    pub fn certificate(&self) -> Certificate {
        self.credential().certificate.clone()
    }

    /// The certificate as bytes: what a terminal is given on enrolment.
    pub fn sealed_certificate(&self) -> Vec<u8> {
        self.credential().sealed_certificate.clone()
    }

    /// The roots: what a terminal pins.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The end of the certificate's validity.
    pub fn expires(&self) -> Timestamp {
        self.credential().certificate.not_after
    }

    fn credential(&self) -> Arc<Credential> {
        Arc::clone(&self.credential.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Credential {
    fn new(key: SigningKey, sealed_certificate: Vec<u8>, roots: &Roots) -> anyhow::Result<Self> {
        let certificate = trust::open_certificate(&sealed_certificate, roots)
            .context("the certificate is not believed")?;
        let is_own = certificate.public_key == key.verifying_key().to_bytes();
        anyhow::ensure!(is_own, "the certificate is for another key");
        Ok(Self { key, sealed_certificate, certificate })
    }
}

fn read_credential(config: &TrustConfig) -> anyhow::Result<(SigningKey, Vec<u8>)> {
    let key = read_key(&config.key_file)?;
    let certificate = std::fs::read(&config.certificate_file).with_context(|| {
        format!(
            "read trust.certificate_file {}: `dispatcher key delegate` makes it",
            config.certificate_file.display()
        )
    })?;
    Ok((key, certificate))
}

/// A private key file: 64 hex digits of the seed.
pub fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("read trust.key_file {}: `dispatcher key delegate` makes it", path.display())
    })?;
    let mut seed = zeroize::Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(zeroize::Zeroizing::new(text).trim(), seed.as_mut_slice())
        .with_context(|| format!("{} is not 64 hexadecimal digits", path.display()))?;
    Ok(SigningKey::from_seed(&seed))
}

/// The file of pinned roots: one public key a line (64 hex digits), one or two lines; `#` begins a
/// remark.
pub fn read_roots(path: &Path) -> anyhow::Result<Roots> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("read trust.roots_file {}: `dispatcher key root` makes it", path.display())
    })?;
    let mut roots = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let bytes = hex::decode(line)
            .with_context(|| format!("{}: a root is 64 hexadecimal digits", path.display()))?;
        roots.push(VerifyingKey::from_bytes(&bytes)?);
    }
    anyhow::ensure!((1..=2).contains(&roots.len()), "{}: one or two roots", path.display());
    Ok(Roots::new(roots))
}

/// The mode bits of a private file by which others than its owner may use it; `None` when there
/// are none, or the file can't be looked at.
pub fn open_to_others(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::keys::{Delegation, delegate};

    const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);

    struct Files {
        config: TrustConfig,
        folder: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let path = |name: &str| folder.path().join(name);
            let config = TrustConfig {
                key_file: path("key"),
                certificate_file: path("cert"),
                roots_file: path("roots"),
            };
            let roots = [1, 9].map(|seed| {
                hex::encode(SigningKey::from_seed(&[seed; 32]).verifying_key().to_bytes()) + "\n"
            });
            std::fs::write(&config.roots_file, roots.concat()).expect("written");
            Self { config, folder }
        }

        fn put_key(&self, seed: u8) {
            std::fs::write(&self.config.key_file, hex::encode([seed; 32])).expect("written");
        }

        fn put_certificate(&self, root: u8, key: u8, region: &str, at: Timestamp) {
            let delegation = Delegation {
                serial: u64::from(key),
                public_key: SigningKey::from_seed(&[key; 32]).verifying_key(),
                region: region.parse().expect("a code"),
                name: "test".to_owned(),
                days: 10,
            };
            let root = SigningKey::from_seed(&[root; 32]);
            let sealed = delegate(&root, &delegation, at).expect("within the rules");
            std::fs::write(&self.config.certificate_file, sealed).expect("written");
        }
    }

    fn seal(signer: &Signer, now: Timestamp) -> Result<Vec<u8>, CannotSign> {
        signer.seal(now, MessageType::ReceiptAck, None, vec![0])
    }

    #[test]
    fn a_renewed_certificate_of_either_root_is_taken_up_and_a_half_placed_one_waits() {
        let files = Files::new();
        files.put_key(2);
        files.put_certificate(1, 2, "350200000000", NOW);
        let signer = Signer::load(&files.config).expect("usable");
        assert!(!signer.renew(&files.config, NOW).expect("the same files"));
        let later = NOW + SignedDuration::from_hours(24 * 6);
        files.put_certificate(9, 3, "350200000000", later);
        let half = signer.renew(&files.config, later);
        assert!(matches!(half, Err(NotRenewed::Files(_))), "a certificate without its key");
        assert_eq!(signer.key_id(), SigningKey::from_seed(&[2; 32]).key_id());
        files.put_key(3);
        assert!(signer.renew(&files.config, later).expect("both are in place"));
        assert_eq!(signer.key_id(), SigningKey::from_seed(&[3; 32]).key_id());
        assert!(seal(&signer, NOW + SignedDuration::from_hours(24 * 11)).is_ok());
        drop(files.folder);
    }

    #[test]
    fn a_certificate_of_another_region_a_stranger_or_the_past_is_not_taken_up() {
        let files = Files::new();
        files.put_key(2);
        files.put_certificate(1, 2, "350200000000", NOW);
        let signer = Signer::load(&files.config).expect("usable");
        files.put_certificate(1, 2, "350212000000", NOW);
        let other = signer.renew(&files.config, NOW);
        assert!(matches!(other, Err(NotRenewed::OtherRegion { .. })));
        files.put_certificate(7, 2, "350200000000", NOW + SignedDuration::from_hours(1));
        assert!(matches!(signer.renew(&files.config, NOW), Err(NotRenewed::Files(_))));
        files.put_certificate(1, 2, "350200000000", NOW - SignedDuration::from_hours(24 * 20));
        assert!(matches!(signer.renew(&files.config, NOW), Err(NotRenewed::Unusable(_))));
        assert!(seal(&signer, NOW).is_ok(), "the one in use stays");
    }

    #[test]
    fn a_revoked_key_signs_nothing_and_an_older_list_does_not_bring_it_back() {
        let files = Files::new();
        files.put_key(2);
        files.put_certificate(1, 2, "350200000000", NOW);
        let signer = Signer::load(&files.config).expect("usable");
        let list = |number, keys| RevocationList { number, at: NOW, keys };
        assert!(signer.revoke(list(5, vec![signer.key_id()])));
        assert_eq!(seal(&signer, NOW), Err(CannotSign::KeyRevoked(signer.key_id())));
        assert!(!signer.revoke(list(5, Vec::new())) && !signer.revoke(list(4, Vec::new())));
        assert_eq!(signer.standing(NOW), Standing::Revoked);
        assert!(seal(&signer, NOW).is_err());
        // A new key under a new certificate brings it back.
        files.put_key(3);
        files.put_certificate(1, 3, "350200000000", NOW);
        assert!(signer.renew(&files.config, NOW).expect("taken up"));
        assert!(seal(&signer, NOW).is_ok());
    }
}
