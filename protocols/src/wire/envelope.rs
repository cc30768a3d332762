//! The envelope: COSE_Sign1 (RFC 9052) with Ed25519, where the *type* of the message and its
//! *stream* are inside what is signed, so that one kind can't be read as another.
//!
//! Protected header: algorithm (1), key id (4). Unprotected header: certificate of the signer
//! (−70001, the sealed [`crate::certificate::Certificate`]), stream (−70002, as in the payload).
//! `external_aad` = CBOR `[PROTOCOL_VERSION, type, stream or null]`. The receiver takes the type
//! from the topic on which the bytes arrived; the stream in the header only helps it to rebuild
//! the `external_aad` and must equal the payload's.

use std::fmt;

use coset::iana;
use coset::{CborSerializable as _, CoseSign1, CoseSign1Builder, HeaderBuilder, Label};
use ed25519_dalek::Signer as _;

use crate::digest::Digest;
use crate::order::Stream;

/// Version of this protocol. A terminal refuses any other.
pub const PROTOCOL_VERSION: u8 = 1;

const LABEL_CERTIFICATE: i64 = -70_001;
const LABEL_STREAM: i64 = -70_002;

/// What the payload is. Part of what is signed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode,
)]
#[cbor(index_only)]
pub enum MessageType {
    /// [`crate::order::Order`]
    #[n(1)]
    Order,
    /// [`crate::command::Command`]
    #[n(2)]
    Command,
    /// [`crate::receipt::ReceiptBatch`]
    #[n(3)]
    Receipts,
    /// [`crate::receipt::ReceiptAck`]
    #[n(4)]
    ReceiptAck,
    /// [`crate::hello::Hello`]
    #[n(5)]
    Hello,
    /// [`crate::hello::HelloReply`]
    #[n(6)]
    HelloReply,
    /// [`crate::vitals::Vitals`]
    #[n(7)]
    Vitals,
    /// [`crate::certificate::Certificate`]
    #[n(8)]
    Certificate,
    /// [`crate::certificate::RevocationList`]
    #[n(9)]
    RevocationList,
    /// [`crate::hazard::PhraseSet`]
    #[n(10)]
    PhraseSet,
    /// [`crate::enrolment::KeyProof`]
    #[n(11)]
    KeyProof,
    /// [`crate::audit::AuditHead`]
    #[n(12)]
    AuditHead,
}

/// Names a public key: the first 8 bytes of its SHA-256; 16 hex digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct KeyId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A private key. Its bytes are wiped when it is dropped; `Debug` shows the key id alone.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key with this 32-byte seed (fresh random bytes for a new one).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Its public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// Its name.
    pub fn key_id(&self) -> KeyId {
        self.verifying_key().key_id()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.key_id())
    }
}

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// The key of these bytes; an error when they are not 32 bytes of a point on the curve.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let bytes =
            bytes.try_into().map_err(|_| EnvelopeError::Malformed("a public key has 32 bytes"))?;
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| EnvelopeError::Malformed("not a point on the curve"))
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Its name.
    pub fn key_id(&self) -> KeyId {
        let Digest(digest) = Digest::of(&self.to_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        KeyId(id)
    }
}

/// Why an envelope was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Larger than the limit given.
    #[error("larger than {0} bytes")]
    Oversize(usize),
    /// Not a COSE_Sign1 of ours.
    #[error("not an envelope: {0}")]
    Malformed(&'static str),
    /// The signature does not fit key, bytes, type and stream.
    #[error("the signature does not fit the bytes, the type or the stream")]
    BadSignature,
    /// The key id in the header is another key's.
    #[error("signed by another key")]
    OtherKey,
}

/// Signs `payload` as a message of type `kind`. `certificate` (a sealed certificate) travels with
/// it unprotected: it proves itself.
pub fn seal(
    kind: MessageType,
    stream: Option<Stream>,
    payload: Vec<u8>,
    key: &SigningKey,
    certificate: Option<&[u8]>,
) -> Vec<u8> {
    let protected = HeaderBuilder::new()
        .algorithm(iana::Algorithm::EdDSA)
        .key_id(key.key_id().0.to_vec())
        .build();
    let mut unprotected = HeaderBuilder::new();
    if let Some(certificate) = certificate {
        unprotected = unprotected.value(LABEL_CERTIFICATE, certificate.to_vec().into());
    }
    if let Some(stream) = stream {
        unprotected = unprotected.value(LABEL_STREAM, super::encode(&stream).into());
    }
    CoseSign1Builder::new()
        .protected(protected)
        .unprotected(unprotected.build())
        .payload(payload)
        .create_signature(&external_aad(kind, stream), |bytes| {
            key.0.sign(bytes).to_bytes().to_vec()
        })
        .build()
        .to_vec()
        .expect("a COSE_Sign1 of bytes and integers always encodes")
}

