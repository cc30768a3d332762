"""Who may be believed: roots, certificates, revocation, and the order of the checks."""

from dataclasses import dataclass

from . import cbor, cose, region
from .fields import Fields
from .limits import (
    CERTIFICATE,
    CERTIFICATE_NAME_BYTES_MAX,
    CERTIFICATE_SPAN_MAX,
    REVOCATION_LIST,
    REVOCATIONS_MAX,
    Refused,
)


@dataclass(frozen=True)
class Certificate:
    public_key: bytes
    region: int
    level: int
    not_before: int
    not_after: int


@dataclass(frozen=True)
class Opened:
    """A payload whose signer is known; its type is not read yet."""

    name: bytes
    key_id: bytes
    certificate: Certificate
    stream: tuple
    payload: object


def read_certificate(sealed, roots):
    """The content of a certificate that a pinned root signed, or None."""
    try:
        envelope = cose.read(sealed, CERTIFICATE)
        if not _signed_by_root(envelope, CERTIFICATE, roots):
            return None
        fields = Fields(cbor.decode(envelope.payload))
        fields.unsigned(0)
        certificate = Certificate(
            public_key=fields.bytes(1, 32),
            region=fields.region(3),
            level=fields.unsigned(4),
            not_before=fields.instant(5),
            not_after=fields.instant(6),
        )
        algorithm, name = fields.unsigned(2), fields.text(7)
    except Refused:
        return None
    span = certificate.not_after - certificate.not_before
    right = (
        algorithm == 0
        and certificate.level == region.level(certificate.region)
        and 0 <= span <= CERTIFICATE_SPAN_MAX
        and len(name.encode()) <= CERTIFICATE_NAME_BYTES_MAX
    )
    return certificate if right else None


def _signed_by_root(envelope, message_type, roots):
    return any(
        cose.key_id(root) == envelope.key_id and cose.verify(envelope, message_type, root)
        for root in roots
    )


def open_message(sealed, message_type, roots, revoked, now):
    """The six checks of a dispatcher's message; `now` is None while the clock waits."""
    envelope = cose.read(sealed, message_type)
    certificate = read_certificate(envelope.certificate, roots) if envelope.certificate else None
    if certificate is None:
        raise Refused("unknown_signer")
    if cose.key_id(certificate.public_key) != envelope.key_id:
        raise Refused("bad_signature", "another key than the certificate's")
    if not cose.verify(envelope, message_type, certificate.public_key):
        raise Refused("bad_signature")
    if envelope.key_id in revoked:
        raise Refused("key_revoked")
    if now is not None and not certificate.not_before <= now < certificate.not_after:
        raise Refused("certificate_expired")
    return Opened(
        envelope.name, envelope.key_id, certificate, envelope.stream, cbor.decode(envelope.payload)
    )


def open_revocations(sealed, roots):
    """(number, instant, key ids) of a list that a pinned root signed."""
    envelope = cose.read(sealed, REVOCATION_LIST)
    if not any(cose.key_id(root) == envelope.key_id for root in roots):
        raise Refused("unknown_signer")
    if not _signed_by_root(envelope, REVOCATION_LIST, roots):
        raise Refused("bad_signature")
    try:
        return _read_revocations(Fields(cbor.decode(envelope.payload)))
    except Refused as refused:
        raise Refused("unknown_signer", "not a revocation list") from refused


def _read_revocations(fields):
    keys = fields.array(2)
    if len(keys) > REVOCATIONS_MAX:
        raise Refused("invalid", "too many keys")
    if not all(isinstance(key, bytes) and len(key) == 8 for key in keys):
        raise Refused("malformed", "a key id that is none")
    return fields.unsigned(0), fields.instant(1), keys
