"""Which lines of a batch a reader asked for: by level, by time, by what is shown of the message.

What is searched is the text that a terminal shows of a message by itself, so that a word whose colour changes in its
middle is found, and escape sequences and earlier states of a progress bar are not. A text is found wherever it stands
in that; it is taken as typed when it holds a capital letter, else in either case, as editors and pagers do. Expressions
are RE2's: see `expression`. """

from __future__ import annotations

import re
from collections.abc import Generator

import orjson

from ..errors import UsageError
from .batch import LEVEL_MASK, Batch
from .expression import MAX_CHARACTERS, WORK, Check, Expression, cache, utf16_length
from .levels import LEVELS
from .terminal import shown as shown_text

# Characters that match in another way in JSON text than in the message that it encodes.
_TELLING = ("^", "$", "\\", "(?", "[^", '"')
# In encoded lines: escape sequences that leave the text around them as it is (not after a backslash, which may make
# them text) and a return at the end of a message; what is left where more than that stands in a message.
_COLOUR = re.compile(rb'\\(?<!\\\\)(?:u001b\[(?:[0-9;:]*m|0?K)|r(?:\\r)*(?="))')
_CONTROL = re.compile(rb"\\(?:u00|[rbnf])|\xc2[\x80-\x9f]|\x7f")
# So many matches of one line are named at most.
MAX_SPANS = 200


def _nothing() -> None:
    pass


class Finder:
    """Finds lines by their message. UsageError where `text` is not a valid expression, or too much work. Making one
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
        if b"\\" in lines or b"\xc2" in lines or b"\x7f" in lines:
            lines = _COLOUR.sub(b"", lines)
            if _CONTROL.search(lines):
                return True
        if self._exact:
            return self._needle in lines
        if self._hint is None or self._hint.size * len(lines) > WORK:
            return True
        return (self._regex and b"\\" in lines) or self._hint.found(lines)

    def matches(self, line: bytes, check: Check = _nothing) -> bool:
        """Whether the message of this encoded line matches. `check` is called in between, and may raise."""
        return self.may_hold(line) and self._expression.found(_shown(line).encode("utf-8", "replace"), check)

    def spans(self, line: bytes, shown: bytes) -> list[tuple[int, int]]:
        """Where in what is shown of this encoded line the first matches are: start and end in UTF-16 code units, within
        what is shown of `shown`, which may be cut."""
        found = list(self._expression.spans(_shown(line), MAX_SPANS))
        if shown is line or not found:
            return found
        length = utf16_length(_shown(shown))
        return [(start, min(stop, length)) for start, stop in found if start < length]

    def indexes(self, batch: Batch, check: Check = _nothing) -> Generator[None, None, list[int]]:
        """The places in the batch of the lines that match, from 0. Yields between lines."""
        found: list[int] = []
        if self.may_hold(batch.lines):
            for index, line in enumerate(batch.split()):
                if self.matches(line, check):
                    found.append(index)
                yield
        return found


def _shown(line: bytes) -> str:
    return shown_text(orjson.loads(line)["message"])


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
