"""Lines that wait because the journal can't be written: in a file beside it, else in memory, always in
order.

Bounded both ways. Past the bounds lines are dropped and counted; the file outlives its runner, so that
`serve` can take the lines in later.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from pathlib import Path
from typing import IO

from ..database import private
from ..journal.line import Entry

FILE_BYTES = 1 << 30
MEMORY_BYTES = 32 << 20
PIECE = 5_000


def backlog_path(folder: Path, job: str) -> Path:
    return folder / "backlog" / f"{job}.ndjson"


class Backlog:
    """First in, first out: `push` behind, `peek` and `drop` in front. `lost`: lines that found no room."""

    def __init__(self, path: Path, *, file_bytes: int = FILE_BYTES, memory_bytes: int = MEMORY_BYTES) -> None:
        self.path = path
        self.lost = 0
        self._file_bytes = file_bytes
        self._memory_bytes = memory_bytes
        self._file: IO[bytes] | None = None
        self._start = self._end = 0
        self._next = 0
        self._memory: deque[Entry] = deque()
        self._held = 0

    def __bool__(self) -> bool:
        return self._start < self._end or bool(self._memory)

    def __len__(self) -> int:
        """Lines that wait in memory: those would be lost with this process."""
        return len(self._memory)

    def take_over(self) -> None:
        """Goes on with the file that a runner left behind."""
        with contextlib.suppress(FileNotFoundError):
            self._file = self.path.open("r+b")
            self._end = self.path.stat().st_size

    def push(self, entries: list[Entry]) -> None:
        if not self._memory and self._write(entries):
            return
        for entry in entries:
            size = len(entry.message) + 100
            if self._held + size > self._memory_bytes:
                self.lost += 1
                continue
            self._memory.append(entry)
            self._held += size

    def peek(self) -> list[Entry]:
        """The oldest ones, as many as one append should take."""
        if self._file is not None and self._start < self._end:
            return self._read(self._file)
        return [self._memory[index] for index in range(min(len(self._memory), PIECE))]

    def drop(self, count: int) -> None:
        """The first `count` of the last `peek` are in the journal."""
        if self._start < self._end:
            self._start = self._next
            if self._start >= self._end:
                self._remove()
            return
        for _ in range(count):
            self._held -= len(self._memory.popleft().message) + 100

    def save(self) -> bool:
        """The process ends: what is in memory goes to the file if it can. True when nothing is left in memory."""
        entries = list(self._memory)
        if entries and self._write(entries):
            self._memory.clear()
            self._held = 0
        return not self._memory

    def _write(self, entries: list[Entry]) -> bool:
        data = b"".join(_dump(entry) for entry in entries)
        if self._end + len(data) > self._file_bytes:
            return False
        try:
            if self._file is None:
                private(self.path.parent)
                self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
            self._file.seek(self._end)
            self._file.truncate()
            self._file.write(data)
            self._file.flush()
        except OSError:
            return False
        self._end += len(data)
        return True

    def _read(self, file: IO[bytes]) -> list[Entry]:
        file.seek(self._start)
        entries: list[Entry] = []
        while len(entries) < PIECE and file.tell() < self._end:
            with contextlib.suppress(ValueError):  # half a line, where a runner was killed as it wrote
                timestamp, message, extra = json.loads(file.readline())
                entries.append(Entry(timestamp, message, extra))
        self._next = file.tell()
        return entries

    def _remove(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self.path.unlink(missing_ok=True)
        self._start = self._end = 0


def _dump(entry: Entry) -> bytes:
    return json.dumps([entry.timestamp, entry.message, entry.extra]).encode() + b"\n"
