"""What a terminal says, and the two short answers it reads."""

from dataclasses import dataclass

from . import cbor, orders
from .fields import Fields
from .limits import PHRASES_MAX, STATES, Refused


@dataclass(frozen=True)
class Reply:
    terminal: tuple
    nonce: bytes
    at: int
    live: tuple
    receipts_up_to: int
    revocations: int
    audit_head: bytes


def read_reply(value):
    fields = Fields(value)
    live = fields.array(3)
    if not all(isinstance(each, bytes) and len(each) == 32 for each in live):
        raise Refused("malformed", "live")
    return Reply(
        terminal=fields.terminal(0),
        nonce=fields.bytes(1, 16),
        at=fields.instant(2),
        live=tuple(live),
        receipts_up_to=fields.unsigned(4),
        revocations=fields.unsigned(5),
        audit_head=fields.bytes(6, 32, None),
    )


def read_ack(value):
    """(terminal, journal id, up to)."""
    fields = Fields(value)
    return fields.terminal(0), fields.unsigned(1), fields.unsigned(2)


def read_phrases(value):
    """[(event, language, clip)]."""
    phrases = Fields(value).array(0)
    if len(phrases) > PHRASES_MAX:
        raise Refused("invalid", "phrases")
    return [_phrase(each) for each in phrases]


def _phrase(value):
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[1], str):
        raise Refused("malformed", "not a phrase")
    return orders.read_event(value[0]), value[1], orders.read_clip(Fields(value[2]))


def hello(terminal, nonce, journal, heads, held, floor, is_unsure, revocations, program):
    return cbor.encode(
        {
            0: list(terminal),
            1: nonce,
            2: journal,
            3: [[list(stream), list(sequence)] for stream, sequence in heads],
            4: list(held),
            5: floor,
            6: is_unsure,
            7: revocations,
            8: program,
        }
    )


def receipt(name, alert, state, reason, repeat, at, is_unsure=False, evidence=None):
    """One receipt as a map, ready for the batch."""
    assert state in STATES, state
    fields = {0: name, 1: None, 2: state, 3: reason, 4: repeat, 5: at, 6: is_unsure, 7: evidence}
    fields[1] = orders.alert_map(alert) if alert else None
    return {key: value for key, value in fields.items() if value is not None}


def encode(fields):
    return cbor.encode(fields)


def receipt_batch(terminal, journal, first, receipts):
    return cbor.encode({0: list(terminal), 1: journal, 2: first, 3: list(receipts)})


def vitals(values):
    """`values` by key; what is None is left out."""
    return cbor.encode({key: value for key, value in sorted(values.items()) if value is not None})
