"""A cursor `<epoch>-<line>` names a place in a job's journal: just after that line; line 0 is before the first.

`<epoch>-<line>.done` is what the stream's last event carries: the reader has everything and knows the end.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

SYNTAX = r"([0-9a-z]{1,16})-([0-9]{1,15})(\.done)?"
_SYNTAX = re.compile(SYNTAX)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Cursor:
    epoch: str
    line: int
    done: bool = False

    def __str__(self) -> str:
        return f"{self.epoch}-{self.line}{'.done' if self.done else ''}"


def parse_cursor(text: str) -> Cursor | None:
    """None where the text is not a cursor."""
    match = _SYNTAX.fullmatch(text)
    return Cursor(match[1], int(match[2]), match[3] is not None) if match else None


def new_epoch() -> str:
    """Seven random characters: no two journals of a job share one but by a chance of 1 in 78 billion."""
    return "".join(secrets.choice(_DIGITS) for _ in range(7))
