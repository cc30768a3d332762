"""Every number and name that the page of the wire gives to a terminal."""

PROTOCOL_VERSION = 1

# Types of message.
ORDER, COMMAND, RECEIPTS, RECEIPT_ACK, HELLO, HELLO_REPLY = 1, 2, 3, 4, 5, 6
VITALS, CERTIFICATE, REVOCATION_LIST, PHRASE_SET, KEY_PROOF, AUDIT_HEAD = 7, 8, 9, 10, 11, 12

ORDER_BYTES_MAX = 4_096
MESSAGE_BYTES_MAX = 16_384
PHRASE_SET_BYTES_MAX = 65_536
SIZE_OF_TYPE = {
    ORDER: ORDER_BYTES_MAX,
    COMMAND: ORDER_BYTES_MAX,
    RECEIPTS: MESSAGE_BYTES_MAX,
    RECEIPT_ACK: MESSAGE_BYTES_MAX,
    HELLO: MESSAGE_BYTES_MAX,
    HELLO_REPLY: MESSAGE_BYTES_MAX,
    VITALS: MESSAGE_BYTES_MAX,
    CERTIFICATE: ORDER_BYTES_MAX,
    REVOCATION_LIST: MESSAGE_BYTES_MAX,
    PHRASE_SET: PHRASE_SET_BYTES_MAX,
    KEY_PROOF: ORDER_BYTES_MAX,
    AUDIT_HEAD: ORDER_BYTES_MAX,
}

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

TEXT_BYTES_MAX = 1_200
LANGUAGE_BYTES_MAX = 35
LANGUAGES_MAX = 3
TERMINALS_PER_VILLAGE_MAX = 1_024
REGIONS_PER_ORDER_MAX = 64
PARTIAL_VILLAGES_MAX = 32
EXCLUDED_TERMINALS_MAX = 32
SHAPES_MAX = 8
VERTICES_MIN, VERTICES_MAX = 3, 128
REFERENCES_MAX = 16
ALERT_PART_BYTES_MAX = 128
EXPIRY_MAX = 72 * HOUR
FORGET_AFTER = 2 * EXPIRY_MAX
HELD_ORDERS_MAX = 64
HELLO_PATIENCE = 5 * SECOND
SOUND_RETRY = 10 * SECOND
LOCAL_STOP = 600 * SECOND
REPEATS_MAX = 20
REPEAT_INTERVAL_S_MAX = 3_600
CLIP_BYTES_MAX = 1_048_576
SEQUENCE_WINDOW = 1_024
RECEIPTS_PER_BATCH_MAX = 32
HELLO_LIST_MAX = 128
CERTIFICATE_SPAN_MAX = 400 * DAY
CERTIFICATE_NAME_BYTES_MAX = 128
REVOCATIONS_MAX = 256
PHRASES_MAX = 256
HELD_REFERENCES_PER_SIGNER_MAX = 256
DRILL_WINDOW_MAX = 24 * HOUR
STOP_REASON_BYTES_MAX = 200
DRILL_BYTES_MAX = 128

KEEP_ALIVE_S = 30
SILENCE_S_MAX = 60
RECONNECT_S_MAX = 60
HELLO_RETRY_S, HELLO_RETRY_S_MAX = 10, 300
RECEIPT_RETRY_S, RECEIPT_RETRY_S_MAX = 10, 300
VITALS_S = 60

# Purposes of an order.
ALERT, UPDATE, MINOR_UPDATE, LIFTED, WITHDRAWN = range(5)
PURPOSES = (ALERT, UPDATE, MINOR_UPDATE, LIFTED, WITHDRAWN)
CLOSINGS = (LIFTED, WITHDRAWN)

# Kinds, from the least to the greatest.
ROUTINE, TEST, EXERCISE, ACTUAL, LIVE_TALK = range(5)
KINDS = (ROUTINE, TEST, EXERCISE, ACTUAL, LIVE_TALK)

RED, ORANGE, YELLOW, BLUE = 1, 2, 3, 4
COLORS = (RED, ORANGE, YELLOW, BLUE)

LEVELS = (1, 2, 3, 4)

# States of a receipt.
ACCEPTED, VERIFIED, STARTED, FINISHED, INTERRUPTED, FAILED, REFUSED = range(7)
STATES = (ACCEPTED, VERIFIED, STARTED, FINISHED, INTERRUPTED, FAILED, REFUSED)

REASONS = {
    "malformed": 0,
    "oversize": 1,
    "bad_signature": 2,
    "unknown_signer": 3,
    "certificate_expired": 4,
    "key_revoked": 5,
    "out_of_scope": 6,
    "tampered": 7,
    "below_window": 8,
    "invalid": 9,
    "out_of_area": 10,
    "expired": 11,
    "not_in_drill": 12,
    "stray_cancel": 13,
    "superseded": 14,
    "unneeded": 15,
    "preempted": 20,
    "drill_suspended": 21,
    "cancelled": 22,
    "updated": 23,
    "stopped": 24,
    "stopped_locally": 25,
    "power_cut": 26,
    "expired_while_sounding": 27,
    "no_audio_device": 40,
    "device_stalled": 41,
    "no_speech": 42,
    "journal_full": 43,
    "quiet_hours": 44,
    "too_many_orders": 45,
}


NOBODY = b""


class Refused(Exception):
    """A message is refused; the reason is one of REASONS."""

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        assert reason in REASONS, reason
        self.reason = reason
        self.detail = detail
        # Known once the message was opened; nobody before that.
        self.signer = NOBODY
        self.alert = None

    def by(self, signer, alert=None):
        """The same refusal of a message by this signer."""
        self.signer, self.alert = signer, alert
        return self
