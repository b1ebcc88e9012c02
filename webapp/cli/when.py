"""Moments as people type them: `10m` (ago), `2026-01-02 03:04`, `03:04`, `@1700000000`. Pure."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import click

from ..durations import seconds_of

TAKES = "10m, 2h, 1d (ago), 2026-01-02T03:04:05, 03:04 (today), or @ and seconds since 1970"


def milliseconds_of(text: str, now: float) -> int:
    """Milliseconds since the epoch. `now`: seconds since it. ValueError for what is not a moment.

    A time without a zone is of this machine's. `03:04` is today's, or yesterday's where that is still to come.
    """
    text = text.strip().removesuffix(" ago")
    ago = seconds_of(text)
    if ago is not None:
        return max(0, round((now - ago) * 1000))
    if text.startswith("@"):
        return max(0, round(float(text[1:]) * 1000))
    if len(text) in (5, 8) and text[2] == ":":
        today = datetime.fromtimestamp(now)
        found = datetime.combine(today.date(), datetime.fromisoformat(f"2000-01-01T{text}").time())
        return round((found - timedelta(days=1 if found > today else 0)).timestamp() * 1000)
    return max(0, round(datetime.fromisoformat(text).timestamp() * 1000))


class Moment(click.ParamType):  # type: ignore[type-arg]
    name = "when"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return milliseconds_of(str(value), time.time())
        except (ValueError, OverflowError, OSError):
            self.fail(f"{str(value)!r} is not a moment: it takes {TAKES}", param, ctx)
