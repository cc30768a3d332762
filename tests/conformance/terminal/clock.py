"""Signed time: never before what was verified, counted on by a monotonic timer."""

import time

from .limits import SECOND


class Clock:
    def __init__(self, floor, is_unsure):
        self._base = max(int(time.time() * SECOND), floor)
        self._since = time.monotonic()
        self.is_unsure = is_unsure

    def now(self):
        return self._base + int((time.monotonic() - self._since) * SECOND)

    def answered(self, at):
        """The signed time of the reply to the own hello."""
        self.learn(at)
        self.is_unsure = False

    def learn(self, at):
        """A signed time that was verified."""
        if at > self.now():
            self._base, self._since = at, time.monotonic()
