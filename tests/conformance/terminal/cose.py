"""The envelope: COSE_Sign1, untagged, with Ed25519 verified strictly."""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from . import cbor
from .limits import PROTOCOL_VERSION, SIZE_OF_TYPE, Refused

ALGORITHM, CRITICAL, KEY_ID = 1, 2, 4
EDDSA = -8
CERTIFICATE_HEADER, STREAM_HEADER = -70_001, -70_002

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD = 2**255 - 19
# y of the points whose order divides 8, in every encoding, without the sign bit.
SMALL_ORDER_Y = {
    0,
    1,
    FIELD - 1,
    FIELD,
    FIELD + 1,
    int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    ),
    int.from_bytes(
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
    ),
}


def digest(data):
    return hashlib.sha256(data).digest()


def key_id(public_key):
    return digest(public_key)[:8]


@dataclass(frozen=True)
class Envelope:
    """The four parts, and what the headers say."""

    sealed: bytes
    protected: bytes
    key_id: bytes
    certificate: bytes
    stream: tuple
    payload: bytes
    signature: bytes

    @property
    def name(self):
        return digest(self.sealed)


def read(sealed, message_type):
    """Take an envelope apart; nothing of it is believed yet."""
    if len(sealed) > SIZE_OF_TYPE[message_type]:
        raise Refused("oversize", f"{len(sealed)} bytes")
    parts = cbor.decode(sealed)
    if not isinstance(parts, list) or len(parts) != 4:
        raise Refused("malformed", "not an array of four")
    protected, unprotected, payload, signature = parts
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise Refused("malformed", "a part is not a byte string")
    if not isinstance(unprotected, dict) or len(signature) != 64:
        raise Refused("malformed", "not COSE_Sign1")
    header = cbor.decode(protected)
    if not isinstance(header, dict) or header.get(ALGORITHM) != EDDSA or CRITICAL in header:
        raise Refused("malformed", "another algorithm, or a critical header")
    signer = header.get(KEY_ID)
    if not isinstance(signer, bytes) or len(signer) != 8:
        raise Refused("malformed", "no key id of 8 bytes")
    certificate = unprotected.get(CERTIFICATE_HEADER)
    if certificate is not None and not isinstance(certificate, bytes):
        raise Refused("malformed", "the certificate is not a byte string")
    return Envelope(
        sealed, protected, signer, certificate, _stream(unprotected), payload, signature
    )


def _stream(unprotected):
    raw = unprotected.get(STREAM_HEADER)
    if raw is None:
        return None
    stream = cbor.decode(raw) if isinstance(raw, bytes) else None
    if not isinstance(stream, list) or len(stream) != 2:
        raise Refused("malformed", "the stream is not an array of two")
    if not all(type(region) is int for region in stream):
        raise Refused("malformed", "the stream is not two region codes")
    return tuple(stream)


def signed_bytes(protected, message_type, stream, payload):
    aad = external_aad(message_type, stream)
    return cbor.encode(["Signature1", protected, aad, payload])


def external_aad(message_type, stream):
    return cbor.encode([PROTOCOL_VERSION, message_type, list(stream) if stream else None])


def is_small_order(point):
    return int.from_bytes(point, "little") & (2**255 - 1) in SMALL_ORDER_Y


def verify(envelope, message_type, public_key):
    """Whether this key signed these bytes as this type, strictly."""
    if len(public_key) != 32 or is_small_order(public_key):
        return False
    point, scalar = envelope.signature[:32], envelope.signature[32:]
    if is_small_order(point) or int.from_bytes(scalar, "little") >= GROUP_ORDER:
        return False
    signed = signed_bytes(envelope.protected, message_type, envelope.stream, envelope.payload)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(envelope.signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


class Signer:
    """A private key that seals."""

    def __init__(self, seed):
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self.key_id = key_id(self.public_key)

    def seal(self, message_type, payload, stream=None, certificate=None):
        protected = cbor.encode({ALGORITHM: EDDSA, KEY_ID: self.key_id})
        unprotected = {}
        if certificate is not None:
            unprotected[CERTIFICATE_HEADER] = certificate
        if stream is not None:
            unprotected[STREAM_HEADER] = cbor.encode(list(stream))
        signature = self._key.sign(signed_bytes(protected, message_type, stream, payload))
        sealed = cbor.encode([protected, unprotected, payload, signature])
        assert len(sealed) <= SIZE_OF_TYPE[message_type], "a message larger than its type may be"
        return sealed
