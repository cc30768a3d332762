"""Enrolment on site, and what it leaves on disk."""

import base64
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass

from . import cbor, cose, region, trust
from .limits import KEY_PROOF, Refused

CODE_PREFIX = "tongluo1:"
GRANT_BYTES_MAX = 65_536
CLAIM_TIMEOUT_S = 20
MICRO = 1_000_000


@dataclass(frozen=True)
class Identity:
    terminal: tuple
    position: tuple
    roots: tuple
    signer: cose.Signer
    certificate_expiry: int
    mqtt_url: str
    mqtt_password: str
    media_url: str


def _from_base64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _to_base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def enrol(code, folder):
    """Claim the code; nothing is kept unless the roots are those of the code."""
    if not code.startswith(CODE_PREFIX):
        raise SystemExit("not an enrolment code")
    content = cbor.decode(_from_base64(code[len(CODE_PREFIX) :]))
    fingerprints, url, secret = content[0], content[1], content[2]
    seed = os.urandom(32)
    signer = cose.Signer(seed)
    payload = cbor.encode({0: cose.digest(secret), 1: signer.public_key})
    proof = signer.seal(KEY_PROOF, payload)
    grant = _claim(url, {"secret": secret.hex(), "proof": _to_base64(proof)})
    check_grant(grant, fingerprints)
    _save(folder, {"seed": seed.hex(), "grant": grant})


def _claim(url, body):
    request = urllib.request.Request(
        f"{url.rstrip('/')}/api/v1/enrolments/claim",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=CLAIM_TIMEOUT_S) as response:
            return json.loads(response.read(GRANT_BYTES_MAX))
    except urllib.error.HTTPError as error:
        raise SystemExit(f"claim refused: {error.code} {error.read(4096).decode()}") from error


def check_grant(grant, fingerprints):
    roots = [bytes.fromhex(root) for root in grant["roots"]]
    if not roots or any(cose.digest(root) not in fingerprints for root in roots):
        raise SystemExit("the roots of the grant are not those of the code; nothing was kept")
    if trust.read_certificate(_from_base64(grant["certificate"]), roots) is None:
        raise SystemExit("no root of the code signed the certificate; nothing was kept")


def _save(folder, content):
    os.makedirs(folder, exist_ok=True)
    new, path = (os.path.join(folder, name) for name in ("identity.new", "identity.json"))
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, path)


def load(folder):
    with open(os.path.join(folder, "identity.json"), encoding="utf-8") as file:
        content = json.load(file)
    grant = content["grant"]
    roots = tuple(bytes.fromhex(root) for root in grant["roots"])
    certificate = trust.read_certificate(_from_base64(grant["certificate"]), roots)
    if certificate is None:
        raise Refused("unknown_signer", "the kept certificate")
    position = grant["position"]
    return Identity(
        terminal=region.parse_terminal(grant["terminal"]),
        position=position and tuple(round(position[axis] * MICRO) for axis in ("lat", "lon")),
        roots=roots,
        signer=cose.Signer(bytes.fromhex(content["seed"])),
        certificate_expiry=certificate.not_after,
        mqtt_url=grant["mqtt_url"],
        mqtt_password=grant["mqtt_password"],
        media_url=grant["media_url"],
    )
