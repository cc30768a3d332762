"""A simulated loudspeaker: it takes real time and writes what it played as JSON lines."""

import json
import time

RATE_HZ = 48_000


class Speaker:
    """One sounding at a time; each line of the file has an instant of the wall clock."""

    def __init__(self, path, characters_per_s):
        self._file = open(path, "a", buffering=1, encoding="utf-8")
        self._characters_per_s = characters_per_s
        self._ends, self._begun, self._what = None, None, None

    def words_ms(self, words):
        return int(1000 * len(words) / self._characters_per_s)

    def play(self, what, segments):
        """Begin; `segments` are (source, words, milliseconds)."""
        total = sum(ms for _, _, ms in segments)
        self._begun, self._what = time.monotonic(), what
        self._ends = self._begun + total / 1000
        said = [{"source": source, "words": words, "ms": ms} for source, words, ms in segments]
        self._write("began", segments=said)

    @property
    def is_sounding(self):
        return self._ends is not None

    def has_drained(self):
        return self.is_sounding and time.monotonic() >= self._ends

    def finish(self):
        """The frames of the drained sounding."""
        frames = int((self._ends - self._begun) * RATE_HZ)
        self._write("drained", frames=frames)
        self._ends = None
        return frames

    def cut(self, reason):
        """The frames that were heard."""
        frames = int(max(0, time.monotonic() - self._begun) * RATE_HZ)
        self._write("cut", reason=reason, frames=frames)
        self._ends = None
        return frames

    def _write(self, event, **more):
        line = {"at": time.time(), "event": event, **self._what, **more}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
