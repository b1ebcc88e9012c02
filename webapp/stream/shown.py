"""Lines as text: what a terminal shows of them in the end (see `journal.terminal`).

What is shown of a line depends on lines before it, which may have begun its row, and on lines after it, which may draw
the row anew. So a reader begins up to `SPAN` lines before what was asked for, and ends some lines after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import orjson

from ..journal.batch import Batch
from ..journal.item import Item
from ..journal.terminal import REACH, SPAN, Screen
from ..store.base import Journal

MOST_BYTES = 8 << 20  # of lines that are read before and after those that were asked for
# A control character in encoded lines; where the backslash itself is escaped it is not one, which only costs time.
_TELLS = re.compile(rb"\\[u\\bfnr]|\xc2[\x80-\x9f]|\x7f")


def _plain(lines: bytes) -> bool:
    """No message in these encoded lines holds a control character. Most have none of the three bytes."""
    return not any(byte in lines for byte in (b"\\", b"\xc2", b"\x7f")) or _TELLS.search(lines) is None


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
        self._plain: list[str] = []  # their messages, up to that of `_last`
        self._given: dict[int, str] = {}  # what was given while it could still change
        self._last = self._ahead = 0  # the newest line; bytes past `upto`

    @property
    def over(self) -> bool:
        """Later lines can no longer change what was asked for."""
        if self._left == 0 or self._upto is None:
            return self._left == 0
        if self._ahead > MOST_BYTES:
            return True
        return self._last > self._upto and min((line for line, _ in self._open()), default=self._last) > self._upto

    def feed(self, batch: Batch) -> bytes:
        if self._upto is not None and batch.first > self._upto:
            self._ahead += len(batch.lines)
        plain = _plain(batch.lines)
        if self._screen is None and plain:
            self._last = batch.last
            self._plain += [orjson.loads(line)["message"] for line in batch.split()]
            ready, self._plain = self._plain[:-REACH], self._plain[-REACH:]
            return self._lines(self._last - len(self._plain) - len(ready) + 1, ready)
        lines = [orjson.loads(line) for line in batch.split()]
        data = self._read(lines)
        self._last = batch.last
        if plain and len(batch) >= REACH and self._screen is not None and self._screen.resting:
            data += self.rest()
            self._plain = [line["message"] for line in lines[-REACH:]]
            self._given |= dict(self._open())
        return data

    def pause(self) -> bytes:
        """What may still change, as it is now; a line that does change later is given once more."""
        found = [(line, text) for line, text in self._open() if self._given.get(line) != text]
        data = self._text(found)
        self._given |= dict(found)
        return data

    def rest(self) -> bytes:
        """What is left."""
        data = self._text(self._open())
        self._screen, self._plain, self._given = None, [], {}
        return data

    def _open(self) -> list[tuple[int, str]]:
        if self._screen is not None:
            return [(item.line, item.text) for item in self._screen.items]
        return list(enumerate(self._plain, self._last - len(self._plain) + 1))

    def _read(self, lines: list[dict[str, str]]) -> bytes:
        final: list[Item] = []
        if self._screen is None:
            self._screen = Screen()
            for number, message in enumerate(self._plain, self._last - len(self._plain) + 1):
                final += self._screen.feed(number, message)
            self._plain = []
        for line in lines:
            final += self._screen.feed(int(line["line"]), line["message"], line.get("stream") or "")
        return self._text([(item.line, item.text) for item in final])

    def _lines(self, first: int, texts: list[str]) -> bytes:
        """Consecutive lines; most are wanted as they are."""
        whole = first > self._after and (self._upto is None or first + len(texts) - 1 <= self._upto)
        if not whole or self._given or self._left is not None or self._longest:
            return self._text(enumerate(texts, first))
        return ("\n".join(texts) + "\n").encode("utf-8", "replace") if texts else b""

    def _text(self, found: Iterable[tuple[int, str]]) -> bytes:
        return "".join(self._asked(found)).encode("utf-8", "replace")

    def _asked(self, found: Iterable[tuple[int, str]]) -> Iterator[str]:
        for line, text in found:
            if line <= self._after or (self._upto is not None and line > self._upto) or self._left == 0:
                continue
            if self._given.pop(line, None) == text:
                continue
            if self._left is not None:
                self._left -= 1
            if self._longest and len(text) > self._longest // 4:
                text = text.encode("utf-8", "replace")[: self._longest].decode("utf-8", "ignore")
            yield text + "\n"