fn external_aad(kind: MessageType, stream: Option<Stream>) -> Vec<u8> {
    super::encode(&(PROTOCOL_VERSION, kind, stream))
}

/// An envelope whose signature is *not yet* checked. Only [`Sealed::verify`] gives the payload.
#[derive(Debug)]
pub struct Sealed {
    cose: CoseSign1,
    key_id: KeyId,
    stream: Option<Stream>,
}

impl Sealed {
    /// Reads an envelope of at most `bytes_max` bytes.
    pub fn parse(bytes: &[u8], bytes_max: usize) -> Result<Self, EnvelopeError> {
        if bytes.len() > bytes_max {
            return Err(EnvelopeError::Oversize(bytes_max));
        }
        let cose = CoseSign1::from_slice(bytes)
            .map_err(|_| EnvelopeError::Malformed("not a COSE_Sign1"))?;
        let header = &cose.protected.header;
        let ed25519 = coset::RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA);
        if header.alg.as_ref() != Some(&ed25519) {
            return Err(EnvelopeError::Malformed("the algorithm is not EdDSA"));
        }
        if !header.crit.is_empty() {
            return Err(EnvelopeError::Malformed("a critical header is not understood"));
        }
        let id = header.key_id.as_slice().try_into();
        let key_id = KeyId(id.map_err(|_| EnvelopeError::Malformed("a key id has 8 bytes"))?);
        let stream = match unprotected(&cose, LABEL_STREAM) {
            None => None,
            Some(bytes) => Some(
                super::decode(bytes)
                    .map_err(|_| EnvelopeError::Malformed("the stream is not one"))?,
            ),
        };
        Ok(Self { cose, key_id, stream })
    }

    /// Who claims to have signed it.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The stream it claims; proven by [`Sealed::verify`].
    pub fn stream(&self) -> Option<Stream> {
        self.stream
    }

    /// The sealed certificate that came along, if any; it proves itself.
    pub fn certificate(&self) -> Option<&[u8]> {
        unprotected(&self.cose, LABEL_CERTIFICATE)
    }

    /// The payload before anything is checked: for a message that brings the key it is to be
    /// checked with.
    pub(crate) fn claimed_payload(&self) -> Option<&[u8]> {
        self.cose.payload.as_deref()
    }

    /// The payload, if `key` signed exactly this as a message of type `kind`.
    pub fn verify(&self, kind: MessageType, key: &VerifyingKey) -> Result<&[u8], EnvelopeError> {
        if key.key_id() != self.key_id {
            return Err(EnvelopeError::OtherKey);
        }
        let aad = external_aad(kind, self.stream);
        self.cose.verify_signature(&aad, |signature, bytes| {
            let signature = ed25519_dalek::Signature::from_slice(signature)
                .map_err(|_| EnvelopeError::BadSignature)?;
            key.0.verify_strict(bytes, &signature).map_err(|_| EnvelopeError::BadSignature)
        })?;
        self.cose.payload.as_deref().ok_or(EnvelopeError::Malformed("no payload"))
    }
}

fn unprotected(cose: &CoseSign1, label: i64) -> Option<&[u8]> {
    let wanted = Label::Int(label);
    let (_, value) = cose.unprotected.rest.iter().find(|(label, _)| *label == wanted)?;
    value.as_bytes().map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use coset::iana::EnumI64 as _;

    use super::*;

    #[test]
    fn eddsa_is_minus_eight_as_the_wire_document_says() {
        assert_eq!(iana::Algorithm::EdDSA.to_i64(), -8);
    }

    #[test]
    fn one_type_is_never_read_as_another() {
        let key = SigningKey::from_seed(&[7; 32]);
        let bytes = seal(MessageType::Hello, None, b"x".to_vec(), &key, None);
        let sealed = Sealed::parse(&bytes, 4096).expect("well-formed");
        assert_eq!(sealed.verify(MessageType::Hello, &key.verifying_key()), Ok(&b"x"[..]));
        assert_eq!(
            sealed.verify(MessageType::Vitals, &key.verifying_key()),
            Err(EnvelopeError::BadSignature)
        );
    }
}
