"""Bytes that a command wrote, as lines. No I/O.

Only a newline ends a line: a carriage return stays in it, since that is how progress bars
draw. It bears the time at which its end was read. One that has no end is cut every `limit` bytes, and each
piece but the last is marked `"split": true`, as is what is left of a line whose rest was lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..journal.text import Text, text

LIMIT = 16 << 20
# How much of a line without an end is shown.
SHOWN = 4 << 10


class Splitter:
    """One stream of one job. `level`: what each of its lines bears, where that is known."""

    def __init__(self, stream: str, limit: int = LIMIT, level: str = "") -> None:
        self._extra: dict[str, Any] = {"stream": stream} | ({"level": level} if level else {})
        self._split: dict[str, Any] = {**self._extra, "split": True}
        self._limit = limit
        self._held: list[bytes] = []
        self._size = 0
        self._at = 0
        self._skipping = False

    def feed(self, timestamp: int, data: bytes) -> list[Text]:
        """The lines that `data` completes."""
        if self._skipping:
            _, newline, data = data.partition(b"\n")
            self._skipping = not newline
        self._at = timestamp
        last = data.rfind(b"\n")
        if last < 0:
            return self._hold(data)
        if self._size + last <= self._limit:
            texts = [text(timestamp, b"".join((*self._held, data[:last])), self._extra)]
            self._held, self._size = [], 0
        else:
            texts = [piece for line in data[:last].split(b"\n") for piece in (*self._hold(line), self._take())]
        return texts + self._hold(data[last + 1 :])

    def lose(self, lines: int, within: bool) -> tuple[list[Text], int]:
        """Bytes that are nowhere, with so many newlines; `within` a line they end. What is left of the line that they
        begin in, marked `"split": true`, and how many lines are missing; the rest of the one that they end in is left
        out."""
        pieces = [replace(self._take(), extra=self._split)] if self._held else []
        begun = bool(pieces) or self._skipping
        self._skipping = within or (self._skipping and not lines)
        return pieces, max(0, lines + within - begun)

    def unfinished(self) -> dict[str, Any] | None:
        """What came after the last newline, as far as it is shown: its end, from where it was last redrawn."""
        if not self._held:
            return None
        end = b""
        for part in reversed(self._held):
            end = part[-SHOWN:] + end
            if len(end) >= SHOWN:
                break
        if len(end) < self._size:
            end = end[-SHOWN:]
            redrawn = end.find(b"\r", 0, -1)
            end = end[redrawn + 1 :] if redrawn >= 0 else end[_whole(end) :]
        return {"message": end.decode("utf-8", "replace"), "timestamp": self._at}

    def end(self) -> list[Text]:
        """What came after the last newline, at the time at which it was read."""
        return [self._take()] if self._held else []

    def _hold(self, data: bytes) -> list[Text]:
        pieces: list[Text] = []
        if data:
            self._held.append(data)
            self._size += len(data)
        while self._size > self._limit:
            whole = b"".join(self._held)
            cut = boundary(whole, self._limit)
            pieces.append(text(self._at, whole[:cut], self._split))
            self._held, self._size = [whole[cut:]], len(whole) - cut
        return pieces

    def _take(self) -> Text:
        taken = text(self._at, b"".join(self._held), self._extra)
        self._held, self._size = [], 0
        return taken


def boundary(data: bytes, limit: int) -> int:
    """Where to cut so that no UTF-8 character is cut through: `limit`, or up to 3 bytes before it."""
    for cut in range(limit, max(0, limit - 4), -1):
        if cut >= len(data) or data[cut] & 0xC0 != 0x80:
            return cut
    return limit


def _whole(data: bytes) -> int:
    """Where the first character begins that is not cut through."""
    return next((start for start in range(min(4, len(data))) if data[start] & 0xC0 != 0x80), 0)
