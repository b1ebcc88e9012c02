"""An upstream's refusal as an error of ours: which one, and what it says of itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..errors import JobNotFound, JobtailError, UpstreamDenied, UpstreamDown, UpstreamError
from ..strictjson import loads

MOST_TEXT = 500
_AGAIN = frozenset((408, 425, 429))
_SECONDS = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def refusal(
    status: int, headers: Any, body: bytes, *, what: str, job: str | None, blank: Callable[[str], str]
) -> JobtailError:
    """The error that an answer with this status is. `what`: what was asked, for people. `headers`: a mapping that
    ignores case. `blank`: takes credentials out of the upstream's own text."""
    said = message(body)
    detail = f"{what}: the upstream answered {status}" + (f" ({blank(said)[:MOST_TEXT]})" if said else "")
    if status == 404 and job is not None:
        return JobNotFound(job)
    if status in (401, 403):
        return UpstreamDenied(detail)
    if status in _AGAIN or status >= 500:
        return UpstreamDown(detail, retry_after(headers.get("retry-after"), date_ms(headers.get("date"))))
    if 300 <= status < 400:
        detail += " and leads elsewhere: is JOBTAIL_UPSTREAM_URL the address that it should be?"
    return UpstreamError(detail)


def message(body: bytes) -> str:
    """What an error's body says: `message`, `detail`, or the messages in a list of details; "" where it is not JSON
    object. One line, bounded."""
    try:
        value = loads(body)
    except ValueError:
        return ""
    said = value.get("message") or value.get("detail") if isinstance(value, dict) else None
    if isinstance(said, list):
        said = "; ".join(str(item.get("msg", item)) if isinstance(item, dict) else str(item) for item in said[:10])
    return _CONTROL.sub(" ", said)[: 2 * MOST_TEXT].strip() if isinstance(said, str) else ""


def retry_after(value: str | None, now_ms: int | None = None) -> float | None:
    """Seconds that a `Retry-After` asks for: it holds seconds, or a date, which is read by the upstream's own clock
    where that is known. None where there is nothing of use."""
    if not value:
        return None
    if _SECONDS.fullmatch(value.strip()):
        seconds = float(value)
    else:
        until = date_ms(value)
        if until is None:
            return None
        now = datetime.now(UTC).timestamp() * 1000 if now_ms is None else now_ms
        seconds = (until - now) / 1000
    return max(0.0, seconds)


def date_ms(value: str | None) -> int | None:
    """A `Date` header as ms since the epoch."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
