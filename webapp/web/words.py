"""A job and its lines in the words of the page. Pure; `static/head.js` says the same in the browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..durations import duration
from ..engine.catalog import Cancellation
from ..models import JobRecord, RunStatus
from ..states import LABELS, LIVE, state_of
from ..store.share import StoredShare

SHOWN = 2000  # characters of a line on the page without JavaScript
STATES = (("", "Any status"), *LABELS.items())


def ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    return "just now" if seconds < 5 else f"{' '.join(duration(int(seconds)).split()[:2])} ago"


def job_words(job: str, status: RunStatus | None) -> dict[str, Any]:
    """The head of a job's page."""
    if status is None:
        return {
            "id": job, "name": job, "state": "pending", "label": "Unknown", "finished": False,
            "total": 0, "done": 0, "detail": "",
        }  # fmt: skip
    state, label = state_of(status.job_status, status.finished, status.status)
    more = status.model_extra or {}
    detail = more.get("detail") or (f"exit code {more['exit_code']}" if more.get("exit_code") else "")
    return {
        "id": job, "name": status.job_name or job, "state": state, "label": label, "finished": status.finished,
        "total": status.total_tasks, "done": status.finished_tasks, "detail": str(detail),
    }  # fmt: skip


def about_words(status: RunStatus | None) -> list[tuple[str, str, str]]:
    """What is known of a job, as label, text, and for a time also ISO 8601. What is not known is left out."""
    if status is None:
        return []
    words = job_words(status.job_id, status)
    tasks = f"{status.finished_tasks} of {status.total_tasks}" if status.total_tasks else ""
    facts: list[tuple[str, str | datetime | None]] = [
        ("Status", _listed(words["label"], words["detail"])),
        ("Since", _aware(status.job_status_date)),
        ("Started", _moment((status.model_extra or {}).get("creation_date"))),
        ("Tasks", tasks),
        ("Instance", _listed(status.instance_id, status.instance_type, status.status)),
        ("Run by", str((status.model_extra or {}).get("user") or "")),
        ("Heartbeat", _aware(status.last_heartbeat)),
    ]
    return [
        (label, _clock(fact), fact.isoformat()) if isinstance(fact, datetime) else (label, fact, "")
        for label, fact in facts
        if fact
    ]


def _listed(*parts: str | None) -> str:
    return " · ".join(filter(None, parts))


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def elapsed(status: RunStatus | None, ends_ms: tuple[int, int] | None, now: datetime) -> str:
    """How long the job took or has been running: from its creation or its first line; "" when that is not known."""
    if status is None:
        return ""
    begun = _moment((status.model_extra or {}).get("creation_date"))
    begun = begun or (_from_ms(ends_ms[0]) if ends_ms else None)
    over = now
    if status.finished:
        over = _aware(status.job_status_date) or (_from_ms(ends_ms[1]) if ends_ms else now) or now
    if begun is None or over < begun:
        return ""
    return ("took " if status.finished else "") + duration((over - begun).total_seconds())


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return _aware(value)
    try:
        return _aware(datetime.fromisoformat(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _aware(value: datetime | None) -> datetime | None:
    """The wire's times are UTC where they do not say otherwise."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _from_ms(ms: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC) if ms > 10**9 else None
    except (OverflowError, ValueError, OSError):
        return None


def row_words(job: JobRecord, now: datetime) -> dict[str, Any]:
    """A row of the list."""
    more = job.model_extra or {}
    state, label = state_of(job.job_status, False)
    begun, moved = _aware(job.creation_date), _aware(job.job_status_date)
    over = now if state in LIVE else moved
    took = duration((over - begun).total_seconds()) if begun and over and over >= begun else ""
    why = more.get("detail") or (f"exit code {more['exit_code']}" if more.get("exit_code") else "")
    name = str(more.get("job_name") or more.get("name") or job.id)
    return {
        "id": job.id, "name": name, "state": state, "label": label, "why": str(why),
        "started": ago(begun, now) if begun else "", "started_iso": begun.isoformat() if begun else "",
        "took": took, "by": job.user_id or "",
    }  # fmt: skip


def matches(job: dict[str, Any], text: str, state: str) -> bool:
    """Whether a row of the list holds a text, in either case, and is of a state; "" for any."""
    held = " ".join((job["name"], job["id"], job["by"], job["why"])).lower()
    return text.lower() in held and state in ("", job["state"])


def matches_words(found: int, among: int | None) -> str:
    """`12 matches`, and among how many of the newest jobs, where not all were looked through."""
    looked = f" among the newest {among:,}" if among is not None else ""
    return f"{found:,} match{'' if found == 1 else 'es'}{looked}"


def totals_words(jobs: list[dict[str, Any]], skip: int, more: bool) -> str:
    """Which of all jobs the list shows; where these are all, how many run and failed."""
    if not jobs:
        return ""
    if skip or more:
        return f"{skip + 1:,}–{skip + len(jobs):,}"
    states = [job["state"] for job in jobs]
    counts = [(states.count(state), state) for state in ("running", "failed")]
    return _listed(f"{len(jobs)} in all", *(f"{count} {state}" for count, state in counts if count))


def share_words(share: StoredShare, now: datetime) -> dict[str, Any]:
    """A link to a job, as its owners see it."""
    link = share.link
    works = share.works(int(now.timestamp() * 1000))
    ends, used = _from_ms(link.ends_ms), _from_ms(share.used_ms or 0)
    over = "taken back" if share.revoked_ms else "ended"
    facts = [
        f"ends in {duration((ends - now).total_seconds())}" if works and ends else over,
        f"last used {ago(used, now)}" if used else "never used",
        f"lines {link.lines[0]}–{link.lines[1]}" if link.lines else "",
        "may cancel" if link.can_cancel else "",
    ]
    return {"id": link.id, "note": share.note or "Without a note", "works": works, "facts": _listed(*facts)}


def line_words(line: dict[str, Any]) -> dict[str, Any]:
    """A line whose message is the text that is shown of it."""
    text = str(line["message"])
    moment = _from_ms(line["timestamp"])
    level = line.get("level") or ""
    return {
        "id": line["id"], "line": line["line"], "level": level,
        "stream": line.get("stream"), "iso": moment.isoformat() if moment else "",
        "time": moment.strftime("%H:%M:%S.%f")[:-3] + "Z" if moment else str(line["timestamp"]),
        "text": text if len(text) <= SHOWN else text[:SHOWN] + " …",
    }  # fmt: skip


def cancel_words(one: Cancellation) -> dict[str, str]:
    """Who asked for a job's end, when and from where."""
    at = _from_ms(one.at_ms)
    who = "somebody at the computer that serves this page" if one.who == "this machine" else one.who
    return {
        "who": who, "address": one.address, "share": one.share,
        "at": _clock(at) if at else "", "iso": at.isoformat() if at else "",
    }  # fmt: skip
