"""Clips by digest: fetched aside after a random wait, checked before use, kept in a bound."""

import concurrent.futures
import os
import random
import threading
import time
import urllib.error
import urllib.request

from .cose import digest
from .limits import CLIP_BYTES_MAX, PHRASE_SET_BYTES_MAX

CACHE_BYTES_MAX = 16 * CLIP_BYTES_MAX
FETCH_TIMEOUT_S = 10
SPREAD_S_MAX = 0.8
AGAIN_S, AGAIN_S_MAX = 1.0, 60.0


class Clips:
    def __init__(self, media_url, folder):
        self._url, self._folder = media_url.rstrip("/"), folder
        os.makedirs(folder, exist_ok=True)
        self._pool = concurrent.futures.ThreadPoolExecutor(2)
        self._lock = threading.Lock()
        self._asked = set()
        self._stopping = threading.Event()

    def _path(self, clip):
        return os.path.join(self._folder, f"{clip.digest.hex()}.ogg")

    def has(self, clip):
        return os.path.exists(self._path(clip))

    def ask(self, clip, is_urgent, until):
        """Fetch in the background, once, again and again until `until` (monotonic)."""
        with self._lock:
            if clip.digest in self._asked or self.has(clip):
                return
            self._asked.add(clip.digest)
        spread_s = 0 if is_urgent else random.uniform(0, SPREAD_S_MAX)
        self._pool.submit(self._chase, clip, spread_s, until)

    def _chase(self, clip, wait_s, until):
        pause_s = AGAIN_S
        while not self._stopping.wait(wait_s):
            if self._fetch(clip) or time.monotonic() >= until:
                break
            wait_s = pause_s * random.uniform(0.5, 1)
            pause_s = min(2 * pause_s, AGAIN_S_MAX)
        with self._lock:
            self._asked.discard(clip.digest)

    def _fetch(self, clip):
        try:
            data = get(f"{self._url}/api/v1/clips/{clip.digest.hex()}", clip.size)
        except OSError as error:
            print(f"clip {clip.digest.hex()[:8]}: {error}", flush=True)
            return False
        with self._lock:
            if digest(data) != clip.digest:
                return False
            new = f"{self._path(clip)}.new"
            with open(new, "wb") as file:
                file.write(data)
            os.rename(new, self._path(clip))
            self._shrink()
        return True

    def _shrink(self):
        files = [os.path.join(self._folder, name) for name in os.listdir(self._folder)]
        files.sort(key=os.path.getmtime)
        total = sum(map(os.path.getsize, files))
        while total > CACHE_BYTES_MAX:
            oldest = files.pop(0)
            total -= os.path.getsize(oldest)
            os.remove(oldest)

    def ask_phrases(self):
        """A future of the sealed set of phrases; None when it can't be had now."""
        return self._pool.submit(self._fetch_phrases)

    def _fetch_phrases(self):
        try:
            return get(f"{self._url}/api/v1/phrases", PHRASE_SET_BYTES_MAX)
        except OSError as error:
            print(f"phrases: {error}", flush=True)
            return None

    def close(self):
        self._stopping.set()
        self._pool.shutdown(wait=False, cancel_futures=True)


def get(url, most):
    """A body of at most so many bytes; anything else is an OSError."""
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as response:
        data = response.read(most + 1)
    if len(data) > most:
        raise OSError(f"{url} is larger than {most} bytes")
    return data
