"""What the client raises: one tree, each message one sentence for a person.

    ClientError
    ├── UsageError          what was asked for is wrong: a bad id, address or parameter
    ├── SignInNeeded        no token, or one that the service does not know
    ├── Denied              this token or link may not do that
    ├── JobNotFound         no such job, or one you may not see
    ├── Conflict            the job is not in a state for this
    │   └── NoLines         it has no line yet (a ValueError too, as with the published client)
    ├── TimedOut            the time given is over (a TimeoutError too)
    ├── UpstreamFailed      the service is there, its upstream is not
    ├── ServiceDown         the service does not answer, or was cut off
    │   └── Unreachable     nothing listens at its address
    ├── Untrusted           its certificate is not trusted
    └── BadAnswer           something answered that is not a jobtail service

`transient` is True where asking again can help; `retry_after`: seconds, where the service named them. What a service
says is shown without control characters, so that a message can go to a terminal.
"""

from __future__ import annotations

import json
from typing import Any

from .safe import plain


class ClientError(Exception):
    transient = False

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(plain(message))
        self.status = status
        self.retry_after = retry_after


class UsageError(ClientError):
    pass


class SignInNeeded(ClientError):
    pass


class Denied(ClientError):
    pass


class JobNotFound(ClientError):
    pass


class Conflict(ClientError):
    pass


class NoLines(Conflict, ValueError):
    pass


class TimedOut(ClientError, TimeoutError):
    pass


class UpstreamFailed(ClientError):
    transient = True


class ServiceDown(ClientError):
    """`broke`: the connection was there and broke."""

    transient = True
    broke = False


class Unreachable(ServiceDown):
    pass


class Untrusted(ClientError):
    pass


class BadAnswer(ClientError):
    pass


class JobInProgressWarning(UserWarning):
    """An execution time was asked for while the job still runs."""


class IncompleteLogWarning(UserWarning):
    """Lines that may exist are not there: trimmed, never given by the upstream, or the log began anew."""


_BY_STATUS: dict[int, type[ClientError]] = {
    400: UsageError,
    401: SignInNeeded,
    403: Denied,
    404: JobNotFound,
    405: BadAnswer,
    409: Conflict,
    422: UsageError,
    502: UpstreamFailed,
    503: UpstreamFailed,
    504: TimedOut,
}
_AGAIN = frozenset((408, 425, 429, 500))


def error_of(status: int, body: bytes, address: str, retry_after: str | None = None) -> ClientError:
    """The error for an answer that is not a success. `address`: where it came from, for the message."""
    detail = _detail(body)
    if 300 <= status < 400:
        return BadAnswer(
            f"{address} sends its callers elsewhere ({status}): use the address it sends them to",
            status=status,
        )
    kind = ServiceDown if status in _AGAIN else _BY_STATUS.get(status, ServiceDown if status >= 500 else UsageError)
    if detail is None and kind in (JobNotFound, UsageError, Conflict):
        wrong = f"{address} answered {status} and is not a jobtail service: is the address right?"
        return BadAnswer(wrong, status=status)
    message = detail or f"{address} answered {status}"
    if kind is SignInNeeded:
        message = f"{message}: set JOBTAIL_TOKEN, or use connect(url, token)"
    return kind(message, status=status, retry_after=_seconds(retry_after))


def _detail(body: bytes) -> str | None:
    """What our service, or a Fused one, says in its errors."""
    try:
        problem: Any = json.loads(body)
    except ValueError:
        return None
    if not isinstance(problem, dict):
        return None
    for name in ("detail", "message", "title"):
        if isinstance(problem.get(name), str) and problem[name]:
            return str(problem[name])[:500]
    return None


def _seconds(header: str | None) -> float | None:
    """`Retry-After` in seconds; its other form, a date, is not sent by our service."""
    return float(header) if header and header.isascii() and header.isdigit() else None
