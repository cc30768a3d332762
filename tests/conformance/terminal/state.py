"""What a terminal remembers: the sum of its journal."""

from dataclasses import dataclass, field, replace

from . import cbor, cose, orders
from .chain import Chains, Known, Mark
from .limits import ORDER
from .window import Window


@dataclass
class Kept:
    """An order that was accepted, and how far it has come."""

    sealed: bytes
    order: orders.Order
    key_id: bytes
    received: int
    started: int = 0
    finished: list = field(default_factory=list)
    ended: str = None


class State:
    """Each record is `{"do": name, …}`; a method of that name applies it."""

    def __init__(self):
        self.journal_id, self.complete_since = None, None
        self.floor = 0
        self.revocations, self.revoked = 0, set()
        self.windows = {"order": {}, "command": {}}
        self.orders = {}
        self.chains = Chains()
        # (region, level, key id)
        self.stops = []
        # (drill, authority, from, until, suspended at)
        self.drills = []
        self.receipts, self.next_receipt = {}, 1
        self.counters = {}
        self.vitals = 0
        self.audit_head = None

    def apply(self, record):
        getattr(self, f"_{record['do']}")(record)

    def window(self, which, stream):
        return self.windows[which].get(stream, Window())

    def _born(self, record):
        self.journal_id, self.complete_since = record["id"], record["since"]

    def _floor(self, record):
        self.floor = max(self.floor, record["at"])
        self.chains.forget(self.floor)
        self.drills = [drill for drill in self.drills if drill[3] > self.floor]

    def _revocations(self, record):
        self.revocations = record["number"]
        self.revoked = {bytes.fromhex(key) for key in record["keys"]}
        self.stops = [stop for stop in self.stops if stop[2] not in self.revoked]
        self.chains.marks = [m for m in self.chains.marks if m.key_id not in self.revoked]

    def _audit_head(self, record):
        self.audit_head = record["digest"]

    def _seen(self, record):
        window = self.windows[record["which"]].setdefault(tuple(record["stream"]), Window())
        window.note(tuple(record["sequence"]), bytes.fromhex(record["name"]))

    def _kept(self, record):
        """An order that was accepted, as it came."""
        sealed = bytes.fromhex(record["sealed"])
        envelope = cose.read(sealed, ORDER)
        order = orders.read(cbor.decode(envelope.payload))
        self.orders[envelope.name] = Kept(sealed, order, envelope.key_id, record["at"])

    def _dropped(self, record):
        self.orders.pop(bytes.fromhex(record["name"]), None)

    def _order(self, record):
        return self.orders[bytes.fromhex(record["name"])]

    def _started(self, record):
        kept = self._order(record)
        kept.started = record["repeat"]
        self._note(kept.order.alert, is_started=True)

    def _finished(self, record):
        kept = self._order(record)
        kept.finished.append(record["repeat"])
        self._note(kept.order.alert, is_finished=True)

    def _note(self, alert, **what):
        if alert in self.chains.alerts:
            self.chains.alerts[alert] = replace(self.chains.alerts[alert], **what)

    def _cut(self, record):
        kept = self._order(record)
        kept.started = max(kept.finished, default=0)

    def _ended(self, record):
        self._order(record).ended = record["reason"]

    def _alert(self, record):
        links = tuple(_read_alert(link) for link in record["links"])
        self.chains.alerts[_read_alert(record["alert"])] = Known(
            bytes.fromhex(record["digest"]),
            record["authority"],
            links,
            record["forget"],
            record["started"],
            record["finished"],
            record["end"],
        )

    def _alert_ended(self, record):
        self._note(_read_alert(record["alert"]), end=record["end"])

    def _mark(self, record):
        self.chains.mark(
            Mark(
                _read_alert(record["alert"]),
                bytes.fromhex(record["digest"]),
                record["authority"],
                bytes.fromhex(record["key"]),
                bytes.fromhex(record["order"]),
                _read_alert(record["by"]),
                record["closing"],
            )
        )

    def _unmark(self, record):
        wanted = bytes.fromhex(record["order"]), _read_alert(record["alert"])
        self.chains.marks = [m for m in self.chains.marks if (m.order, m.alert) != wanted]

    def _stop(self, record):
        stop = record["region"], record["level"], bytes.fromhex(record["key"])
        self.stops = [each for each in self.stops if each[:2] != stop[:2]] + [stop]

    def _lift(self, record):
        """Level 1 is the widest: it lifts what it or a narrower one has set."""
        region, level = record["region"], record["level"]
        self.stops = [stop for stop in self.stops if stop[0] != region or stop[1] < level]

    def _drill(self, record):
        key = record["drill"], record["authority"]
        drill = (*key, record["from"], record["until"], None)
        self.drills = [each for each in self.drills if each[:2] != key] + [drill]

    def _drill_suspended(self, record):
        self.drills = [
            (*each[:4], record["at"]) if each[0] == record["drill"] else each
            for each in self.drills
        ]

    def _receipt(self, record):
        self.receipts[self.next_receipt] = bytes.fromhex(record["receipt"])
        self.next_receipt += 1

    def _acknowledged(self, record):
        for number in [n for n in self.receipts if n <= record["up_to"]]:
            del self.receipts[number]

    def _counted(self, record):
        reason = str(record["reason"])
        self.counters[reason] = self.counters.get(reason, 0) + 1

    def _vitals(self, record):
        self.vitals = record["number"]

    def _snapshot(self, record):
        """Everything at once, after compaction."""
        for each in record["records"]:
            self.apply(each)
        self.next_receipt = record["next_receipt"]
        self.receipts = {int(n): bytes.fromhex(r) for n, r in record["receipts"].items()}
        self.counters = record["counters"]

    def snapshot(self):
        """One record that makes this state again."""
        return {
            "do": "snapshot",
            "records": [*self._trust_records(), *self._order_records()],
            "next_receipt": self.next_receipt,
            "receipts": {n: r.hex() for n, r in self.receipts.items()},
            "counters": self.counters,
        }

    def _trust_records(self):
        yield {"do": "born", "id": self.journal_id, "since": self.complete_since}
        yield {"do": "floor", "at": self.floor}
        keys = sorted(key.hex() for key in self.revoked)
        yield {"do": "revocations", "number": self.revocations, "keys": keys}
        yield {"do": "vitals", "number": self.vitals}
        for which, windows in self.windows.items():
            for stream, window in windows.items():
                for sequence, name in window.seen():
                    yield seen(which, stream, sequence, name)
        for region, level, key in self.stops:
            yield {"do": "stop", "region": region, "level": level, "key": key.hex()}
        for drill, authority, starts, ends, suspended in self.drills:
            yield {
                "do": "drill",
                "drill": drill,
                "authority": authority,
                "from": starts,
                "until": ends,
            }
            if suspended is not None:
                yield {"do": "drill_suspended", "drill": drill, "at": suspended}

    def _order_records(self):
        for alert, known in self.chains.alerts.items():
            yield alert_record(alert, known)
        for mark in self.chains.marks:
            yield mark_record(mark)
        for name, kept in self.orders.items():
            yield {"do": "kept", "sealed": kept.sealed.hex(), "at": kept.received}
            for repeat in kept.finished:
                yield {"do": "finished", "name": name.hex(), "repeat": repeat}
            if kept.started:
                yield {"do": "started", "name": name.hex(), "repeat": kept.started}
            if kept.ended:
                yield {"do": "ended", "name": name.hex(), "reason": kept.ended}


def _read_alert(key):
    return orders.Alert(*key)


def alert_key(alert):
    return [alert.sender, alert.identifier, alert.sent]


def seen(which, stream, sequence, name):
    return {
        "do": "seen",
        "which": which,
        "stream": list(stream),
        "sequence": list(sequence),
        "name": name.hex(),
    }


def alert_record(alert, known):
    return {
        "do": "alert",
        "alert": alert_key(alert),
        "digest": known.digest.hex(),
        "authority": known.authority,
        "links": [alert_key(link) for link in known.links],
        "forget": known.forget_at,
        "started": known.is_started,
        "finished": known.is_finished,
        "end": known.end,
    }


def mark_record(mark):
    return {
        "do": "mark",
        "alert": alert_key(mark.alert),
        "digest": mark.digest.hex(),
        "authority": mark.authority,
        "key": mark.key_id.hex(),
        "order": mark.order.hex(),
        "by": alert_key(mark.by),
        "closing": mark.is_closing,
    }
