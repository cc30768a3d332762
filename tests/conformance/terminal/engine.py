"""The terminal: what comes in, what is journalled, what goes out, in this order."""

import os
import secrets
import time

from . import acceptance, cose, limits, messages, region, state, trust
from .acceptance import DUPLICATE
from .clock import Clock
from .directions import Directions
from .journal import Journal
from .limits import REASONS, SECOND, Refused
from .phrases import Phrases
from .player import Entry, Player
from .reports import Reports

REFUSAL_EVERY = 60 * SECOND
REFUSALS_MAX = 128
END_REASONS = {1: "updated", 2: "cancelled"}


class Engine:
    def __init__(self, identity, folder, speaker, clips, send):
        self.terminal, self.position = identity.terminal, identity.position
        self.roots = identity.roots
        self.state = state.State()
        path = os.path.join(folder, "journal.jsonl")
        self.journal = Journal(path, self.state.apply, self.state.snapshot)
        is_new = self.state.journal_id is None
        if is_new:
            since = int(time.time() * SECOND)
            self.journal.write([{"do": "born", "id": secrets.randbits(64), "since": since}])
        self.clock = Clock(self.state.floor, is_new)
        self.reports = Reports(identity, self, send)
        self.phrases = Phrases(self, clips)
        self.player = Player(speaker, clips, self)
        self._directions = Directions(self)
        self._refusals = {}
        self._resume()

    def connected(self):
        self.reports.connected()

    def disconnected(self):
        self.reports.disconnected()

    def tick(self):
        now = self.clock.now()
        self._drop_expired(now)
        self.player.tick(now)
        self.reports.tick()
        self.phrases.tick()

    def _drop_expired(self, now):
        sounding = self.player.sounding.name if self.player.sounding else None
        gone = [
            name
            for name, kept in self.state.orders.items()
            if kept.order.expires <= now and name != sounding and name not in self.player.queue
        ]
        self.journal.write([{"do": "dropped", "name": name.hex()} for name in gone])

    # What comes in; each returns only when PUBACK may go.

    def receive(self, topic, data):
        handlers = {
            "order": self._on_order,
            "command": self._directions.on_command,
            "revocation": self._directions.on_revocations,
            "reply": self._on_reply,
            "ack": self._on_ack,
        }
        try:
            handlers[topic.rsplit("/", 1)[1]](topic, data)
        except Refused as refused:
            self.refuse(data, refused)

    def trusted_now(self):
        """None while validity can't be judged by the own clock."""
        return None if self.clock.is_unsure else self.clock.now()

    def _answer(self, data, message_type):
        """A reply or an acknowledgement; one that is not right is counted and says nothing."""
        try:
            opened = trust.open_message(
                data, message_type, self.roots, self.state.revoked, self.trusted_now()
            )
            if not region.contains(opened.certificate.region, self.terminal[0]):
                raise Refused("out_of_scope")
            return opened
        except Refused as refused:
            self.journal.write([self.counted(refused.reason)])
            return None

    def _on_reply(self, _topic, data):
        opened = self._answer(data, limits.HELLO_REPLY)
        if opened is None:
            return
        reply, certificate = messages.read_reply(opened.payload), opened.certificate
        if reply.terminal != self.terminal:
            self.journal.write([self.counted("out_of_scope")])
            return
        if not certificate.not_before <= reply.at < certificate.not_after:
            self.journal.write([self.counted("certificate_expired")])
            return
        if not self.reports.is_awaited(reply.nonce):
            self.journal.write([self.counted("below_window")])
            return
        self.clock.answered(reply.at)
        head = reply.audit_head.hex() if reply.audit_head else None
        self.journal.write(
            [
                {"do": "floor", "at": reply.at},
                {"do": "acknowledged", "up_to": self._said(reply.receipts_up_to)},
                {"do": "audit_head", "digest": head},
            ]
        )
        self.reports.answered()

    def _on_ack(self, _topic, data):
        opened = self._answer(data, limits.RECEIPT_ACK)
        if opened is None:
            return
        terminal, journal, up_to = messages.read_ack(opened.payload)
        if terminal == self.terminal and journal == self.state.journal_id:
            self.journal.write([{"do": "acknowledged", "up_to": self._said(up_to)}])
            self.reports.acknowledged()

    def _said(self, up_to):
        """Nothing is forgotten that was never said."""
        return min(up_to, self.state.next_receipt - 1)

    # Orders.

    def _on_order(self, topic, data):
        now = self.clock.now()
        opened, order = acceptance.open_order(data, topic, self, self.trusted_now())
        window = self.state.window("order", order.stream)
        is_fresh = window.is_above(order.sequence) and order.sent >= self.state.floor
        verdict = acceptance.judge(opened, order, self, now)
        if verdict.reason == DUPLICATE:
            return
        self.clock.learn(order.sent)
        if verdict.reason is None or verdict.reason == "unneeded":
            self._accept(verdict, data, now, is_fresh)
        else:
            self._decline(verdict, opened)

    def _accept(self, verdict, data, now, is_fresh):
        order, name = verdict.order, verdict.name
        records = [
            state.seen("order", order.stream, order.sequence, name),
            {"do": "floor", "at": order.sent},
            *acceptance.outcome_records(verdict),
            {"do": "kept", "sealed": data.hex(), "at": now},
            self.receipt(name, order.alert, limits.ACCEPTED),
            self.receipt(name, order.alert, limits.VERIFIED),
        ]
        if verdict.reason == "unneeded":
            records.append({"do": "ended", "name": name.hex(), "reason": "unneeded"})
            records.append(self.counted("unneeded"))
            records.append(self.receipt(name, order.alert, limits.REFUSED, "unneeded"))
        self.journal.write(records + self._stray_records(verdict))
        self._end_alerts(verdict)
        if verdict.reason is None:
            self.player.add(Entry(name, order, now, is_fresh=is_fresh))

    def _decline(self, verdict, opened):
        """Refused; what its references do, they do all the same."""
        order, name = verdict.order, verdict.name
        records = []
        if verdict.is_final:
            records.append(state.seen("order", order.stream, order.sequence, name))
        records += acceptance.outcome_records(verdict) + self._stray_records(verdict)
        if verdict.reason == "out_of_area" and order.wants_out_of_area:
            records.append(self.receipt(name, order.alert, limits.ACCEPTED))
            records.append(self.receipt(name, order.alert, limits.REFUSED, "out_of_area"))
        elif verdict.reason != "out_of_area" and self._may_report(verdict.reason, opened.key_id):
            records.append(self.receipt(name, order.alert, limits.REFUSED, verdict.reason))
        self.journal.write([self.counted(verdict.reason), *records])
        self._end_alerts(verdict)

    def _stray_records(self, verdict):
        """Kept references that turn out to be by strangers."""
        records = []
        for mark in verdict.outcome.strays if verdict.outcome else []:
            records.append(self.counted("stray_cancel"))
            if self._may_report("stray_cancel", mark.key_id):
                receipt = self.receipt(mark.order, mark.by, limits.REFUSED, "stray_cancel")
                records.append(receipt)
        return records

    def _end_alerts(self, verdict):
        for alert, end in verdict.ends:
            names = [n for n, kept in self.state.orders.items() if kept.order.alert == alert]
            self.end_orders(names, END_REASONS[end], "superseded")

    def end_orders(self, names, cut_reason, waiting_reason):
        """Over: what sounds is cut, what has sounded is interrupted, what waits is refused."""
        for name in names:
            kept = self.state.orders[name]
            if kept.ended is not None:
                continue
            was_waiting = name in self.player.queue
            is_sounding = self.player.sounding is not None and self.player.sounding.name == name
            self.player.end(name, cut_reason)
            records = [{"do": "ended", "name": name.hex(), "reason": cut_reason}]
            if was_waiting and not is_sounding:
                has_sounded = bool(kept.started or kept.finished)
                made = limits.INTERRUPTED if has_sounded else limits.REFUSED
                reason = cut_reason if has_sounded else waiting_reason
                repeat = max(kept.finished, default=0) + 1
                records.append(self.receipt(name, kept.order.alert, made, reason, repeat))
            self.journal.write(records)

    # Receipts.

    def counted(self, reason):
        return {"do": "counted", "reason": REASONS[reason]}

    def receipt(self, name, alert, made, reason=None, repeat=0, evidence=None):
        """A receipt as a record; it is said once it is written."""
        self.reports.has_news()
        fields = messages.receipt(
            name,
            alert,
            made,
            REASONS[reason] if reason else None,
            repeat,
            self.clock.now(),
            self.clock.is_unsure,
            evidence,
        )
        return {"do": "receipt", "receipt": messages.encode(fields).hex()}

    def refuse(self, data, refused):
        """A message that could not be judged: counted, and told once a minute."""
        print(f"refused: {refused}", flush=True)
        records = [self.counted(refused.reason)]
        if self._may_report(refused.reason, refused.signer):
            name, reason = cose.digest(data), refused.reason
            records.append(self.receipt(name, refused.alert, limits.REFUSED, reason))
        self.journal.write(records)

    def _may_report(self, reason, signer):
        """The first of each (reason, signer) a minute."""
        now = self.clock.now()
        self._refusals = {
            pair: at for pair, at in self._refusals.items() if now - at < REFUSAL_EVERY
        }
        if (reason, signer) in self._refusals or len(self._refusals) >= REFUSALS_MAX:
            return False
        self._refusals[(reason, signer)] = now
        return True

    # What the player tells; a start before the first frame, an end after the last.

    def started(self, entry):
        name, repeat = entry.name.hex(), entry.next_repeat
        receipt = self.receipt(entry.name, entry.order.alert, limits.STARTED, repeat=repeat)
        self.journal.write([{"do": "started", "name": name, "repeat": repeat}, receipt])

    def finished(self, entry, evidence):
        name, repeat = entry.name.hex(), entry.next_repeat
        receipt = self.receipt(
            entry.name, entry.order.alert, limits.FINISHED, repeat=repeat, evidence=evidence
        )
        self.journal.write([{"do": "finished", "name": name, "repeat": repeat}, receipt])

    def interrupted(self, entry, reason, evidence):
        receipt = self.receipt(
            entry.name, entry.order.alert, limits.INTERRUPTED, reason, entry.next_repeat, evidence
        )
        self.journal.write([{"do": "cut", "name": entry.name.hex()}, receipt])

    def over(self, entry, reason):
        """Nothing of it sounds any more."""
        records = [{"do": "ended", "name": entry.name.hex(), "reason": reason}]
        if reason == "expired":
            records.append(self.counted(reason))
            records.append(self.receipt(entry.name, entry.order.alert, limits.REFUSED, reason))
        self.journal.write(records)

    def drill_suspended(self, drill):
        self.journal.write(
            [{"do": "drill_suspended", "drill": drill, "at": self.clock.now()}]
        )

    def _resume(self):
        """After a power cut: what was sounding is sounded again, what finished is not."""
        for name, kept in list(self.state.orders.items()):
            if kept.ended is not None:
                continue
            entry = Entry(name, kept.order, kept.received)
            entry.next_repeat = max(kept.finished, default=0) + 1
            if kept.started >= entry.next_repeat:
                self.interrupted(entry, "power_cut", None)
            if entry.next_repeat <= kept.order.times:
                entry.has_sounded = bool(kept.finished or kept.started)
                self.player.add(entry)
            else:
                self.over(entry, "done")
