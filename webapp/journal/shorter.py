"""A message that has to be cut: of one that redraws the end state is kept, not the beginning."""

from __future__ import annotations

import re

from .escapes import SEQUENCE
from .row import redraws
from .terminal import redrawn

_WHOLE = re.compile(SEQUENCE)


def shorter(message: str, longest: int) -> tuple[str, int]:
    """At most `longest` bytes of UTF-8 that draw what the message draws, as far as they go; and how many states its
    most drawn row had (0: it is not redrawn)."""
    states = 0
    if redraws(message):
        message, states = redrawn(message)
    return _cut(message, longest), states


def _cut(message: str, longest: int) -> str:
    """Not within a character, nor within an escape sequence."""
    data = message.encode("utf-8", "replace")
    if len(data) <= longest:
        return message
    text = data[:longest].decode("utf-8", "ignore")
    last = text.rfind("\x1b")
    return text if last < 0 or _WHOLE.match(text, last) else text[:last]
