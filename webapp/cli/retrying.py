"""Messages on standard error for people who follow a job: breaks, and how it ended."""

from __future__ import annotations

import sys

from ..client.follow import Event
from .out import complain
from .words import end_of


def say_retrying(event: Event) -> None:
    """Only for people: the log itself goes on as if nothing had happened."""
    if sys.stderr.isatty():
        complain(f"{event.data.get('detail')}; trying again in {event.data.get('in_seconds', 0):.0f} s")


def say_end(event: Event, label: str = "") -> None:
    """`jobtail: failed: exit code 3, after 4 min 12 s`."""
    status = event.data.get("status")
    if event.data.get("reason") == "finished" and isinstance(status, dict):
        complain(f"{label} " if label else "", *end_of(status))
