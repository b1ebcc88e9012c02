"""Lines that wait because the journal can't be written: in a file beside it, else in memory, always in
order.

Bounded both ways. Past the bounds lines are dropped, and a `Hole` says so in their place; the file outlives its
runner, so that `serve` can take the lines in later. Its first record says after which line of the journal its own lines
come, so that whoever takes them in knows which of them are there already; its last says that nothing is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..files import private
from ..journal.line import Entry
from ..store.base import Writer

FILE_BYTES = 1 << 30
MEMORY_BYTES = 32 << 20
PIECE = 5_000
_END = b'"end"\n'


@dataclass(slots=True)
class Hole:
    """So many lines are nowhere."""

    lines: int


Item = Entry | Hole


def runs(items: Sequence[Item]) -> Iterator[list[Item]]:
    """What one transaction takes each: entries up to a hole, or a hole."""
    run: list[Item] = []
    for item in items:
        if run and isinstance(item, Hole) is not isinstance(run[-1], Hole):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def store(writer: Writer, run: Sequence[Item]) -> None:
    """Writes one of `runs`, in one transaction."""
    entries = [item for item in run if isinstance(item, Entry)]
    if entries:
        writer.append(entries, mark_late=False)
        return
    lost = sum(item.lines for item in run if isinstance(item, Hole))
    writer.add_gap(writer.last_line, "upstream", lost or None)


def backlog_path(folder: Path, job: str) -> Path:
    return folder / "backlog" / f"{job}.ndjson"


class Backlog:
    """First in, first out: `push` behind, `peek` and `drop` in front. `after`: epoch and number of the last line that
    is in the journal, "" and 0 before the first. `lost`: lines that found no room. `ended`: a file that was taken over
    holds all that its runner had."""

    def __init__(self, path: Path, *, file_bytes: int = FILE_BYTES, memory_bytes: int = MEMORY_BYTES) -> None:
        self.path = path
        self.after = ("", 0)
        self.lost = 0
        self.ended = False
        self._file_bytes = file_bytes
        self._memory_bytes = memory_bytes
        self._file = -1
        self._start = self._end = 0
        self._next = 0
        self._memory: deque[Item] = deque()
        self._held = 0

    def __bool__(self) -> bool:
        return self._start < self._end or bool(self._memory)

    def __len__(self) -> int:
        """Lines that wait in memory: those would be lost with this process."""
        return sum(isinstance(item, Entry) for item in self._memory)

    def take_over(self) -> bool:
        """Goes on with the file that a runner left behind. False where there is none: somebody has taken it in."""
        with contextlib.suppress(FileNotFoundError):
            self._file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            self._end = os.fstat(self._file).st_size
            with self.path.open("rb") as file, contextlib.suppress(ValueError, TypeError, KeyError):
                epoch, line = json.loads(file.readline())["after"]
                self.after = (str(epoch), int(line))
                self._start = file.tell()
            return True
        return False

    def skip(self, count: int) -> None:
        """The first `count` lines are in the journal already."""
        while count > 0 and (waiting := self.peek()):
            entries = [item for item in waiting if isinstance(item, Entry)]
            if len(entries) > count:
                self._next = self._after_records(self._start, count)
            count -= len(entries)
            self.drop(len(waiting))

    def push(self, items: Sequence[Item]) -> None:
        written = 0 if self._memory else self._write(items)
        for item in items[written:]:
            size = 0 if isinstance(item, Hole) else len(item.message) + 100
            if self._held + size > self._memory_bytes:
                self.lost += 1
                item = Hole(1)
            if isinstance(item, Hole) and self._memory and isinstance(self._memory[-1], Hole):
                self._memory[-1].lines += item.lines
            else:
                self._memory.append(item)
                self._held += 0 if isinstance(item, Hole) else size

    def peek(self) -> list[Item]:
        """The oldest ones, as many as one transaction should take: entries, or a hole."""
        while self._start < self._end:
            if items := self._read():
                return items
            self._start = self._next  # half a line, where a runner was killed as it wrote
        self._remove()
        return next(runs([self._memory[n] for n in range(min(len(self._memory), PIECE))]), [])

    def drop(self, count: int) -> None:
        """The first `count` of the last `peek` are in the journal."""
        if self._start < self._end:
            self._start = self._next
            if self._start >= self._end:
                self._remove()
            return
        for _ in range(count):
            item = self._memory.popleft()
            self._held -= 0 if isinstance(item, Hole) else len(item.message) + 100

    def save(self) -> bool:
        """The process ends: what is in memory goes to the file if it can. True when nothing is left in memory."""
        for _ in range(self._write(list(self._memory))):
            self._memory.popleft()
        if self._memory:
            return False
        self._held = 0
        if self._opened():
            self._append(_END)
        return True

    def _write(self, items: Sequence[Item]) -> int:
        """As many of the items as the file takes."""
        if not items or not self._opened():
            return 0
        data = b"".join(_dump(item) for item in items)
        if self._end + len(data) <= self._file_bytes and self._append(data):
            return len(items)
        half = len(items) // 2
        written = self._write(items[:half])
        return written + self._write(items[half:]) if 0 < written == half else written

    def _opened(self) -> bool:
        if self._file >= 0:
            return True
        try:
            private(self.path.parent)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        if self._append(json.dumps({"after": self.after}).encode() + b"\n"):
            self._start = self._end
            return True
        self._remove()
        return False

    def _append(self, data: bytes) -> bool:
        """All of it, or nothing of it stays."""
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._file, data[done:], self._end + done)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            return False
        self._end += done
        return True

    def _read(self) -> list[Item]:
        """A run of entries, or a hole; nothing where there is only what can't be read."""
        items: list[Item] = []
        with self.path.open("rb") as file:
            file.seek(self._start)
            self._next = self._start
            while len(items) < PIECE and self._next < self._end:
                item = self._load(file.readline())
                if item is not None and items and isinstance(item, Hole) is not isinstance(items[-1], Hole):
                    break
                self._next = file.tell()
                if item is not None:
                    items.append(item)
        return items

    def _load(self, record: bytes) -> Item | None:
        self.ended = record == _END
        if self.ended:
            return None
        with contextlib.suppress(ValueError, TypeError, KeyError):
            value = json.loads(record)
            if isinstance(value, dict):
                return Hole(int(value["lost"]))
            timestamp, message, extra = value
            return Entry(timestamp, message, extra)
        return None

    def _after_records(self, start: int, count: int) -> int:
        with self.path.open("rb") as file:
            file.seek(start)
            while count:
                count -= isinstance(self._load(file.readline()), Entry)
            return file.tell()

    def _remove(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self.path.unlink(missing_ok=True)
        self._start = self._end = 0


def _dump(item: Item) -> bytes:
    value = {"lost": item.lines} if isinstance(item, Hole) else [item.timestamp, item.message, item.extra]
    return json.dumps(value).encode() + b"\n"
