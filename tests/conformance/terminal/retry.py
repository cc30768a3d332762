"""A message that is said again until it is answered, each time after twice the wait."""

import random
import time


class Retry:
    def __init__(self, first_s, most_s):
        self._first, self._most = first_s, most_s
        self._due, self._wait = None, first_s

    def now(self):
        """Say it at once, and start the waits anew."""
        self._due, self._wait = time.monotonic(), self._first

    def soon(self):
        """There is something to say: at once, unless an answer is awaited."""
        if self._due is None:
            self.now()

    def never(self):
        self._due = None

    def is_due(self):
        """Whether to say it; counts as said."""
        if self._due is None or time.monotonic() < self._due:
            return False
        pause = self._wait * random.uniform(0.8, 1.2)
        self._due, self._wait = time.monotonic() + pause, min(self._wait * 2, self._most)
        return True
