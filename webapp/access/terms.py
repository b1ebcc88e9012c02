"""What a link is asked to be, read strictly from the body of a request. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
SHORTEST, LONGEST = 60, 366 * 86_400
MAX_NOTE = 200
MAX_LINE = 10**15 - 1
_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")
_KNOWN = {"expires_in", "can_cancel", "note", "lines"}


@dataclass(frozen=True, slots=True)
class Terms:
    seconds: int
    can_cancel: bool
    note: str
    lines: tuple[int, int] | None


def read_terms(body: bytes) -> Terms:
    """UsageError names what is wrong and what it takes. Without a body: seven days, to look only."""
    try:
        given = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise UsageError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise UsageError('the body takes an object such as {"expires_in": "7d"}')
    unknown = sorted(str(name)[:40] for name in given if name not in _KNOWN)
    if unknown:
        raise UsageError(f"{unknown[0]!r} is not known: it takes expires_in, can_cancel, note, lines")
    can_cancel = given.get("can_cancel", False)
    if not isinstance(can_cancel, bool):
        raise UsageError("can_cancel takes true or false")
    return Terms(
        seconds(given.get("expires_in", "7d")), can_cancel, _note(given.get("note", "")), _lines(given.get("lines"))
    )


def seconds(value: Any) -> int:
    """A duration such as 30m, 12h, 7d, 2w: a minute at least, 366 days at most."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    found = int(match[1]) * UNIT_SECONDS[match[2]] if match else 0
    if not SHORTEST <= found <= LONGEST:
        raise UsageError(f"expires_in={str(value)[:40]!r} is not right: it takes 30m, 12h, 7d or 2w, from 1m to 366d")
    return found


def _note(value: Any) -> str:
    """One line of text for the list of links; nobody who opens the link sees it."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_NOTE:
        raise UsageError(f"note takes a text of {MAX_NOTE} characters at most")
    return "".join(letter if letter.isprintable() else " " for letter in value).strip()


def _lines(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 2
        or any(type(line) is not int or not 1 <= line <= MAX_LINE for line in value)
        or value[0] > value[1]
    ):
        raise UsageError("lines takes null, or the first and the last line, such as [120, 140]")
    return value[0], value[1]
