"""An answer, a JSON list that may be longer than memory, cut into pieces while it comes in.

No scanner of our own runs over every byte: the text is cut where one entry seems to end and the next to begin, and
the piece is parsed as a list. Only a cut between two entries of the list itself leaves both brackets and quotes
balanced, so a piece that parses proves its cut. Only where guesses fail is the text scanned.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import orjson

from ..errors import UpstreamError

PIECE = 1 << 20
MOST = 64 << 20
GUESSES = 4
_BLANK = b" \t\r\n"
# What can stand between two entries: in a string the quote would be escaped, so most of what looks alike is not it.
_SEAM = re.compile(rb"\}[ \t\r\n]*(,)[ \t\r\n]*\{[ \t\r\n]*[\"}]")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
_QUOTE, _COMMA = b'",'
_SURROGATE = re.compile("[\ud800-\udfff]")


class Splitter:
    """Bytes in, lists of parsed entries out; never holds more than one piece, or one entry of up to `most` bytes."""

    def __init__(self, piece: int = PIECE, most: int = MOST) -> None:
        self._piece = piece
        self._most = most
        self._next = piece
        self._buffer = bytearray()
        self._begun = False
        self._cuts = 0

    @property
    def ready(self) -> bool:
        """Enough has come in to cut a piece off."""
        return len(self._buffer) >= self._next

    def feed(self, chunk: bytes) -> None:
        self._buffer += chunk

    def cut(self) -> list[Any] | None:
        """The entries up to the last seam, once `ready`; None where no entry has ended yet. UpstreamError: no list."""
        self._begin()
        for end in _guesses(self._buffer):
            with contextlib.suppress(orjson.JSONDecodeError):
                return self._taken(end, orjson.loads(b"[%b]" % bytes(self._buffer[:end])))
        seam = _scan(bytes(self._buffer))
        if seam is not None:
            return self._taken(seam, _lenient(bytes(self._buffer[:seam])))
        if len(self._buffer) > self._most:
            self._buffer.clear()  # the error's traceback would hold it for as long as anybody holds the error
            raise UpstreamError(f"the upstream's answer holds an entry of more than {self._most >> 20} MiB")
        # Twice as much before it is looked at again: a long entry is scanned a few times, not once a chunk.
        self._next = max(self._piece, min(2 * len(self._buffer), self._most + 1))
        return None

    def end(self) -> list[Any]:
        """The last entries, when all bytes are in. UpstreamError: the answer is no list, or half of one."""
        self._begin()
        rest = bytes(self._buffer).rstrip(_BLANK)
        self._buffer.clear()
        if not rest.endswith(b"]"):
            raise UpstreamError(f"the upstream's answer was cut off: it ends with {_quoted(rest[-40:])}")
        entries = _lenient(rest[:-1])
        if not entries and self._cuts:
            raise UpstreamError("the upstream's answer is no valid JSON list: it ends with a comma")
        return entries

    def _begin(self) -> None:
        if self._begun:
            return
        head = bytes(self._buffer[:4096]).removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
        if not head.startswith(b"["):
            what = f"it begins with {_quoted(head[:80])}" if head else "it is empty"
            raise UpstreamError(f"the upstream's answer is no JSON list: {what}")
        del self._buffer[: self._buffer.index(b"[") + 1]
        self._begun = True

    def _taken(self, seam: int, entries: list[Any]) -> list[Any]:
        del self._buffer[: seam + 1]
        self._next = self._piece
        self._cuts += 1
        return entries


def _guesses(buffer: bytearray) -> list[int]:
    """The last few places that look like a seam, the last first."""
    for reach in (1 << 16, 1 << 20):
        commas = [match.start(1) for match in _SEAM.finditer(buffer, max(0, len(buffer) - reach))]
        if commas:
            return commas[: -GUESSES - 1 : -1]
    return []


def _scan(text: bytes) -> int | None:
    """The last comma between two entries of the list itself, quotes and brackets counted."""
    depth, found = 0, None
    for match in _TOKEN.finditer(text):
        start = match.start()
        token = text[start]
        if token == _QUOTE:
            if match.end() == start + 1:  # a string that has not ended yet
                break
        elif token == _COMMA:
            if depth == 0:
                found = start
        elif token in b"{[":
            depth += 1
        else:
            depth -= 1
            if depth < 0:
                break
    return found


def _lenient(piece: bytes) -> list[Any]:
    """The entries of a piece. What orjson refuses and JSON in the wild holds is put right: lone surrogates, bytes that
    are no UTF-8, NaN."""
    text = b"[%b]" % piece
    try:
        entries: list[Any] = orjson.loads(text)
        return entries
    except orjson.JSONDecodeError:
        pass
    try:
        mended: list[Any] = json.loads(text.decode("utf-8", "replace"))
        return [_without_surrogates(entry) for entry in mended]
    except RecursionError:
        raise UpstreamError("the upstream's answer is nested too deep") from None
    except ValueError as error:
        raise UpstreamError(f"the upstream's answer is no valid JSON list ({str(error)[:80]})") from None


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _quoted(text: bytes) -> str:
    return repr(text.decode("utf-8", "replace"))
