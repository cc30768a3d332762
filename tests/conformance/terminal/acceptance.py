"""The acceptance of an order, step by step: what to journal, what to say, what to silence.

Pure: it reads the state and returns a verdict; nothing is written or sounded here.
"""

from dataclasses import dataclass, field

from . import chain, limits, orders, region, state, target, trust, window
from .limits import COMMAND, ORDER, Refused

DUPLICATE = "duplicate"


@dataclass
class Verdict:
    """What follows from one order."""

    name: bytes
    order: orders.Order
    # None: it may sound. Else the reason why not, or DUPLICATE.
    reason: str = None
    detail: str = ""
    # Its number is used up although it is refused.
    is_final: bool = False
    # What its references do; None when the order was refused before they were weighed.
    outcome: chain.Outcome = None
    # [(alert, end)] of what is over now.
    ends: list = field(default_factory=list)


def open_order(sealed, topic, self, now):
    """Steps 2 to 4: (opened, order), or a refusal."""
    opened = trust.open_message(sealed, ORDER, self.roots, self.state.revoked, now)
    order = orders.read(opened.payload)
    try:
        check_scope(opened, order, topic, self.terminal)
        orders.check(order)
    except Refused as refused:
        raise refused.by(opened.key_id, order.alert)
    return opened, order


def check_scope(opened, message, topic, terminal):
    """Stream, authority, topic and `sent` of an order or command against its certificate."""
    stream, certificate = message.stream, opened.certificate
    if opened.stream is None:
        raise Refused("malformed", "no stream in the header")
    if stream != opened.stream or stream[0] != certificate.region:
        raise Refused("out_of_scope", "not the certificate's region")
    if not all(region.contains(each, terminal[0]) for each in stream):
        raise Refused("out_of_scope", "another region than this terminal's")
    if topic is not None and not _is_own_topic(topic, stream, terminal):
        raise Refused("out_of_scope", "a topic that the stream does not name")
    if not certificate.not_before <= message.sent < certificate.not_after:
        raise Refused("certificate_expired", "made outside the certificate's validity")


def _is_own_topic(topic, stream, terminal):
    space, name = topic.split("/")[2:4]
    if space == "region":
        return name == f"{stream[1]:012d}"
    return name == region.terminal_text(terminal)


def judge(opened, order, self, now):
    """Steps 5 to 9; `self` offers terminal, position, state."""
    memory = self.state
    verdict = Verdict(opened.name, order)
    try:
        known = memory.window("order", order.stream).judge(order.sequence, opened.name)
    except Refused as refused:
        raise refused.by(opened.key_id, order.alert)
    if known == window.DUPLICATE:
        verdict.reason = DUPLICATE
        return verdict
    try:
        _life(memory, order, now)
        is_meant = target.means(order.target, self.terminal, self.position)
        if order.references or is_meant:
            _references(verdict, memory, order, opened.key_id, is_meant)
        if not is_meant:
            verdict.is_final = verdict.is_final or order.wants_out_of_area or order.references
            raise Refused("out_of_area")
        _drill(memory, order, now)
    except Refused as refused:
        verdict.reason, verdict.detail = refused.reason, refused.detail
        return verdict
    if memory.chains.is_unneeded(order, verdict.outcome, memory.complete_since):
        verdict.reason = "unneeded"
        if order.purpose == limits.MINOR_UPDATE:
            verdict.ends = []
    return verdict


def _life(memory, order, now):
    if order.expires <= now:
        raise Refused("expired")
    known = memory.chains.alerts.get(order.alert)
    if known is not None and known.digest != order.alert_digest:
        raise Refused("tampered", "the alert is known with another digest")


def _references(verdict, memory, order, key_id, is_meant):
    """Step 7: what this order ends, what waits, and whether it was ended before it came."""
    chains = memory.chains
    outcome = chains.weigh(order, verdict.name, key_id)
    verdict.outcome = outcome
    is_decided = not is_meant and any(
        kept.order.alert == order.alert for kept in memory.orders.values()
    )
    if not is_decided:
        verdict.ends = list(chains.ends(order.alert, outcome.known, outcome.members))
    if outcome.reason:
        verdict.is_final = True
        raise Refused(outcome.reason)


def _drill(memory, order, now):
    if order.kind != limits.EXERCISE:
        return
    for drill, authority, starts, ends, suspended in memory.drills:
        is_here = drill == order.drill and region.contains(authority, order.authority)
        is_on = suspended is None or order.sent > suspended
        if is_here and is_on and starts <= now < ends:
            return
    raise Refused("not_in_drill", order.drill)


def open_command(sealed, self, now):
    """A command's envelope, for whoever reads it."""
    return trust.open_message(sealed, COMMAND, self.roots, self.state.revoked, now)


def outcome_records(verdict):
    """What the references of an order leave in the journal."""
    outcome, order = verdict.outcome, verdict.order
    if outcome is None:
        return []
    records = [
        {"do": "unmark", "order": mark.order.hex(), "alert": state.alert_key(mark.alert)}
        for mark in outcome.strays
    ]
    records.append(state.alert_record(order.alert, outcome.known))
    records += [
        {"do": "alert_ended", "alert": state.alert_key(alert), "end": end}
        for alert, end in verdict.ends
    ]
    records += [state.mark_record(mark) for mark in outcome.marks]
    return records
