"""Which alerts belong together, who may end them, and how each of them has ended.

Pure: what becomes of an alert follows from what has arrived, not from the order of arrival.
"""

from dataclasses import dataclass, replace

from . import limits, region
from .limits import HELD_REFERENCES_PER_SIGNER_MAX

UPDATED, CLOSED = 1, 2


@dataclass(frozen=True)
class Known:
    """An alert as this terminal knows it."""

    digest: bytes
    authority: int
    links: tuple
    forget_at: int
    is_started: bool = False
    is_finished: bool = False
    end: int = 0


@dataclass(frozen=True)
class Mark:
    """A reference to an alert that is not here."""

    alert: object
    digest: bytes
    authority: int
    key_id: bytes
    order: bytes
    by: object
    is_closing: bool


@dataclass
class Outcome:
    """What the references of one order do."""

    known: Known
    members: set
    marks: list
    settled: list
    strays: list
    reason: str = None
    has_strays: bool = False


class Chains:
    """Alerts by identity, and the references that wait."""

    def __init__(self):
        self.alerts = {}
        self.marks = []

    def forget(self, at):
        """Nothing that names these alerts can be valid any more."""
        gone = {key for key, known in self.alerts.items() if known.forget_at <= at}
        self.alerts = {k: known for k, known in self.alerts.items() if k not in gone}
        self.marks = [m for m in self.marks if m.alert.sent + limits.FORGET_AFTER > at]

    def mark(self, mark):
        """Keep a reference; the oldest of a signer yields."""
        self.marks = [m for m in self.marks if (m.order, m.alert) != (mark.order, mark.alert)]
        own = [m for m in self.marks if m.authority == mark.authority]
        if len(own) >= HELD_REFERENCES_PER_SIGNER_MAX:
            self.marks.remove(own[0])
        self.marks.append(mark)

    def members(self, alert, links):
        """Every alert joined by references to this one, in either direction, itself left out."""
        found, waiting = {alert}, [alert]
        links_of = {key: set(known.links) for key, known in self.alerts.items()}
        links_of[alert] = links_of.get(alert, set()) | set(links)
        while waiting:
            one = waiting.pop()
            near = set(links_of.get(one, ()))
            near |= {other for other, there in links_of.items() if one in there}
            for other in near - found:
                found.add(other)
                waiting.append(other)
        return {each for each in found if each in self.alerts} - {alert}

    def may_end(self, order, alert, digest):
        """None while the alert is not here."""
        known = self.alerts.get(alert)
        if known is None:
            return None
        return known.digest == digest and region.contains(order.authority, known.authority)

    def weigh(self, order, name, key_id):
        """What an order's references do, and what waited for its alert."""
        counting, settled = self._settle(order)
        own, unknown, strays = [], [], 0
        for alert, digest in order.references:
            if alert == order.alert:
                continue
            may = self.may_end(order, alert, digest)
            if may is None:
                unknown.append((alert, digest))
            elif may:
                own.append(alert)
            else:
                strays += 1
        links = (*own, *(alert for alert, _ in unknown))
        before = self.alerts.get(order.alert)
        known = Known(
            digest=order.alert_digest,
            authority=order.authority,
            links=links,
            forget_at=order.sent + limits.FORGET_AFTER,
            is_started=bool(before and before.is_started),
            is_finished=bool(before and before.is_finished),
            end=CLOSED if order.is_closing else 0,
        )
        members = self.members(order.alert, links)
        over = self._over(order, known, members, counting, before)
        known = replace(known, end=max(known.end, over))
        marks = [
            Mark(alert, digest, order.authority, key_id, name, order.alert, known.end == CLOSED)
            for alert, digest in unknown
        ]
        outcome = Outcome(known, members, marks, settled, [m for m in settled if m not in counting])
        outcome.has_strays = strays > 0
        if strays and not own and not unknown:
            outcome.reason = "stray_cancel"
        elif over:
            outcome.reason = "superseded"
        return outcome

    def _settle(self, order):
        """References that waited for this alert: those that count, and all of them."""
        settled = [mark for mark in self.marks if mark.alert == order.alert]
        counting = [
            mark
            for mark in settled
            if mark.digest == order.alert_digest
            and region.contains(mark.authority, order.authority)
        ]
        return counting, settled

    def _over(self, order, known, members, counting, before):
        """How the alert ended before its order came, or 0."""
        named = 0
        if counting:
            named = CLOSED if any(mark.is_closing for mark in counting) else UPDATED
        if order.is_closing:
            return CLOSED if named else 0
        others = [(key, self.alerts[key]) for key in members]
        return max(named, before.end if before else 0, end_of(order.alert, known, others))

    def ends(self, newcomer, known, members):
        """(alert, end) of each member that is over now that the newcomer is known."""
        chain = [(key, self.alerts[key]) for key in members] + [(newcomer, known)]
        for key in sorted(members, key=lambda a: (a.sent, a.sender, a.identifier)):
            end = end_of(key, self.alerts[key], chain)
            if end > self.alerts[key].end:
                yield key, end

    def is_unneeded(self, order, outcome, complete_since):
        """Whether nobody here needs the order's words."""
        members = [self.alerts[key] for key in outcome.members]
        if order.purpose == limits.MINOR_UPDATE:
            return any(known.is_finished and not known.end for known in members)
        if not order.is_closing or any(known.is_started for known in members):
            return False
        return all(
            complete_since is not None and mark.alert.sent >= complete_since
            for mark in outcome.marks
        )


def end_of(key, known, chain):
    """Closed, or overtaken by something newer, by an authority that reaches this alert."""
    ends = [0]
    for other, there in chain:
        if other == key or not region.contains(there.authority, known.authority):
            continue
        if there.end == CLOSED:
            ends.append(CLOSED)
        elif other.sent > key.sent:
            ends.append(UPDATED)
    return max(ends)
