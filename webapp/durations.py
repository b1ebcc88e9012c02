"""Spans of time in words, written and read. `static/times.js` writes them the same way in the browser."""

from __future__ import annotations

import re

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|min|m|h|d|w) ?", re.ASCII)


def duration(seconds: float) -> str:
    """`850 ms`, `12.3 s`, `4 min 5 s`, `2 h 4 min`, `3 d 2 h`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    place = next(index for index, (_, size) in enumerate(_UNITS) if whole >= size)
    name, size = _UNITS[place]
    text = f"{whole // size} {name}"
    if place + 1 < len(_UNITS):
        lesser, part = _UNITS[place + 1]
        rest = whole % size // part
        text += f" {rest} {lesser}" if rest else ""
    return text


def seconds_of(text: str) -> float | None:
    """What `10m`, `1h30m`, `90s`, `2 d` or `4 min 5 s` says; None where it says no duration."""
    total, at = 0.0, 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        total, at = total + float(part[1]) * _SECONDS[part[2]], part.end()
    return total if at else None
