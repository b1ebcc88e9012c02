"""Lines that wait because the journal can't be written: in a file beside it, else in memory, always in
order.

Bounded both ways. Past the bounds lines are dropped, and a `Hole` says so in their place; the file outlives its
runner, so that `serve` can take the lines in later. Its first record says after which line of the journal its own lines
come, so that a process that takes them in knows which are there already; its last record says that nothing is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from ..files import private
from ..journal.text import Text, text
from ..room import Disk
from ..store.base import Writer

FILE_BYTES = 1 << 30
MEMORY_BYTES = 32 << 20
# What one transaction takes.
PIECE_BYTES = 4 << 20
PIECE_ITEMS = 5_000
ITEM_BYTES = 200  # about what an item takes beside its text
_END = b'"end"\n'


@dataclass(slots=True)
class Hole:
    """Stands in the place of lines that were lost: how many."""

    lines: int


Item = Text | Hole


def lines_in(items: Sequence[Item]) -> int:
    """Holes are none."""
    return sum(item.count for item in items if isinstance(item, Text))


def runs(items: Sequence[Item]) -> Iterator[list[Item]]:
    """The items in pieces that one transaction each takes: texts up to a hole, or a hole."""
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
    texts = [item for item in run if isinstance(item, Text)]
    if texts:
        writer.append(texts, mark_late=False)
        return
    lost = sum(item.lines for item in run if isinstance(item, Hole))
    writer.add_gap(writer.last_line, "upstream", lost or None)


def backlog_path(folder: Path, job: str) -> Path:
    return folder / "backlog" / f"{job}.ndjson"


class Backlog:
    """First in, first out: `push` behind, `peek` and `drop` in front. `after`: epoch and number of the last line that
    is in the journal, "" and 0 before the first. `lost`: lines that found no room. `ended`: a file that was taken over
    holds all that its runner had."""

    def __init__(
        self,
        path: Path,
        *,
        file_bytes: int = FILE_BYTES,
        memory_bytes: int = MEMORY_BYTES,
        disk: Disk | None = None,
    ) -> None:
        self.path = path
        self._disk = disk or Disk(path.parent)
        self.after = ("", 0)
        self.lost = 0
        self.ended = False
        self._file_bytes = file_bytes
        self._memory_bytes = memory_bytes
        self._file = -1
        self._start = self._end = 0
        self._next = 0
        self._known = 0  # lines in front that are in the journal already
        self._memory: deque[Item] = deque()
        self._held = 0
        self._peeked = 0  # in front of those in memory: somebody may be writing them at this moment

    def __bool__(self) -> bool:
        return self._start < self._end or bool(self._memory)

    def __len__(self) -> int:
        """Lines that wait in memory: those would be lost with this process."""
        return lines_in(self._memory)

    @property
    def held(self) -> int:
        """Bytes of what waits in memory."""
        return self._held

    @property
    def size(self) -> int:
        """Bytes of the file and of what waits in memory."""
        return self._end + self._held

    @property
    def where(self) -> str:
        """Where the next lines wait, for people: what is in memory is gone where this process is killed."""
        full = self._memory or self._disk.room().level == "full"
        return "memory, since there is no room on the disk" if full else str(self.path)

    def take_over(self) -> bool:
        """Goes on with the file that a runner left behind. False where the file is gone: another has taken it in."""
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
        """The first `count` lines are in the journal already, and so are the holes among them."""
        while count > 0 and (waiting := self.peek()):
            lines = lines_in(waiting)
            if lines > count:
                self._known = count
                if self._start >= self._end:
                    self._forget_known()
                return
            count -= lines
            self.drop(len(waiting))

    def _forget_known(self) -> None:
        """In memory, of the first text that holds what is known."""
        while self._known:
            first = self._memory.popleft()
            self._held -= _size(first)
            if isinstance(first, Text) and first.count > self._known:
                self._memory.appendleft(first.after(self._known))
                self._held += _size(self._memory[0])
                self._known = 0
            elif isinstance(first, Text):
                self._known -= first.count

    def push(self, items: Sequence[Item]) -> None:
        for item in items if self._memory or self._disk.room().level == "full" else self._write(items):
            for part in self._held_back(item):
                last = self._memory[-1] if len(self._memory) > self._peeked else None
                if isinstance(part, Hole) and isinstance(last, Hole):
                    last.lines += part.lines
                else:
                    self._memory.append(part)
                    self._held += _size(part)

    def _held_back(self, item: Item) -> list[Item]:
        """The item as far as memory has room for it, and a hole for the rest."""
        if isinstance(item, Hole) or self._held + _size(item) <= self._memory_bytes:
            return [item]
        room = max(0, self._memory_bytes - self._held - ITEM_BYTES)
        end = item.data.rfind(b"\n", 0, room + 1)
        kept = item.data.count(b"\n", 0, end) + 1 if end >= 0 else 0
        self.lost += item.count - kept
        hole = Hole(item.count - kept)
        return [replace(item, data=item.data[:end], count=kept), hole] if kept else [hole]

    def peek(self) -> list[Item]:
        """The oldest ones, as many as one transaction should take: texts, or a hole."""
        while self._start < self._end:
            if items := self._read():
                return items
            self._start = self._next  # half a line, where a runner was killed as it wrote
        self._remove()
        waiting: list[Item] = []
        size = 0
        for item in self._memory:
            if waiting and (size > PIECE_BYTES or len(waiting) >= PIECE_ITEMS):
                break
            waiting.append(item)
            size += _size(item)
        found = next(runs(waiting), [])
        self._peeked = len(found)
        return found

    def drop(self, count: int) -> None:
        """The first `count` of the last `peek` are in the journal."""
        if self._start < self._end:
            self._start, self._known = self._next, 0
            if self._start >= self._end:
                self._remove()
            return
        self._peeked = 0
        for _ in range(count):
            self._held -= _size(self._memory.popleft())

    def save(self) -> bool:
        """The process ends: what is in memory goes to the file if it can, also into the room that is kept free. True
        when nothing is left in memory."""
        self._memory = deque(self._write(list(self._memory)))
        self._held = sum(map(_size, self._memory))
        if self._memory:
            return False
        if self._opened():
            self._append(_END)
        return True

    def _write(self, items: Sequence[Item]) -> Sequence[Item]:
        """Writes items to the file as far as there is room, and returns the others."""
        if not items or not self._opened():
            return items
        data = b"".join(_dump(item) for item in items)
        if self._end + len(data) <= self._file_bytes and self._append(data):
            return ()
        if len(items) == 1:
            first = items[0]
            if isinstance(first, Hole) or first.count == 1:
                return items
            items = first.halves()
        half = len(items) // 2
        left = self._write(items[:half])
        return [*left, *items[half:]] if left else self._write(items[half:])

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
        """Writes all of it; where that fails, nothing of it stays in the file."""
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
        """A run of texts, or a hole; nothing where there is only what can't be read, or is known."""
        items: list[Item] = []
        size, known = 0, self._known
        with self.path.open("rb") as file:
            file.seek(self._start)
            self._next = self._start
            while size < PIECE_BYTES and len(items) < PIECE_ITEMS and self._next < self._end:
                item = self._load(file.readline())
                if item is not None and items and isinstance(item, Hole) is not isinstance(items[-1], Hole):
                    break
                self._next = file.tell()
                if isinstance(item, Text) and known:
                    skipped = min(known, item.count)
                    known -= skipped
                    item = item.after(skipped) if skipped < item.count else None
                if item is not None:
                    items.append(item)
                    size += _size(item)
        return items

    def _load(self, record: bytes) -> Item | None:
        self.ended = record == _END
        return None if self.ended else read_item(record)

    def _remove(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self.path.unlink(missing_ok=True)
        self._start = self._end = 0


def read_item(record: bytes) -> Item | None:
    """None for what is not an item: the first and the last record, or one that was cut off."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        value = json.loads(record)
        if isinstance(value, dict):
            return Hole(int(value["lost"]))
        timestamp, message, extra = value
        return text(int(timestamp), message.encode("utf-8", "replace"), dict(extra))
    return None


def _size(item: Item) -> int:
    return 0 if isinstance(item, Hole) else len(item.data) + ITEM_BYTES


def _dump(item: Item) -> bytes:
    """A text is a record: its time, its lines with newlines between them, its other keys."""
    if isinstance(item, Hole):
        return json.dumps({"lost": item.lines}).encode() + b"\n"
    return orjson.dumps([item.timestamp, item.data.decode("utf-8", "replace"), item.extra]) + b"\n"
