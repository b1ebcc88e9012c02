"""An answer, a JSON list that may be longer than memory, cut into pieces while it comes in.

No scanner of our own runs over every byte: the text is cut where one entry seems to end and the next to begin, and
the piece is parsed as a list. Only a cut between two entries of the list itself leaves both brackets and quotes
balanced, so a piece that parses proves its cut. Only where guesses fail is the text scanned.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

from ..errors import UpstreamError
from ..strictjson import TEXT_MOST, Odd, loads

PIECE = 1 << 20
MOST = 64 << 20
GUESSES = 4
_BLANK = b" \t\r\n"
# What can stand between two entries. Within a string the quotes would be escaped, so few other places look like it.
_SEAM = re.compile(rb"\}[ \t\r\n]*(,)[ \t\r\n]*\{[ \t\r\n]*[\"}]")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
_QUOTE, _COMMA = b'",'
_MEMBER = re.compile(rb'[ \t\r\n]*("(?:[^"\\]++|\\.)*+")[ \t\r\n]*:(.*)', re.DOTALL)


class ElementSplitter:
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
        """The entries up to the last cut, once `ready`; None where no entry has ended yet. UpstreamError: not a
        list."""
        self._begin()
        for end in _guesses(self._buffer):
            with contextlib.suppress(ValueError):
                return self._taken(end, loads(b"[%b]" % bytes(self._buffer[:end])))
        seam = _scan(bytes(self._buffer))
        if seam is not None:
            return self._taken(seam, _elements(bytes(self._buffer[:seam]), more=True))
        if len(self._buffer) > self._most:
            self._buffer.clear()  # the error's traceback would hold it for as long as anybody holds the error
            raise UpstreamError(f"the upstream's answer holds an entry of more than {self._most >> 20} MiB")
        # Looked at again when twice as much has come: so a long entry is scanned a few times, and not for every chunk.
        self._next = max(self._piece, min(2 * len(self._buffer), self._most + 1))
        return None

    def end(self) -> list[Any]:
        """The last entries, when all bytes are in. UpstreamError: the answer is not a list, or half of one."""
        self._begin()
        rest = bytes(self._buffer).rstrip(_BLANK)
        self._buffer.clear()
        if not rest.endswith(b"]"):
            raise UpstreamError(f"the upstream's answer was cut off: it ends with {_quoted(rest[-40:])}")
        entries = _elements(rest[:-1], more=self._cuts > 0)
        if not entries and self._cuts:
            raise UpstreamError("the upstream's answer is not a valid JSON list: it ends with a comma")
        return entries

    def _begin(self) -> None:
        if self._begun:
            return
        head = bytes(self._buffer[:4096]).removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
        if not head.startswith(b"["):
            what = f"it begins with {_quoted(head[:80])}" if head else "it is empty"
            raise UpstreamError(f"the upstream's answer is not a JSON list: {what}")
        del self._buffer[: self._buffer.index(b"[") + 1]
        self._begun = True

    def _taken(self, seam: int, entries: list[Any]) -> list[Any]:
        del self._buffer[: seam + 1]
        self._next = self._piece
        self._cuts += 1
        return entries


def _guesses(buffer: bytearray) -> list[int]:
    """The last few places where the text may be cut, the last one first."""
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


def _elements(piece: bytes, more: bool) -> list[Any]:
    """The elements of a piece. One that no parser takes (nested without end, a word that is not JSON) does not cost the
    others: it is kept as far as it can be read. `more`: there are others before or after them. UpstreamError: these are
    no elements at all."""
    try:
        found: list[Any] = loads(b"[%b]" % piece)
        return found
    except ValueError as error:
        broken = UpstreamError(f"the upstream's answer is not a valid JSON list ({str(error)[:80]})")
    parts = _parted(piece)
    if parts is None or not (more or len(parts) > 1 or piece.lstrip(_BLANK).startswith(b"{")):
        raise broken
    try:
        return [_element(part) for part in parts]
    except ValueError:
        raise broken from None


def _element(text: bytes) -> Any:
    try:
        return loads(text)
    except ValueError:
        pass
    text = text.strip(_BLANK)
    if text[:1] == b"[" and text[-1:] == b"]":
        return _odd(text)
    members = _parted(text[1:-1]) if text[:1] == b"{" and text[-1:] == b"}" else None
    if members is None:
        raise ValueError("an element is neither an object nor a list")
    found = {}
    for member in members:
        match = _MEMBER.fullmatch(member)
        if match is None or not match[2].strip(_BLANK):
            raise ValueError("an object's member has no name or no value")
        found[loads(match[1])] = _value(match[2])
    return found


def _value(text: bytes) -> Any:
    try:
        return loads(text)
    except ValueError:
        return _odd(text.strip(_BLANK))


def _odd(text: bytes) -> Odd:
    return Odd(text[:TEXT_MOST].decode("utf-8", "replace"))


def _parted(text: bytes) -> list[bytes] | None:
    """What the commas of this level part; None where brackets or quotes do not close."""
    depth, start, parts = 0, 0, []
    for match in _TOKEN.finditer(text):
        token = text[match.start()]
        if token == _QUOTE:
            if match.end() == match.start() + 1:
                return None
        elif token == _COMMA:
            if depth == 0:
                parts.append(text[start : match.start()])
                start = match.end()
        else:
            depth += 1 if token in b"{[" else -1
            if depth < 0:
                return None
    return None if depth else [*parts, text[start:]]


def _quoted(text: bytes) -> str:
    return repr(text.decode("utf-8", "replace"))
