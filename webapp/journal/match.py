"""Which lines of a batch a reader asked for: by level, by time, by what the message holds.

What is searched is what a reader sees of a message: no escape sequences, and of a line that was redrawn the last state.
A text is found wherever it stands; it is taken as typed when it holds a capital letter, else in either
case, as editors and pagers do. Expressions are RE2's: see `expression`.
"""

from __future__ import annotations

import re

import orjson

from ..errors import UsageError
from .batch import LEVEL_MASK, Batch
from .escapes import plain
from .expression import MAX_CHARACTERS, WORK, Check, Expression, cache, utf16_length
from .levels import LEVELS
from .terminal import redraws, shown

# What can match otherwise in JSON text than in the message that it encodes.
_TELLING = ("^", "$", "\\", "(?", "[^", '"')
# Colours and styles in encoded lines, and what else hides a text from those who look at its bytes: control characters.
_SGR = re.compile(rb"\\u001b\[[0-9;:]*m")
_HIDES = re.compile(rb"\\[bfru]|\x7f|\xc2[\x80-\x9f]")
# Places of matches that are told of one line.
MAX_SPANS = 200


def _nothing() -> None:
    pass


def seen(message: str) -> str:
    """What a terminal shows of a message in the end, as one text."""
    return shown(message) if redraws(message) else plain(message)


class Finder:
    """Finds lines by their message. UsageError where `text` is no valid expression, or too much work. Making one
    compiles, which takes up to 35 ms."""

    def __init__(self, text: str, regex: bool = False, either_case: bool | None = None) -> None:
        """`either_case`: as of `Expression`."""
        self._expression = cache.get(text, regex, either_case)
        self._regex = regex
        self._needle = orjson.dumps(text.encode("utf-8", "replace").decode())[1:-1]
        # Without an upper-case letter in it a text is found in either case.
        self._exact = not regex and not (text == text.lower() if either_case is None else either_case)
        self._hint: Expression | None = None
        if text.isascii() and not (regex and any(part in text for part in _TELLING)):
            needle = self._needle.decode()
            if regex or needle == text:
                self._hint = self._expression
            elif len(needle) <= MAX_CHARACTERS:
                self._hint = cache.get(needle, False, either_case)

    def may_hold(self, lines: bytes) -> bool:
        """False where no message in these encoded lines can match, seen without decoding them."""
        if b"\\u001b[" in lines:
            lines = _SGR.sub(b"", lines)
        if _HIDES.search(lines):
            return True
        if self._exact:
            return self._needle in lines
        if self._hint is None or self._hint.size * len(lines) > WORK:
            return True
        return (self._regex and b"\\" in lines) or self._hint.found(lines)

    def matches(self, line: bytes, check: Check = _nothing) -> bool:
        """Whether the message of this encoded line matches. `check` is called in between, and may raise."""
        return self.may_hold(line) and self._expression.found(seen(orjson.loads(line)["message"]).encode(), check)

    def spans(self, line: bytes, shown: bytes) -> list[tuple[int, int]]:
        """Where in what is seen of this encoded line the first matches are: start and end in UTF-16 code units, within
        what is seen of `shown`, whose message may be cut."""
        found = list(self._expression.spans(seen(orjson.loads(line)["message"]), MAX_SPANS))
        if shown is line or not found:
            return found
        length = utf16_length(seen(orjson.loads(shown)["message"]))
        return [(start, min(stop, length)) for start, stop in found if start < length]

    def indexes(self, batch: Batch) -> list[int]:
        """The places in the batch of the lines that match, from 0."""
        if not self.may_hold(batch.lines):
            return []
        return [index for index, line in enumerate(batch.split()) if self.matches(line)]


def level_indexes(batch: Batch, codes: frozenset[int]) -> list[int]:
    return [index for index, mark in enumerate(batch.marks) if mark & LEVEL_MASK in codes]


def parse_levels(text: str) -> frozenset[int]:
    """`error`, or several with commas. UsageError names what there is."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    codes = {"none": 0} | {name: code for code, name in enumerate(LEVELS) if name}
    for name in names or [text]:
        if name not in codes:
            raise UsageError(
                f"level={name!r} is none: it takes error, warning, info, debug or none, several with commas"
            )
    return frozenset(codes[name] for name in names)
