"""An order: read from its map, and every rule of its table."""

import re
from dataclasses import dataclass

from . import limits, region, target
from .fields import Fields, integers
from .limits import Refused

# A five-character code of GB/T 35561.
EVENT = re.compile("1[0-9][0-9A-Z][0-9]{2}")


@dataclass(frozen=True)
class Alert:
    """The identity of an alert."""

    sender: str
    identifier: str
    sent: int


@dataclass(frozen=True)
class Clip:
    digest: bytes
    size: int
    ms: int


@dataclass(frozen=True)
class Text:
    language: str
    words: str
    clip: Clip


@dataclass(frozen=True)
class Order:
    alert: Alert
    alert_digest: bytes
    stream: tuple
    sequence: tuple
    level: int
    purpose: int
    references: tuple
    kind: int
    color: int
    event: str
    sent: int
    expires: int
    play_at: int
    target: target.Target
    texts: tuple
    times: int
    interval_s: int
    outputs: int
    drill: str
    wants_out_of_area: bool

    @property
    def authority(self):
        return self.stream[0]

    @property
    def is_closing(self):
        return self.purpose in limits.CLOSINGS


def read(value):
    """An order of this shape, or `malformed`; its rules are not tested yet."""
    fields = Fields(value)
    times, interval = integers(fields.array(15), 2)
    fields.bytes(19, 16, None)
    if not (0 <= times <= 255 and 0 <= interval <= 65_535):
        raise Refused("malformed", "repeats")
    return Order(
        alert=read_alert(fields.inner(0)),
        alert_digest=fields.bytes(1, 32),
        stream=fields.stream(2),
        sequence=fields.sequence(3),
        level=fields.one_of(4, limits.LEVELS),
        purpose=fields.one_of(5, limits.PURPOSES),
        references=tuple(_reference(each) for each in fields.array(6, [])),
        kind=fields.one_of(7, limits.KINDS),
        color=fields.one_of(8, limits.COLORS, None),
        event=read_event(fields.text(9)),
        sent=fields.instant(10),
        expires=fields.instant(11),
        play_at=fields.instant(12, None),
        target=target.read(fields.inner(13)),
        texts=tuple(_text(each) for each in fields.array(14)),
        times=times,
        interval_s=interval,
        outputs=fields.unsigned(16, 255),
        drill=fields.text(17, None),
        wants_out_of_area=fields.boolean(18, False),
    )


def read_alert(fields):
    return Alert(fields.text(0), fields.text(1), fields.instant(2))


def alert_map(alert):
    return {0: alert.sender, 1: alert.identifier, 2: alert.sent}


def _reference(value):
    fields = Fields(value)
    return read_alert(fields.inner(0)), fields.bytes(1, 32)


def _text(value):
    fields = Fields(value)
    clip = None
    if fields.has(2):
        clip = read_clip(fields.inner(2))
    return Text(fields.text(0), fields.text(1), clip)


def read_clip(fields):
    return Clip(fields.bytes(0, 32), fields.unsigned(1), fields.unsigned(2))


def _within(text, most, least=1):
    return least <= len(text.encode()) <= most


def check(order):
    """Raise `invalid` for the first broken rule."""
    rules = (
        (_alert_is_right(order.alert), "alert"),
        (order.kind != limits.LIVE_TALK, "kind"),
        (order.level == region.level(order.authority), "level"),
        (len(order.references) <= limits.REFERENCES_MAX, "references"),
        (all(_alert_is_right(alert) for alert, _ in order.references), "references"),
        (bool(order.references) == (order.purpose != limits.ALERT), "references"),
        (0 < order.expires - order.sent <= limits.EXPIRY_MAX, "expires"),
        (1 <= len(order.texts) <= limits.LANGUAGES_MAX, "texts"),
        (all(_text_is_right(text) for text in order.texts), "texts"),
        (1 <= order.times <= limits.REPEATS_MAX, "repeats"),
        (0 <= order.interval_s <= limits.REPEAT_INTERVAL_S_MAX, "repeats"),
        ((order.drill is not None) == (order.kind == limits.EXERCISE), "drill"),
    )
    for is_kept, field in rules:
        if not is_kept:
            raise Refused("invalid", field)
    target.check(order.target, order.authority)


def _alert_is_right(alert):
    most = limits.ALERT_PART_BYTES_MAX
    return _within(alert.sender, most) and _within(alert.identifier, most)


def read_event(text):
    """A code of GB/T 35561, or `malformed`."""
    if not isinstance(text, str) or EVENT.fullmatch(text) is None:
        raise Refused("malformed", "not an event code")
    return text


def _text_is_right(text):
    return (
        _within(text.language, limits.LANGUAGE_BYTES_MAX)
        and _within(text.words, limits.TEXT_BYTES_MAX)
        and text.words.strip() != ""
        and (text.clip is None or text.clip.size <= limits.CLIP_BYTES_MAX)
    )
