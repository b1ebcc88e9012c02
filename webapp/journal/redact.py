"""Credentials are blanked before a line reaches the journal, so that no reader, copy or link can show them.

RE2 is linear, so no line can make it slow; and it is fastest over many lines at once, so they are searched
together, and only a line in which something was found is looked at by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import re2

BLANK = b"***"
PIECE = 1024  # lines that are searched together
_MEMORY = 64 << 20  # bytes; past it RE2 falls back to a search a hundred times slower


class Redactor:
    """`patterns`: RE2 expressions; a group named `secret` is what is blanked, else the whole match."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [re2.compile(pattern, _options()) for pattern in patterns]
        self._groups = [pattern.groupindex.get("secret", 0) for pattern in self._patterns]
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
        """Places of messages that may hold a secret: one too many where a match runs on into the next one."""
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
        for pattern, group in zip(self._patterns, self._groups, strict=True):
            parts: list[bytes] = []
            end = 0
            for match in pattern.finditer(text):
                first, last = match.span(group)
                if first < 0:
                    first, last = match.span()
                if first == last:
                    continue
                parts += (text[end:first], BLANK)
                end = last
            if parts:
                text = b"".join((*parts, text[end:]))
        return text.decode("utf-8", "replace") if text != before else None


def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    return options


_WHOLE_TEXT = re2.compile(r"\\[Az]|\(\?[imsU]*-")


def _whole_text(pattern: str) -> bool:
    """Whether it may ask where the text itself begins or ends, which is lost when lines are joined."""
    return _WHOLE_TEXT.search(pattern) is not None


def _across_lines(pattern: str) -> str:
    """Matches in joined lines where the pattern matches in one. Names of groups go: two may share one."""
    return f"(?m:{pattern.replace('(?P<secret>', '(?:').replace('(?<secret>', '(?:')})"


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
