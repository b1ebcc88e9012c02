"""Credentials are blanked before a line reaches the journal, so that no reader, copy or link can show them.

RE2 is linear, so no line can make it slow; and it is fastest over many lines at once, so they are searched
together, and only a line in which something was found is looked at by itself.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any
from urllib.parse import quote

import re2

from ..credentials import assigned, likely

BLANK = b"***"
PIECE = 1024  # lines that are searched together
SHORTEST_LITERAL = 6  # a shorter one would blank words
_MEMORY = 64 << 20  # bytes; past it RE2 falls back to a search a hundred times slower
_GROUPS = ("secret", "assigned", "likely")
_BEFORE = 80  # bytes before a value in which its key stands


class Redactor:
    """`patterns`: RE2 expressions; the named groups of `credentials.py` say which part of a match is blanked; without
    such a group all of it is. `literals`: texts that are blanked wherever they stand, such as the service's own
    credentials."""

    def __init__(self, patterns: Sequence[str], literals: Sequence[str] = ()) -> None:
        patterns = [*_literal_patterns(literals), *patterns]
        self._patterns = patterns
        self._rules: dict[int, _Rule] = {}
        self._each = any(_whole_text(pattern) for pattern in patterns)
        self._together = re2.compile("|".join(map(_across_lines, patterns)), _options())

    def messages(self, messages: list[str]) -> list[str]:
        """The messages with secrets blanked; the same list when there were none."""
        if not self._patterns:
            return messages
        changed: dict[int, str] = {}
        for start in range(0, len(messages), PIECE):
            piece = messages[start : start + PIECE]
            for index in range(len(piece)) if self._each else self._suspects(piece):
                blanked = self._blank(piece[index])
                if blanked is not None:
                    changed[start + index] = blanked
        if not changed:
            return messages
        return [changed.get(index, message) for index, message in enumerate(messages)]

    def suspects(self, text: bytes) -> bool:
        """False where no line of this text holds a secret."""
        return bool(self._patterns) and (self._each or self._together.search(text) is not None)

    def text(self, text: str) -> str:
        return self.messages([text])[0]

    def value(self, value: Any) -> Any:
        """A JSON value with secrets blanked in its texts and names; a text is also read as `name=text`."""
        texts = list(_texts(value))
        return value if self.messages(texts) is texts else self._value(value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self._named(name, item) for name, item in value.items()}
        return value

    def _named(self, name: str, item: Any) -> Any:
        if isinstance(item, str):
            head, equals, blanked = self.text(f"{name}={item}").partition("=")
            if head == name and equals and blanked != item:
                return self.text(blanked)
        return self._value(item)

    def _suspects(self, messages: list[str]) -> Iterator[int]:
        """Indexes of messages that may hold a secret. A match that runs on into the next message gives one too many."""
        text = "\n".join(messages).encode("utf-8", "replace")
        match = self._together.search(text)
        if match is None:
            return
        ends = list(accumulate(len(message.encode("utf-8", "replace")) + 1 for message in messages))
        while match is not None:
            index = bisect_right(ends, match.start())
            if index >= len(messages):
                return
            yield index
            match = self._together.search(text, ends[index]) if ends[index] < len(text) else None

    def _blank(self, message: str) -> str | None:
        """None where there was nothing to blank."""
        text = before = message.encode("utf-8", "replace")
        for number in sorted(self._which.Match(text) or ()):
            text = self._rule(number).blank(text)
        return text.decode("utf-8", "replace") if text != before else None

    @cached_property
    def _which(self) -> Any:
        """Which of the expressions match a text. Compiled when the first suspect comes: most commands print none."""
        which = re2.Set.SearchSet(_options())
        for pattern in self._patterns:
            which.Add(pattern)
        which.Compile()
        return which

    def _rule(self, number: int) -> _Rule:
        if number not in self._rules:
            self._rules[number] = _Rule(self._patterns[number])
        return self._rules[number]


class _Rule:
    """One expression, and which of its group is a secret."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re2.compile(pattern, _options())
        names = self._pattern.groupindex
        self._name = next((name for name in _GROUPS if name in names), "")
        self._group = names.get(self._name, 0)

    def blank(self, text: bytes) -> bytes:
        parts: list[bytes] = []
        end = 0
        for match in self._pattern.finditer(text):
            first, last = match.span(self._group)
            if first < 0:
                first, last = match.span()
            if first < last and self._secret(text, match.start(), first, last):
                parts += (text[end:first], BLANK)
                end = last
        return b"".join((*parts, text[end:])) if parts else text

    def _secret(self, text: bytes, start: int, first: int, last: int) -> bool:
        if self._name in ("", "secret"):
            return True
        value = text[first:last].decode("utf-8", "replace")
        if value == BLANK.decode():
            return False
        key = text[max(0, start - _BEFORE, first - _BEFORE) if start == first else max(0, start - 20) : first]
        judge = assigned if self._name == "assigned" else likely
        return judge(value, key.decode("utf-8", "replace").lower())


def _literal_patterns(literals: Sequence[str]) -> list[str]:
    """As they stand, within JSON, and within an address; the longest first, since one may hold another."""
    forms: set[str] = set()
    for literal in literals:
        if len(literal) >= SHORTEST_LITERAL:
            forms |= {literal, json.dumps(literal)[1:-1], quote(literal, safe="")}
    return [re2.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form))]


def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    return options


_WHOLE_TEXT = re2.compile(r"\\[Az]|\(\?[imsU]*-")


def _whole_text(pattern: str) -> bool:
    """Whether it may ask where the text itself begins or ends, which is lost when lines are joined."""
    return _WHOLE_TEXT.search(pattern) is not None


_GROUP_NAME = re2.compile(r"\(\?P?<(?:secret|assigned|likely)>")


def _across_lines(pattern: str) -> str:
    """Matches in joined lines where the pattern matches in one. Names of groups go: two may share one."""
    return f"(?m:{_GROUP_NAME.sub('(?:', pattern)})"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield f"{name}={item}" if isinstance(item, str) else name
            if not isinstance(item, str):
                yield from _texts(item)
