"""Lines as text: what a terminal shows of them in the end (see `journal.terminal`).

What is shown of a line depends on lines before it, which may have begun its row, and on lines after it, which may draw
the row anew. So a reader begins up to `SPAN` lines before what was asked for, and ends some lines after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import orjson

from ..journal.batch import Batch
from ..journal.terminal import REACH, SPAN, Item, Screen
from ..store.base import Journal

MOST_BYTES = 8 << 20  # of lines that are read before and after those that were asked for
# A control character in encoded lines; a backslash before one of these letters may stand for itself, which costs time.
_TELLS = re.compile(rb"\\[u\\bfnr]|\xc2[\x80-\x9f]|\x7f")


def begins(journal: Journal, after: int, low: int) -> int:
    """The line after which reading begins so that what stands after `after` is read as it is shown. No line up to `low`
    is read."""
    start = max(low, after // SPAN * SPAN)
    size, found = 0, after
    while found > start and size < MOST_BYTES:
        batches = journal.read_back(found + 1, most_bytes=1 << 20)
        if not batches:
            break
        size += sum(len(batch.lines) for batch in batches)
        found = batches[0].first - 1
    return max(start, min(found, after))


class Shown:
    """Reads consecutive batches and gives the text of the lines after `after` up to `upto` (None: no end), at most
    `left` of them. `longest`: bytes of a line's text past which it is cut; 0: never."""

    def __init__(self, after: int, upto: int | None, left: int | None, longest: int = 0) -> None:
        self._after, self._upto, self._left, self._longest = after, upto, left, longest
        self._screen: Screen | None = None  # None: all that could still be drawn anew are plain lines
        self._plain: list[tuple[int, str]] = []
        self._told: dict[int, str] = {}  # what was given before it was final
        self._last = self._ahead = 0  # the newest line; bytes past `upto`

    @property
    def over(self) -> bool:
        """What comes next can change nothing of what was asked for."""
        if self._left == 0 or self._upto is None:
            return self._left == 0
        if self._ahead > MOST_BYTES:
            return True
        return self._last > self._upto and min((line for line, _ in self._open()), default=self._last) > self._upto

    def feed(self, batch: Batch) -> bytes:
        if self._upto is not None and batch.first > self._upto:
            self._ahead += len(batch.lines)
        self._last = batch.last
        lines = [orjson.loads(line) for line in batch.split()]
        plain = not _TELLS.search(batch.lines)
        if self._screen is None and plain:
            self._plain += [(line["line"], line["message"]) for line in lines]
            ready, self._plain = self._plain[:-REACH], self._plain[-REACH:]
            return self._text(ready)
        data = self._read(lines)
        if plain and len(batch) >= REACH and self._screen is not None and self._screen.resting:
            data += self.rest()
            self._plain = [(line["line"], line["message"]) for line in lines[-REACH:]]
            self._told |= dict(self._plain)
        return data

    def pause(self) -> bytes:
        """What is not final, as it stands; what changes later comes once more."""
        found = [(line, text) for line, text in self._open() if self._told.get(line) != text]
        data = self._text(found)
        self._told |= dict(found)
        return data

    def rest(self) -> bytes:
        """What is left."""
        data = self._text(self._open())
        self._screen, self._plain, self._told = None, [], {}
        return data

    def _open(self) -> list[tuple[int, str]]:
        return self._plain if self._screen is None else [(item.line, item.text) for item in self._screen.items]

    def _read(self, lines: list[dict[str, str]]) -> bytes:
        final: list[Item] = []
        if self._screen is None:
            self._screen = Screen()
            for number, message in self._plain:
                final += self._screen.feed(number, message)
            self._plain = []
        for line in lines:
            final += self._screen.feed(int(line["line"]), line["message"], line.get("stream") or "")
        return self._text([(item.line, item.text) for item in final])

    def _text(self, found: Iterable[tuple[int, str]]) -> bytes:
        return "".join(self._asked(found)).encode("utf-8", "replace")

    def _asked(self, found: Iterable[tuple[int, str]]) -> Iterator[str]:
        for line, text in found:
            if line <= self._after or (self._upto is not None and line > self._upto) or self._left == 0:
                continue
            if self._told.pop(line, None) == text:
                continue
            if self._left is not None:
                self._left -= 1
            if self._longest and len(text) > self._longest // 4:
                text = text.encode("utf-8", "replace")[: self._longest].decode("utf-8", "ignore")
            yield text + "\n"
