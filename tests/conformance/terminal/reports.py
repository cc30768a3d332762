"""What is said to the dispatcher while the link stands: hello, receipts, vitals."""

import os
import secrets
import time

from . import cbor, limits, messages
from .retry import Retry

PROGRAM = "vendor-terminal 1"


class Reports:
    """Reads the engine's state; keeps the timers."""

    def __init__(self, identity, engine, send):
        self._engine, self._send = engine, send
        self._terminal, self._signer = identity.terminal, identity.signer
        self._certificate_expiry = identity.certificate_expiry
        self._began = time.monotonic()
        self._nonce = None
        self._connected_at = None
        self._hello = Retry(limits.HELLO_RETRY_S, limits.HELLO_RETRY_S_MAX)
        self._batch = Retry(limits.RECEIPT_RETRY_S, limits.RECEIPT_RETRY_S_MAX)
        self._vitals_due = None

    def connected(self):
        self._connected_at = time.monotonic()
        self._hello.now()
        self._batch.now()
        self._vitals_due = time.monotonic()

    def disconnected(self):
        self._connected_at, self._nonce = None, None
        self._hello.never()
        self._batch.never()
        self._vitals_due = None

    def tick(self):
        if self._connected_at is None:
            return
        if self._hello.is_due():
            self._say_hello()
        if self._engine.state.receipts and self._batch.is_due():
            self._say_receipts()
        if time.monotonic() >= self._vitals_due:
            self._say_vitals()

    def is_waiting(self):
        """Whether an answer to the hello may still come in good time."""
        patience = limits.HELLO_PATIENCE / limits.SECOND
        is_asked = self._connected_at is not None and self._nonce is not None
        return is_asked and time.monotonic() < self._connected_at + patience

    def is_awaited(self, nonce):
        return self._nonce is not None and nonce == self._nonce

    def answered(self):
        self._nonce = None
        self._hello.never()
        self._batch.now()

    def has_news(self):
        """A receipt was made: it goes out at once unless an answer is awaited."""
        self._batch.soon()

    def acknowledged(self):
        if self._engine.state.receipts:
            self._batch.now()
        else:
            self._batch.never()

    def _say_hello(self):
        state = self._engine.state
        self._nonce = secrets.token_bytes(16)
        heads = [(stream, seen.head()) for stream, seen in state.windows["order"].items()]
        payload = messages.hello(
            self._terminal,
            self._nonce,
            state.journal_id,
            heads[-limits.HELLO_LIST_MAX :],
            list(state.orders)[-limits.HELLO_LIST_MAX :],
            state.floor,
            self._engine.clock.is_unsure,
            state.revocations,
            PROGRAM,
        )
        self._send("hello", self._signer.seal(limits.HELLO, payload))

    def _say_receipts(self):
        state = self._engine.state
        first = min(state.receipts)
        numbers = range(first, first + limits.RECEIPTS_PER_BATCH_MAX)
        batch = []
        for number in numbers:
            if number not in state.receipts:
                break
            batch.append(cbor.decode(state.receipts[number]))
        payload = messages.receipt_batch(self._terminal, state.journal_id, first, batch)
        self._send("receipt", self._signer.seal(limits.RECEIPTS, payload))

    def _say_vitals(self):
        engine, state = self._engine, self._engine.state
        jitter = 0.8 + 0.4 * secrets.randbelow(1000) / 1000
        self._vitals_due = time.monotonic() + limits.VITALS_S * jitter
        number = state.vitals + 1
        engine.journal.write([{"do": "vitals", "number": number}])
        sounding = engine.player.sounding
        counters = sorted((int(reason), times) for reason, times in state.counters.items())
        disk = os.statvfs(".")
        values = {
            0: list(self._terminal),
            1: engine.clock.now(),
            2: state.journal_id,
            3: number,
            4: engine.clock.is_unsure,
            5: int(time.monotonic() - self._began),
            6: PROGRAM,
            7: 0,
            8: sounding.name if sounding else None,
            9: bool(state.stops),
            10: engine.journal.size(),
            11: disk.f_bavail * disk.f_frsize,
            12: self._certificate_expiry,
            13: state.revocations,
            14: len(state.receipts),
            15: [list(each) for each in counters],
            17: True,
        }
        self._send("vitals", self._signer.seal(limits.VITALS, messages.vitals(values)))
