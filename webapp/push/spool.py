"""Lines on their way to a service elsewhere: in files of a bounded size, the oldest first, until it has them.

One thread pushes, another takes. A file is removed once the service has what is in it; past the bound of all together,
lines are dropped and a `Hole` stands in their place. What is left there outlives its runner.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from ..engine.backlog import Backlog, Hole, Item, lines_in, read_item
from ..engine.splitter import boundary
from ..journal.text import Text, text
from ..room import Disk

SEGMENT_BYTES = 8 << 20
MOST_BYTES = 1 << 30
# How much is held in memory where no file can take it.
MEMORY_BYTES = 32 << 20
# A line longer than this goes as several, each but the last marked `"split": true`: a request has to hold it.
LINE_BYTES = 256 << 10
BATCH_LINES = 10_000


class Spool:
    """`folder`: of one job. Lines are counted from 1 over all that was ever pushed; `sent`: how many of them the
    service has."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES, disk: Disk | None = None) -> None:
        self.folder = folder
        self._disk = disk
        self.sent = 0
        self.lost = 0  # lines that found no room
        self._pushed = 0
        self._most = most_bytes
        self._segments: deque[Backlog] = deque()
        self._front: deque[Item] = deque()  # of the first segment, in hand
        self._peeked = 0
        self._lock = threading.Lock()
        self._number = 0

    @property
    def waiting(self) -> int:
        """Lines that the service does not have yet."""
        return self._pushed - self.sent

    def __bool__(self) -> bool:
        """Something is left: lines, or a hole of which the service was not told yet."""
        with self._lock:
            return bool(self._front) or any(self._segments)

    def push(self, items: Sequence[Item]) -> None:
        with self._lock:
            for item in items:
                for piece in pieces(item):
                    self._push(piece)

    def _push(self, item: Item) -> None:
        if not isinstance(item, Hole) and self._is_full(len(item.data)):
            self.lost += item.count
            item = Hole(item.count)
        if not self._segments or self._segments[-1].size > SEGMENT_BYTES:
            self._number += 1
            self._segments.append(Backlog(self.folder / f"{self._number:06d}.ndjson", disk=self._disk))
        segment = self._segments[-1]
        if not segment:
            segment.after = ("", self._pushed)
        before = segment.lost
        segment.push([item])
        self.lost += segment.lost - before
        self._pushed += lines_in([item]) - (segment.lost - before)

    def _is_full(self, more: int) -> bool:
        size, held = sum(each.size for each in self._segments), sum(each.held for each in self._segments)
        return size + more > self._most or (held > 0 and held + more > MEMORY_BYTES)

    def take_over(self) -> bool:
        """Goes on with the files that a runner left behind. False where nothing is left."""
        for path in sorted(self.folder.glob("*.ndjson")):
            segment = Backlog(path)
            if segment.take_over():
                self._segments.append(segment)
                self._number = int(path.stem)
        if not self._segments:
            return False
        self.sent = self._pushed = self._segments[0].after[1]
        for path in sorted(self.folder.glob("*.ndjson")):
            self._pushed += _count(path)
        return True

    def batch(self, size: int) -> list[Text] | Hole | None:
        """The oldest lines, about `size` bytes of them. The same ones are given until `advance` is called."""
        with self._lock:
            self._fill()
            if not self._front:
                return None
            if isinstance(self._front[0], Hole):
                return self._front[0]
            taken: list[Text] = []
            for item in self._front:
                if isinstance(item, Hole) or (taken and not fits([*taken, item], size)):
                    break
                taken.append(item)
            while len(taken) == 1 and taken[0].count > 1 and not fits(taken, size):
                self._front.popleft()
                first, second = taken[0].halves()
                self._front.extendleft((second, first))
                taken = [first]
            return taken

    def advance(self, batch: Sequence[Text] | Hole) -> None:
        """Lets go of a batch that the service has."""
        with self._lock:
            for _ in range(1 if isinstance(batch, Hole) else len(batch)):
                self._front.popleft()
            if not isinstance(batch, Hole):
                self.sent += lines_in(batch)
            self._drop()

    def skip(self, sent: int) -> None:
        """The service has all lines up to this number."""
        with self._lock:
            while self.sent < sent:
                self._fill()
                if not self._front:
                    break
                item = self._front.popleft()
                if isinstance(item, Text):
                    known = min(item.count, sent - self.sent)
                    if known < item.count:
                        self._front.appendleft(item.after(known))
                    self.sent += known
                self._drop()

    def save(self) -> bool:
        """Writes what is in memory only, before the process ends. False where something can't be written."""
        with self._lock:
            saved = [segment.save() for segment in self._segments if segment]
            return all(saved)

    def _fill(self) -> None:
        while not self._front and self._segments:
            self._front.extend(self._segments[0].peek())
            self._peeked = len(self._front)
            if self._front or len(self._segments) == 1:
                return
            self._segments.popleft()

    def _drop(self) -> None:
        if not self._front and self._segments and self._peeked:
            self._segments[0].drop(self._peeked)
            self._peeked = 0


def fits(texts: Sequence[Text], size: int) -> bool:
    """Whether they may go in one request."""
    lines = sum(each.count for each in texts)
    return lines <= BATCH_LINES and len(texts) <= BATCH_LINES and sum(len(each.data) for each in texts) <= size


def pieces(item: Item) -> list[Item]:
    """An item as its lines may be sent."""
    if isinstance(item, Hole) or len(item.data) <= LINE_BYTES or max(map(len, item.data.split(b"\n"))) <= LINE_BYTES:
        return [item]
    found: list[Item] = []
    for line in item.data.split(b"\n"):
        while len(line) > LINE_BYTES:
            cut = boundary(line, LINE_BYTES)
            found.append(text(item.timestamp, line[:cut], {**item.extra, "split": True}))
            line = line[cut:]
        found.append(text(item.timestamp, line, item.extra))
    return found


def _count(path: Path) -> int:
    """Lines in a file that was left behind."""
    with path.open("rb") as file:
        return sum(lines_in([item]) for record in file if (item := read_item(record)) is not None)
