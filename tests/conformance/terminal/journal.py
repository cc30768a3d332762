"""The journal on disk: one line a step, flushed before anything is answered.

A line holds all records of one decision, so a power cut leaves a decision whole or not at all.
"""

import json
import os

COMPACT_BYTES = 1_048_576


class Journal:
    def __init__(self, path, apply, snapshot):
        self._path, self._apply, self._snapshot = path, apply, snapshot
        self._read()
        self._file = open(path, "ab")

    def _read(self):
        if not os.path.exists(self._path):
            return
        whole = 0
        with open(self._path, "rb") as file:
            for line in file:
                try:
                    records = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    records = None
                if records is None:
                    break
                for record in records:
                    self._apply(record)
                whole += len(line)
        if whole < os.path.getsize(self._path):
            os.truncate(self._path, whole)

    def write(self, records):
        """On disk, then in the state; returns only when a power cut can't take it back."""
        if not records:
            return
        line = json.dumps(records, ensure_ascii=False, separators=(",", ":"))
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        for record in records:
            self._apply(record)
        if self._file.tell() > COMPACT_BYTES:
            self._compact()

    def _compact(self):
        new = f"{self._path}.new"
        with open(new, "wb") as file:
            file.write(json.dumps([self._snapshot()], ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._file.close()
        os.rename(new, self._path)
        folder = os.open(os.path.dirname(self._path) or ".", os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        self._file = open(self._path, "ab")

    def size(self):
        return self._file.tell()
