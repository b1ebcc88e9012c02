"""Bytes that a command wrote, as lines. No I/O.

A line ends at its newline and nowhere else: a carriage return stays in it, since that is how progress bars
draw. It bears the time at which its end was read. One that has no end is cut every `limit` bytes, and each
piece but the last is marked `"split": true`, as is what is left of a line whose rest was lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..journal.line import Entry

LIMIT = 16 << 20


class Splitter:
    """One stream of one job."""

    def __init__(self, stream: str, limit: int = LIMIT) -> None:
        self._extra: dict[str, Any] = {"stream": stream}
        self._split: dict[str, Any] = {"stream": stream, "split": True}
        self._limit = limit
        self._held: list[bytes] = []
        self._size = 0
        self._at = 0
        self._skipping = False

    def feed(self, timestamp: int, data: bytes) -> list[Entry]:
        """The lines that `data` completes."""
        if self._skipping:
            _, newline, data = data.partition(b"\n")
            self._skipping = not newline
        first, *rest = data.split(b"\n")
        self._at = timestamp
        entries = self._hold(first)
        if not rest:
            return entries
        entries.append(self._take())
        last = rest.pop()
        extra = self._extra
        for line in rest:
            if len(line) <= self._limit:
                entries.append(Entry(timestamp, line.decode("utf-8", "replace"), extra))
            else:
                entries += [*self._hold(line), self._take()]
        return entries + self._hold(last)

    def lose(self, lines: int, within: bool) -> tuple[list[Entry], int]:
        """Bytes that are nowhere, with so many newlines; `within` a line they end. What is left of the line that they
        begin in, marked `"split": true`, and how many lines are missing; the rest of the one that they end in is left
        out."""
        pieces = [replace(self._take(), extra=self._split)] if self._held else []
        begun = bool(pieces) or self._skipping
        self._skipping = within or (self._skipping and not lines)
        return pieces, max(0, lines + within - begun)

    def end(self) -> list[Entry]:
        """What came after the last newline, at the time at which it was read."""
        return [self._take()] if self._held else []

    def _hold(self, data: bytes) -> list[Entry]:
        pieces: list[Entry] = []
        if data:
            self._held.append(data)
            self._size += len(data)
        while self._size > self._limit:
            whole = b"".join(self._held)
            cut = boundary(whole, self._limit)
            pieces.append(Entry(self._at, whole[:cut].decode("utf-8", "replace"), self._split))
            self._held, self._size = [whole[cut:]], len(whole) - cut
        return pieces

    def _take(self) -> Entry:
        message = b"".join(self._held).decode("utf-8", "replace")
        self._held, self._size = [], 0
        return Entry(self._at, message, self._extra)


def boundary(data: bytes, limit: int) -> int:
    """Where to cut so that no UTF-8 character is cut through: `limit`, or up to 3 bytes before it."""
    for cut in range(limit, max(0, limit - 4), -1):
        if cut >= len(data) or data[cut] & 0xC0 != 0x80:
            return cut
    return limit
