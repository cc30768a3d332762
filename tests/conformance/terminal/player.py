"""Which order sounds now: a total order, repeats, cuts, expiry, stop."""

import time
from dataclasses import dataclass

from . import limits
from .limits import ACTUAL, EXERCISE, SECOND, TEST

TONE_MS = 600
SENTENCE_GRACE = 10 * SECOND
NO_COLOR = 5
DRILL_FRAME = "演练，演练"
DRILL_CUT = "演练中止，以下是真实预警"
CLIP_WAIT = {limits.RED: 0, limits.ORANGE: 2 * SECOND}
CLIP_WAIT_OTHERS = 10 * SECOND
PLAY_BIT = 1


@dataclass
class Entry:
    """An order in the queue."""

    name: bytes
    order: object
    received: int
    is_fresh: bool = False
    next_repeat: int = 1
    due: int = 0
    last_began: int = 0
    first_frame: int = 0
    has_sounded: bool = False
    # (kind, -colour): its own, or that of the alert it closes when that is greater.
    loudness: tuple = ()

    @property
    def place(self):
        """The whole order of priority, the next one first when sorted."""
        kind, color = self.loudness
        return (-kind, -color, self.last_began, self.order.level, -self.order.sent, self.name)


def loudness(kind, color):
    return kind, -(color or NO_COLOR)


class Player:
    """Owns the queue and the speaker; tells the engine what happens."""

    def __init__(self, speaker, clips, engine):
        self.queue, self.sounding = {}, None
        self._speaker, self._clips, self._engine = speaker, clips, engine
        self._is_drill_cut = False

    def add(self, entry):
        order = entry.order
        if not order.outputs & PLAY_BIT:
            return
        entry.loudness = max([loudness(order.kind, order.color), *self._closed(order)])
        entry.due = max(entry.received, order.play_at or 0)
        self.queue[entry.name] = entry
        for text in order.texts:
            if text.clip:
                is_urgent = order.color in CLIP_WAIT
                left_s = (order.expires - entry.received) / SECOND
                self._clips.ask(text.clip, is_urgent, time.monotonic() + left_s)

    def _closed(self, order):
        """A closing order has its alert's place."""
        if not order.is_closing:
            return
        named = {alert for alert, _ in order.references}
        for kept in self._engine.state.orders.values():
            if kept.order.alert in named:
                yield loudness(kept.order.kind, kept.order.color)

    def end(self, name, reason):
        """It is over; what sounds of it is cut at once."""
        if self.sounding and self.sounding.name == name:
            self._cut(reason)
        self.queue.pop(name, None)

    def _cut(self, reason):
        entry, self.sounding = self.sounding, None
        frames = self._speaker.cut(reason)
        entry.due = 0
        self._engine.interrupted(entry, reason, self._evidence(entry, frames))

    def _evidence(self, entry, frames):
        return {0: entry.first_frame, 1: frames, 2: 0, 3: self._source(entry.order)}

    def tick(self, now):
        self._drain(now)
        self._expire(now)
        if self.sounding and self._is_stopped(self.sounding):
            self._cut("stopped")
        ready = [entry for entry in self.queue.values() if self._is_ready(entry, now)]
        if not ready:
            return
        best = min(ready, key=_place)
        if self.sounding:
            if best.loudness <= self.sounding.loudness:
                return
            self._preempt(best)
        if best.order.kind == ACTUAL:
            self._suspend_drills()
        self._start(best, now)

    def _is_stopped(self, entry):
        """A stop silences orders of its own level and of narrower ones."""
        return any(level <= entry.order.level for _, level, _ in self._engine.state.stops)

    def _drain(self, now):
        entry = self.sounding
        if entry is None:
            return
        if self._speaker.has_drained():
            self.sounding = None
            self._engine.finished(entry, self._evidence(entry, self._speaker.finish()))
            if entry.order.kind == ACTUAL:
                self._is_drill_cut = False
            entry.next_repeat += 1
            if entry.next_repeat > entry.order.times:
                self.queue.pop(entry.name, None)
                self._engine.over(entry, "done")
        elif now >= entry.order.expires + SENTENCE_GRACE:
            self._cut("expired_while_sounding")
            self.queue.pop(entry.name, None)
            self._engine.over(entry, "expired_while_sounding")

    def _expire(self, now):
        for entry in list(self.queue.values()):
            if entry.order.expires <= now and entry is not self.sounding:
                del self.queue[entry.name]
                self._engine.over(entry, "done" if entry.has_sounded else "expired")

    def _is_ready(self, entry, now):
        order = entry.order
        if entry is self.sounding or now < entry.due or order.expires <= now:
            return False
        if self._is_stopped(entry) or self._is_in_doubt(entry):
            return False
        if order.kind in (EXERCISE, TEST) and self._has_actual():
            return False
        wait = CLIP_WAIT.get(order.color, CLIP_WAIT_OTHERS)
        if entry.has_sounded or now >= entry.received + wait:
            return True
        return all(text.clip is None or self._clips.has(text.clip) for text in order.texts)

    def _is_in_doubt(self, entry):
        """While the clock is unsure: wait for the answer, then only fresh actual orders."""
        if not self._engine.clock.is_unsure:
            return False
        is_waiting = self._engine.reports.is_waiting()
        return is_waiting or entry.order.kind != ACTUAL or not entry.is_fresh

    def _has_actual(self):
        return any(entry.order.kind == ACTUAL for entry in self.queue.values())

    def _preempt(self, best):
        cut = self.sounding
        is_practice = cut.order.kind in (EXERCISE, TEST)
        if best.order.kind == ACTUAL and is_practice:
            self._cut("drill_suspended")
        else:
            self._cut("preempted")

    def _suspend_drills(self):
        """A real alert ends every drill and test that has begun here."""
        begun = [
            entry
            for entry in self.queue.values()
            if entry.order.kind in (EXERCISE, TEST) and entry.has_sounded
        ]
        for entry in begun:
            del self.queue[entry.name]
            self._engine.over(entry, "drill_suspended")
            if entry.order.drill is not None:
                self._engine.drill_suspended(entry.order.drill)
            self._is_drill_cut = True

    def _start(self, entry, now):
        self._engine.started(entry)
        self.sounding = entry
        entry.last_began = entry.first_frame = now
        entry.has_sounded = True
        entry.due = now + entry.order.interval_s * SECOND
        what = {
            "alert": entry.order.alert.identifier,
            "order": entry.name.hex(),
            "repeat": entry.next_repeat,
        }
        self._speaker.play(what, self._segments(entry.order))

    def _segments(self, order):
        frame = [self._voice(DRILL_FRAME)] if order.kind == EXERCISE else []
        segments = [*frame, ("tone", "", TONE_MS)]
        if self._is_drill_cut and order.kind == ACTUAL:
            segments.insert(0, self._voice(DRILL_CUT))
        for text in order.texts:
            if text.clip and self._clips.has(text.clip):
                segments.append(("clip", text.words, text.clip.ms))
            else:
                phrase = self._engine.phrases.find(order.event, text.language)
                if phrase:
                    segments.append(("phrase", order.event, phrase.ms))
                segments.append(self._voice(text.words))
        return segments + frame

    def _voice(self, words):
        return "voice", words, self._speaker.words_ms(words)

    def _source(self, order):
        """0 when all words come from clips, else 1."""
        is_clip = all(text.clip and self._clips.has(text.clip) for text in order.texts)
        return 0 if is_clip else 1


def _place(entry):
    return entry.place
