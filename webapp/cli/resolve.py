"""Which job is meant: an id, the start of one, a name, `@last`, or a link of ours.

An id is asked for as it is; only where there is no such job the list is looked through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..client.address import is_job_id
from ..client.api import Client
from ..client.errors import ClientError, JobNotFound, UsageError
from .out import complain

T = TypeVar("T")
LAST = "@last"
LOOKED_AT = 100


def on_job(client: Client, text: str, act: Callable[[str], T], *, changes: bool = False) -> T:
    """What `act` gives for the job that is meant. `changes`: it changes something, so a name that several jobs
    have is refused; otherwise the newest of them is meant."""
    text = text.strip()
    if "://" in text:
        return act(text)
    if not is_job_id(text):
        return act(newest(client) if text == LAST else _named(client, text, changes))
    try:
        return act(text)
    except JobNotFound:
        found = _looked_up(client, text, changes)
        if found is None:
            raise
    return act(found)


def newest(client: Client) -> str:
    for row in rows(client.job_list(1)):
        return str(row["id"])
    raise UsageError(f"there is no job yet, so {LAST} can't be one. Start one: jobtail run -- CMD")


def rows(listed: dict[str, Any]) -> list[dict[str, Any]]:
    """Jobs of a list that can be asked for by their id."""
    found = listed.get("jobs")
    jobs = found if isinstance(found, list) else []
    return [row for row in jobs if isinstance(row, dict) and isinstance(row.get("id"), str) and is_job_id(row["id"])]


def choose(text: str, listed: list[dict[str, Any]], changes: bool) -> tuple[str | None, int]:
    """The id that a text means, or None, and how many jobs have that name. UsageError where it may be several."""
    ids = [str(row["id"]) for row in listed]
    if text in ids:
        return text, 1
    begun = [job for job in ids if job.startswith(text)]
    if len(begun) == 1:
        return begun[0], 1
    named = [str(row["id"]) for row in listed if row.get("job_name") == text]
    if len(begun) > 1 or (len(named) > 1 and changes):
        several = ", ".join((begun or named)[:5])
        raise UsageError(f"{text!r} is not one job: it may be {several}. Give more of its id")
    return (named[0] if named else None), len(named)


def _looked_up(client: Client, text: str, changes: bool) -> str | None:
    try:
        listed = rows(client.job_list(LOOKED_AT, q=text))
    except ClientError:
        return None  # a caller who may not see the list gets the answer that there is no such job
    found, count = choose(text, listed, changes)
    if found is not None and count > 1:
        complain(f"{text!r} is the name of {count} jobs: this is the newest, {found}")
    return found


def _named(client: Client, text: str, changes: bool) -> str:
    found = _looked_up(client, text, changes)
    if found is None:
        takes = "it takes an id, the start of one, a name or a link"
        raise UsageError(f"{text!r} is not a job id and not a job's name: {takes}")
    return found
