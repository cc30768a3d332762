"""Check every golden vector: `python3 check_vectors.py FOLDER` prints one line each.

Exit 0 when this reading of the page agrees with all of them, 1 otherwise.
"""

import datetime
import json
import pathlib
import sys
from types import SimpleNamespace

from terminal import acceptance, cbor, commands, cose, limits, messages, orders, state, trust
from terminal.fields import Fields
from terminal.limits import SECOND, Refused

TERMINAL = (350212103201, 7)


def main(folder):
    vectors = pathlib.Path(folder)
    keys = read(vectors / "keys.json")
    root = bytes.fromhex(key(keys, "root")["public_key"])
    judged_at = datetime.datetime.fromisoformat(keys["judged_at"].replace("Z", "+00:00"))
    now = int(judged_at.timestamp()) * SECOND
    faults = check_keys(keys)
    checked = 0
    for path in sorted(vectors.glob("*.json")):
        vector = read(path)
        if "message" in vector:
            checked += 1
            faults += [f"{path.name}: {fault}" for fault in check_message(vector, root, now)]
    judged = read(vectors / "orders_judged.json")
    for case in judged["cases"]:
        checked += 1
        verdict = judge(case, root, now)
        if verdict != case["expected"]:
            faults.append(f"{case['name']}: {verdict}, expected {case['expected']}")
    for fault in faults:
        print(fault)
    print(f"{checked} vectors checked, {len(faults)} faults")
    return 1 if faults or not checked else 0


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def key(keys, name):
    return next(each for each in keys["keys"] if each["name"] == name)


def check_keys(keys):
    faults = []
    for each in keys["keys"]:
        signer = cose.Signer(bytes.fromhex(each["seed"]))
        if signer.public_key.hex() != each["public_key"] or signer.key_id.hex() != each["key_id"]:
            faults.append(f"keys.json: {each['name']}")
    return faults


def check_message(vector, root, now):
    """Take apart, read, and seal again from the seed."""
    message_type, sealed = vector["type"], bytes.fromhex(vector["sealed"])
    stream = vector["stream"] and tuple(vector["stream"])
    envelope = cose.read(sealed, message_type)
    signer = cose.Signer(bytes.fromhex(vector["signer_seed"]))
    facts = (
        (envelope.payload.hex(), vector["payload"], "payload"),
        (envelope.name.hex(), vector["sealed_sha256"], "name"),
        (envelope.key_id.hex(), vector["signer_key_id"], "key id"),
        (envelope.stream, stream, "stream"),
        (cose.external_aad(message_type, stream).hex(), vector["external_aad"], "external_aad"),
        (envelope.certificate is not None, vector["certificate_attached"], "certificate"),
        (cose.verify(envelope, message_type, signer.public_key), True, "signature"),
        (cbor.encode(cbor.decode(envelope.payload)), envelope.payload, "shortest form"),
        (
            signer.seal(message_type, envelope.payload, stream, envelope.certificate).hex(),
            vector["sealed"],
            "sealed again",
        ),
    )
    for found, expected, what in facts:
        if found != expected:
            yield f"{what}: {found}, expected {expected}"
    try:
        READERS[vector["message"]](envelope, root, now)
    except Refused as refused:
        yield f"refused: {refused}"


def read_order(envelope, root, now):
    order = orders.read(opened(envelope, limits.ORDER, root, now))
    orders.check(order)


def read_command(envelope, root, now):
    commands.check(commands.read(opened(envelope, limits.COMMAND, root, now)))


def opened(envelope, message_type, root, now):
    return trust.open_message(envelope.sealed, message_type, [root], set(), now).payload


def read_certificate(envelope, root, now):
    certificate = trust.read_certificate(envelope.sealed, [root])
    if certificate is None or not certificate.not_before <= now < certificate.not_after:
        raise Refused("unknown_signer")


def read_receipts(envelope, _root, _now):
    """What this terminal would say: written again, it is the same."""
    fields = Fields(cbor.decode(envelope.payload))
    again = messages.receipt_batch(
        fields.terminal(0), fields.unsigned(1), fields.unsigned(2), fields.array(3)
    )
    if again != envelope.payload:
        raise Refused("malformed", "written again it differs")
    for each in fields.array(3):
        one = Fields(each)
        one.one_of(2, limits.STATES)
        one.one_of(3, limits.REASONS.values(), None)
        alert = orders.read_alert(one.inner(1))
        reason = {number: name for name, number in limits.REASONS.items()}.get(each.get(3))
        made = messages.receipt(
            each[0], alert, each[2], each.get(3), each[4], each[5], each[6], each.get(7)
        )
        if made != each or (each.get(3) is not None and reason is None):
            raise Refused("malformed", "a receipt written again differs")


def read_hello(envelope, _root, _now):
    fields = Fields(cbor.decode(envelope.payload))
    heads = [(tuple(stream), tuple(sequence)) for stream, sequence in fields.array(3)]
    again = messages.hello(
        fields.terminal(0),
        fields.bytes(1, 16),
        fields.unsigned(2),
        heads,
        fields.array(4),
        fields.instant(5),
        fields.boolean(6),
        fields.unsigned(7),
        fields.text(8),
    )
    if again != envelope.payload:
        raise Refused("malformed", "written again it differs")


def read_vitals(envelope, _root, _now):
    fields = cbor.decode(envelope.payload)
    Fields(fields).terminal(0)
    if messages.vitals(fields) != envelope.payload:
        raise Refused("malformed", "written again it differs")


def read_key_proof(envelope, _root, _now):
    public_key = Fields(cbor.decode(envelope.payload)).bytes(1, 32)
    if cose.key_id(public_key) != envelope.key_id:
        raise Refused("bad_signature")


def read_audit_head(envelope, root, now):
    """Not a terminal's business; its shape is checked all the same."""
    fields = Fields(opened(envelope, limits.AUDIT_HEAD, root, now))
    fields.region(0)
    fields.unsigned(1)
    fields.unsigned(2)
    fields.bytes(3, 32)
    fields.instant(4)


READERS = {
    "audit_head": read_audit_head,
    "certificate": read_certificate,
    "command": read_command,
    "hello": read_hello,
    "hello_reply": lambda e, r, n: messages.read_reply(opened(e, limits.HELLO_REPLY, r, n)),
    "key_proof": read_key_proof,
    "order": read_order,
    "phrase_set": lambda e, r, n: Fields(opened(e, limits.PHRASE_SET, r, n)).array(0),
    "receipt_ack": lambda e, r, n: messages.read_ack(opened(e, limits.RECEIPT_ACK, r, n)),
    "receipts": read_receipts,
    "revocation_list": lambda e, r, _: trust.open_revocations(e.sealed, [r]),
    "vitals": read_vitals,
}


def judge(case, root, now):
    """The verdict of a terminal with an empty journal."""
    sealed = bytes.fromhex(case["sealed"])
    terminal = SimpleNamespace(
        terminal=TERMINAL, position=None, roots=[root], state=state.State()
    )
    try:
        if case["read_as_type"] == limits.COMMAND:
            trust.open_message(sealed, limits.COMMAND, [root], set(), now)
            return "accepted"
        order = acceptance.open_order(sealed, None, terminal, now)
        return acceptance.judge(*order, terminal, now).reason or "accepted"
    except Refused as refused:
        return refused.reason


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
