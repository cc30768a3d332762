"""The prepared phrases of hazards: fetched again and again, believed when signed."""

import random
import time

from . import limits, messages, trust
from .limits import Refused

EVERY_S = 6 * 3_600
AGAIN_S = 60
OTHER = "19000"


class Phrases:
    """Belongs to the run loop; the fetching is done by `clips`."""

    def __init__(self, engine, clips):
        self._engine, self._clips = engine, clips
        self._phrases, self._due, self._coming = [], 0.0, None

    def tick(self):
        if self._coming is not None and self._coming.done():
            sealed, self._coming = self._coming.result(), None
            is_here = sealed is not None and self._take(sealed)
            pause_s = EVERY_S if is_here else AGAIN_S
            self._due = time.monotonic() + pause_s * random.uniform(0.5, 1)
        if self._coming is None and time.monotonic() >= self._due:
            self._coming = self._clips.ask_phrases()

    def _take(self, sealed):
        engine = self._engine
        try:
            opened = trust.open_message(
                sealed,
                limits.PHRASE_SET,
                engine.roots,
                engine.state.revoked,
                engine.trusted_now(),
            )
            self._phrases = messages.read_phrases(opened.payload)
        except Refused as refused:
            print(f"phrases: {refused}", flush=True)
            return False
        for _, _, clip in self._phrases:
            self._clips.ask(clip, is_urgent=False, until=time.monotonic() + EVERY_S)
        return True

    def find(self, event, language):
        """The clip of the hazard, else of its sub-class, its class, or of `other`; or None."""
        primary = language.split("-")[0].lower()
        for code in (event, f"{event[:3]}00", f"{event[:2]}000", OTHER):
            for listed, tag, clip in self._phrases:
                is_it = listed == code and tag.split("-")[0].lower() == primary
                if is_it and self._clips.has(clip):
                    return clip
        return None
