"""A job's status as the journal keeps it: without secrets, and written again only where it says something new."""

from __future__ import annotations

from typing import Any, get_args

from ..models import RunStatus
from .redact import Redactor

# Fields of a status that hold no text, but dates, flags and counts.
TYPED = frozenset(
    name for name, field in RunStatus.model_fields.items() if str not in (field.annotation, *get_args(field.annotation))
)


def blanked(status: dict[str, Any], redactor: Redactor, job: str) -> dict[str, Any]:
    """Blanks texts alone: a status whose dates, flags or id were blanked could not be read any more."""
    found: dict[str, Any] = {}
    for name, value in status.items():
        typed = name in TYPED or (name == "job_id" and value == job)
        found |= {name: value} if typed else redactor.value({name: value})
    return found


def same(held: dict[str, Any] | None, status: dict[str, Any]) -> bool:
    """Nothing differs but the heartbeat."""
    return held is not None and _without_heartbeat(held) == _without_heartbeat(status)


def _without_heartbeat(status: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in status.items() if name != "last_heartbeat"}
