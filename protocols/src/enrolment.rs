//! How a terminal joins: a code typed or scanned on site, a claim over HTTP, a grant in answer.
//!
//! The code carries what the terminal must pin *before* it talks to anybody: the fingerprints of
//! the roots. The terminal makes its key itself and proves that it holds it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::area::Position;
use crate::digest::Digest;
use crate::limits;
use crate::terminal::TerminalId;
use crate::wire::{self, EnvelopeError, MessageType, Sealed, SigningKey, VerifyingKey};

/// Hours an enrolment code is good for, once.
pub const ENROLMENT_CODE_HOURS: i64 = 24;

/// What the code on paper says. Text form: `tongluo1:` and URL-safe base64 of the CBOR.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct EnrolmentCode {
    /// SHA-256 of each root's public key: the active one and the spare.
    #[n(0)]
    pub root_fingerprints: Vec<Digest>,
    /// Base URL of the dispatcher's HTTP, such as `http://10.0.0.5:8080`.
    #[n(1)]
    pub url: String,
    /// 80 random bits, valid [`ENROLMENT_CODE_HOURS`], once.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub secret: [u8; 10],
}

/// A text is not an enrolment code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an enrolment code")]
pub struct ParseCodeError;

impl EnrolmentCode {
    const PREFIX: &'static str = "tongluo1:";

    /// The text on paper or in the QR code.
    pub fn to_text(&self) -> String {
        format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode(wire::encode(self)))
    }

    /// Reads the text; white space around it is ignored.
    pub fn from_text(text: &str) -> Result<Self, ParseCodeError> {
        let body = text.trim().strip_prefix(Self::PREFIX).ok_or(ParseCodeError)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| ParseCodeError)?;
        wire::decode(&bytes).map_err(|_| ParseCodeError)
    }
}

/// What the terminal signs with its new key (type [`crate::wire::MessageType::KeyProof`], no
/// certificate) to prove that it holds it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct KeyProof {
    /// SHA-256 of the code's secret.
    #[n(0)]
    pub secret_digest: Digest,
    /// The public key, 32 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public_key: Vec<u8>,
}

impl KeyProof {
    /// The proof for this code's secret, sealed by the key that it names.
    pub fn seal(secret: &[u8; 10], key: &SigningKey) -> Vec<u8> {
        let public_key = key.verifying_key().to_bytes().to_vec();
        let proof = Self { secret_digest: Digest::of(secret), public_key };
        wire::seal(MessageType::KeyProof, None, wire::encode(&proof), key, None)
    }

    /// Opens a proof: whoever sealed it holds the key that it names.
    pub fn open(bytes: &[u8]) -> Result<(Self, VerifyingKey), EnvelopeError> {
        let sealed = Sealed::parse(bytes, limits::ORDER_BYTES_MAX)?;
        let claimed = sealed.claimed_payload().ok_or(EnvelopeError::Malformed("no payload"))?;
        let proof: Self =
            wire::decode(claimed).map_err(|_| EnvelopeError::Malformed("not a key proof"))?;
        let key = VerifyingKey::from_bytes(&proof.public_key)?;
        sealed.verify(MessageType::KeyProof, &key)?;
        Ok((proof, key))
    }
}

/// `POST /api/v1/enrolments/claim`, request (JSON).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentClaim {
    /// The code's secret, 20 hex digits.
    pub secret: String,
    /// The sealed [`KeyProof`], URL-safe base64 without padding.
    pub proof: String,
}

/// `POST /api/v1/enrolments/claim`, answer (JSON).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EnrolmentGrant {
    /// Who the terminal is from now on; also its MQTT client id and user name.
    pub terminal: TerminalId,
    /// Where it stands.
    pub position: Option<GrantedPosition>,
    /// Public keys of the roots, 64 hex digits each. The terminal checks them against the code.
    pub roots: Vec<String>,
    /// The dispatcher's sealed certificate, URL-safe base64 without padding.
    pub certificate: String,
    /// MQTT broker, such as `mqtt://10.0.0.5:1883`.
    pub mqtt_url: String,
    /// MQTT password. Only its hash is kept by the dispatcher.
    pub mqtt_password: String,
    /// Base URL for clips and phrases.
    pub media_url: String,
}

/// An enrolled position in degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GrantedPosition {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lon: f64,
}

impl From<Position> for GrantedPosition {
    fn from(position: Position) -> Self {
        Self { lat: position.lat(), lon: position.lon() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_opens_for_the_key_that_made_it_and_for_no_other() {
        let key = SigningKey::from_seed(&[5; 32]);
        let bytes = KeyProof::seal(b"0123456789", &key);
        let (proof, opened) = KeyProof::open(&bytes).expect("its own key");
        assert_eq!(opened, key.verifying_key());
        assert_eq!(proof.secret_digest, Digest::of(b"0123456789"));
        let named = KeyProof {
            secret_digest: proof.secret_digest,
            public_key: SigningKey::from_seed(&[6; 32]).verifying_key().to_bytes().to_vec(),
        };
        let forged = wire::seal(MessageType::KeyProof, None, wire::encode(&named), &key, None);
        assert_eq!(KeyProof::open(&forged), Err(EnvelopeError::OtherKey));
    }

    #[test]
    fn a_code_survives_its_text_and_white_space_around_it() {
        let code = EnrolmentCode {
            root_fingerprints: vec![Digest::of(b"a"), Digest::of(b"b")],
            url: "http://10.0.0.5:8480".to_owned(),
            secret: *b"0123456789",
        };
        let text = format!(" {}\n", code.to_text());
        assert_eq!(EnrolmentCode::from_text(&text), Ok(code));
        assert_eq!(EnrolmentCode::from_text("tongluo2:AAAA"), Err(ParseCodeError));
    }
}
