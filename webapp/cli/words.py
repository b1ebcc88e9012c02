"""What a terminal says of jobs, in words: states, times and ends. Pure; `out.py` makes them safe and paints them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..durations import duration
from ..states import LIVE, state_in
from .out import Painted

_COLOURS = {
    "done": "green", "failed": "red", "canceled": "yellow", "running": "cyan", "stopping": "yellow", "pending": "blue",
}  # fmt: skip


def word_of(status: Mapping[str, Any]) -> str:
    """In one word: the job's own status, else its instance's."""
    return str(status.get("job_status") or status.get("status") or "unknown")


def state(status: Mapping[str, Any], width: int = 0) -> Painted:
    return Painted(word_of(status), _COLOURS.get(state_in(status).style, ""), width)


def reason(status: Mapping[str, Any]) -> str:
    """Why it ended, or what it waits for; "" where nothing tells."""
    code = status.get("exit_code")
    return str(status.get("detail") or (f"exit code {code}" if code else ""))


def end_of(status: Mapping[str, Any]) -> tuple[object, ...]:
    """`failed: exit code 3, after 4 min 12 s`."""
    why, took = reason(status), took_of(status, datetime.now(UTC))
    ended = Painted(word_of(status).lower(), state(status).colour)
    return ended, f": {why}" if why else "", f", after {took}" if took else ""


def moment(text: Any) -> datetime | None:
    """A time of the wire, which may lack its zone (then it is UTC)."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        return None


def took_of(status: Mapping[str, Any], now: datetime) -> str:
    """How long the job took, or has been running by now; "" where nothing tells."""
    begun, over = moment(status.get("creation_date")), now
    if state_in(status).style not in LIVE:
        over = moment(status.get("job_status_date")) or begun or now
        if over == begun:
            return ""
    return duration((over - begun).total_seconds()) if begun and over >= begun else ""


def local(text: Any) -> str:
    """For a person, in the zone of this machine."""
    found = moment(text)
    try:
        return found.astimezone().strftime("%Y-%m-%d %H:%M:%S") if found else "-"
    except (ValueError, OverflowError, OSError):
        return "-"


def stamp(ms: int) -> str:
    """RFC 3339 in UTC, with milliseconds: what `--timestamps` shows."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"
    except (ValueError, OverflowError, OSError):
        return f"{ms}ms"


def count_of(value: Any) -> int:
    """A number of tasks; 0 where a service gave something else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
