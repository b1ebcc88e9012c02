"""How a terminal shows times, states and JSON. Colours only where somebody sees them."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import IO, Any

import click

_COLOURS = {"Done": "green", "Failed": "red", "Canceled": "yellow", "Running": "cyan", "Canceling": "yellow"}


def coloured(out: IO[str]) -> bool:
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def state_of(status: dict[str, Any]) -> str:
    """In one word: the job's own status, else its instance's."""
    return str(status.get("job_status") or status.get("status") or "unknown")


def painted(state: str, width: int = 0) -> str:
    text = f"{state:<{width}}"
    colour = _COLOURS.get(state)
    return click.style(text, fg=colour) if colour and coloured(sys.stdout) else text


def moment(text: str | None) -> datetime | None:
    """A time of the wire, which may lack its zone (then it is UTC)."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def local(text: str | None) -> str:
    """For a person, in the zone of this machine."""
    found = moment(text)
    return found.astimezone().strftime("%Y-%m-%d %H:%M:%S") if found else "-"


def stamp(ms: int) -> str:
    """RFC 3339 in UTC, with milliseconds: what `--timestamps` shows."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"
    except (ValueError, OverflowError, OSError):
        return f"{ms}ms"


def duration(seconds: float) -> str:
    """`4.2s`, `3m 07s`, `2h 05m`, `3d 4h`."""
    if seconds < 60:
        return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours < 48 else f"{hours // 24}d {hours % 24}h"


def printable(text: str) -> str:
    """Without anything that a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text)
