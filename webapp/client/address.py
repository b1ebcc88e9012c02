"""Where a service is, and which job is meant by an id or a link. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from ..errors import BadJobId
from ..models import JOB_ID, check_job_id
from .errors import UsageError

DEFAULT_URL = "http://127.0.0.1:8484"
_JOB_PATH = re.compile(r"(?P<base>.*?)(?:/api)?/jobs/(?P<job>[^/]+)(?:/.*)?")
_SHARE_PATH = re.compile(r"(?P<base>.*?)/s/(?P<token>[^/]+)")


def service_url(text: str, source: str = "url") -> str:
    """The address of a service without a slash at its end. `source`: what held it, for the message of
    UsageError."""
    text = text.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        wanted = f"it takes one such as {DEFAULT_URL}"
        raise UsageError(f"{source} holds {text!r}, which is not an address: {wanted}") from None
    if parts.username or parts.password:
        raise UsageError(f"{source} holds a user or a password: give the token in JOBTAIL_TOKEN instead")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not port_is_right
        or parts.query
        or parts.fragment
    ):
        raise UsageError(f"{source} holds {text!r}: it takes an address such as {DEFAULT_URL}")
    return text


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what a token is bound to."""
    parts = urlsplit(url)
    return (
        parts.scheme,
        (parts.hostname or "").lower(),
        parts.port or (443 if parts.scheme == "https" else 80),
    )


def is_loopback(url: str) -> bool:
    """True where the address is on this machine, so that no proxy is used."""
    host = origin(url)[1]
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class JobAddress:
    """A job. `url`: the service its link names, None for an id. `share`: the token of a shared link, then no
    `job`."""

    job: str
    url: str | None = None
    share: str | None = None


class HasJob(Protocol):
    """An object that is of one job, such as a RunResponse."""

    @property
    def _job(self) -> str: ...


Job: TypeAlias = str | HasJob


def page(url: str, job: str) -> str:
    """The address of a job's live page. `job`: an id; it is quoted, so that it cannot lead to another path."""
    return f"{url}/jobs/{quote(job, safe=':')}"


def target(job: Job) -> JobAddress:
    """A job by its id, a link to it or an object. The id within an object comes from a service, so it is never read as
    a link."""
    return _of_text(job) if isinstance(job, str) else JobAddress(_checked(job._job))


def _of_text(text: str) -> JobAddress:
    """An id, `http://host/jobs/ID` with whatever follows, or a shared link `http://host/s/TOKEN`."""
    text = text.strip()
    if "://" not in text:
        return JobAddress(_checked(text))
    parts = urlsplit(text)
    if match := _JOB_PATH.fullmatch(parts.path):
        base = service_url(f"{parts.scheme}://{parts.netloc}{match['base']}", "the link")
        return JobAddress(_checked(unquote(match["job"])), base)
    if match := _SHARE_PATH.fullmatch(parts.path):
        service = service_url(f"{parts.scheme}://{parts.netloc}{match['base']}", "the link")
        return JobAddress("", service, match["token"])
    raise UsageError(f"{text!r} is not a link to a job: it takes an id, or one such as {DEFAULT_URL}/jobs/ID")


def is_job_id(text: str) -> bool:
    return JOB_ID.fullmatch(text) is not None


def _checked(job: str) -> str:
    try:
        return check_job_id(job)
    except BadJobId as error:
        raise UsageError(str(error)) from None
