"""Which lines of a batch a reader asked for: by level, by time, by what the message holds.

A text is found wherever it stands in the message; it is taken as typed when it holds a capital letter, else in either
case, as editors and pagers do. Expressions are RE2's, which is linear: a stranger's cannot hold the process.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson
import re2

from ..errors import UsageError
from .batch import LEVEL_MASK, Batch
from .levels import LEVELS

MAX_EXPRESSION = 1000
_MAX_MEMORY = 8 << 20
# What can match otherwise in JSON text than in the message that it encodes.
_TELLING = ("^", "$", "\\", "(?", "[^", '"')


class Finder:
    """Finds lines by their message. UsageError where `text` is no valid expression."""

    def __init__(self, text: str, regex: bool = False) -> None:
        if len(text) > MAX_EXPRESSION:
            raise UsageError(f"q is {len(text)} characters long: it takes {MAX_EXPRESSION} at most")
        self._text = text
        self._either_case = text == text.lower()
        options = re2.Options()
        options.max_mem = _MAX_MEMORY
        options.log_errors = False
        options.case_sensitive = not self._either_case or regex
        self._needle = orjson.dumps(text.encode("utf-8", "replace").decode())[1:-1]
        try:
            self._expression = re2.compile(text if regex else re2.escape(text), options)
            self._hint = self._prefilter(text, regex, options)
        except re2.error as error:
            reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
            raise UsageError(f"q={text!r} is no valid expression: {reason}") from None
        self._regex = regex

    def _prefilter(self, text: str, regex: bool, options: object) -> Callable[[bytes], object] | None:
        """What a batch's bytes must hold for a line of it to match; None where that can't be said."""
        if not regex and not self._either_case:
            needle = self._needle
            return lambda lines: needle in lines
        if not text.isascii() or (regex and any(part in text for part in _TELLING)):
            return None
        search: Callable[[bytes], object] = re2.compile(
            text.encode() if regex else re2.escape(self._needle.decode()).encode(), options
        ).search
        if regex:
            return lambda lines: b"\\" in lines or search(lines)
        return search

    def message(self, message: str) -> bool:
        if not self._regex and not self._either_case:
            return self._text in message
        return self._expression.search(message) is not None

    def indexes(self, batch: Batch) -> list[int]:
        """The places in the batch of the lines that match, from 0."""
        if self._hint is not None and not self._hint(batch.lines):
            return []
        lines = batch.split()
        if self._hint is not None:
            hint = self._hint
            return [
                index for index, line in enumerate(lines) if hint(line) and self.message(orjson.loads(line)["message"])
            ]
        return [index for index, line in enumerate(lines) if self.message(orjson.loads(line)["message"])]


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
