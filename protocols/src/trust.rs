//! Who may be believed: pinned roots, certificates below them, revocations beside them.
//!
//! Pure checks of authenticity. What to do with a message that fails is decided by the engine of
//! the terminal and by the dispatcher's domain.

use jiff::Timestamp;

use crate::certificate::{Algorithm, Certificate, RevocationList};
use crate::limits;
use crate::receipt::Reason;
use crate::wire::{self, EnvelopeError, KeyId, MessageType, Sealed, VerifyingKey};

/// The two pinned roots: active and offline spare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots(Vec<VerifyingKey>);

impl Roots {
    /// These roots; more than two are cut.
    pub fn new(roots: impl IntoIterator<Item = VerifyingKey>) -> Self {
        Self(roots.into_iter().take(2).collect())
    }

    /// The keys.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.0
    }

    fn open<'s>(&self, sealed: &'s Sealed, kind: MessageType) -> Result<&'s [u8], TrustError> {
        let root = self.0.iter().find(|root| root.key_id() == sealed.key_id());
        Ok(sealed.verify(kind, root.ok_or(TrustError::UnknownSigner)?)?)
    }
}

/// Why somebody is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The envelope itself.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// No certificate came along, or no pinned root signed it.
    #[error("no pinned root vouches for the signer")]
    UnknownSigner,
    /// The certificate's content breaks a rule.
    #[error("the certificate is not well-formed: {0}")]
    BadCertificate(&'static str),
    /// Not valid at this time.
    #[error("the certificate is not valid now")]
    CertificateExpired,
    /// Revoked.
    #[error("the key was revoked")]
    KeyRevoked,
}

impl TrustError {
    /// What is wrong with a certificate's envelope says nothing of the message's own: nobody known
    /// vouches for the signer.
    const fn of_certificate(self) -> Self {
        match self {
            Self::Envelope(_) => Self::UnknownSigner,
            Self::UnknownSigner
            | Self::BadCertificate(_)
            | Self::CertificateExpired
            | Self::KeyRevoked => self,
        }
    }

    /// The reason as it stands in a receipt.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Envelope(EnvelopeError::Oversize(_)) => Reason::Oversize,
            Self::Envelope(EnvelopeError::Malformed(_)) => Reason::Malformed,
            Self::Envelope(EnvelopeError::BadSignature | EnvelopeError::OtherKey) => {
                Reason::BadSignature
            }
            Self::UnknownSigner | Self::BadCertificate(_) => Reason::UnknownSigner,
            Self::CertificateExpired => Reason::CertificateExpired,
            Self::KeyRevoked => Reason::KeyRevoked,
        }
    }
}

/// Opens a certificate and checks everything but time and revocation.
pub fn open_certificate(bytes: &[u8], roots: &Roots) -> Result<Certificate, TrustError> {
    let sealed = Sealed::parse(bytes, limits::ORDER_BYTES_MAX)?;
    let payload = roots.open(&sealed, MessageType::Certificate)?;
    let certificate: Certificate =
        wire::decode(payload).map_err(|_| TrustError::BadCertificate("not a certificate"))?;
    if certificate.algorithm != Algorithm::Ed25519 {
        return Err(TrustError::BadCertificate("the algorithm is not supported"));
    }
    if certificate.region.level() != certificate.level {
        return Err(TrustError::BadCertificate("the level is not the region's"));
    }
    if certificate.name.len() > limits::CERTIFICATE_NAME_BYTES_MAX {
        return Err(TrustError::BadCertificate("the name is longer than 128 bytes"));
    }
    let validity = certificate.not_after.duration_since(certificate.not_before);
    if validity.is_negative()
        || validity > jiff::SignedDuration::from_hours(24 * limits::CERTIFICATE_DAYS_MAX)
    {
        return Err(TrustError::BadCertificate("valid for more than 400 days, or less than none"));
    }
    Ok(certificate)
}

/// Opens a revocation list.
pub fn open_revocations(bytes: &[u8], roots: &Roots) -> Result<RevocationList, TrustError> {
    let sealed = Sealed::parse(bytes, limits::MESSAGE_BYTES_MAX)?;
    let payload = roots.open(&sealed, MessageType::RevocationList)?;
    let list: RevocationList =
        wire::decode(payload).map_err(|_| TrustError::BadCertificate("not a revocation list"))?;
    if list.keys.len() > limits::REVOCATIONS_MAX {
        return Err(TrustError::BadCertificate("too many revocations"));
    }
    Ok(list)
}

/// A message of a dispatcher whose signature, certificate and revocation were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentic<T> {
    /// What it says.
    pub message: T,
    /// Who says it.
    pub certificate: Certificate,
    /// With which key.
    pub key_id: KeyId,
}

/// Opens a message of a dispatcher: envelope, certificate that came along, validity at `now`,
/// revocation, signature, payload. `now` is `None` for a terminal that has no time yet; then
/// validity is not checked here.
pub fn open<T>(
    bytes: &[u8],
    bytes_max: usize,
    kind: MessageType,
    roots: &Roots,
    revoked: &[KeyId],
    now: Option<Timestamp>,
) -> Result<Authentic<T>, TrustError>
where
    T: for<'b> minicbor::Decode<'b, ()>,
{
    let sealed = Sealed::parse(bytes, bytes_max)?;
    let certificate = sealed.certificate().ok_or(TrustError::UnknownSigner)?;
    let certificate = open_certificate(certificate, roots).map_err(TrustError::of_certificate)?;
    let key = VerifyingKey::from_bytes(&certificate.public_key)
        .map_err(|error| TrustError::from(error).of_certificate())?;
    let payload = sealed.verify(kind, &key)?;
    if revoked.contains(&sealed.key_id()) {
        return Err(TrustError::KeyRevoked);
    }
    let is_valid = |now: Timestamp| certificate.not_before <= now && now < certificate.not_after;
    if now.is_some_and(|now| !is_valid(now)) {
        return Err(TrustError::CertificateExpired);
    }
    let message = wire::decode(payload)
        .map_err(|_| EnvelopeError::Malformed("the payload is not of its type"))?;
    Ok(Authentic { message, certificate, key_id: sealed.key_id() })
}
