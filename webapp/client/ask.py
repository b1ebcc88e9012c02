"""One question to a service and its whole answer, as scripts: errors told apart, bodies within bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .body import AnswerBody
from .errors import BadAnswer, ServiceDown, error_of
from .script import Open, Reply, Script, Site

ANSWER_SECONDS = 60.0
MAX_BYTES = 64 << 20
MAX_ERROR_BYTES = 64 << 10
TRIES = 3


def opened(wanted: Open) -> Script[Reply]:
    """The head of an answer that is a success; else raises the error that its body names."""
    reply: Reply = yield wanted
    if not 200 <= reply.status < 300:
        body = yield from AnswerBody(reply, wanted.site.url).head(MAX_ERROR_BYTES)
        raise error_of(reply.status, body, wanted.site.url, reply.headers.get("retry-after"))
    return reply


def require(reply: Reply, kind: str, url: str) -> None:
    """BadAnswer where the answer is of another media type."""
    if not reply.headers.get("content-type", "").startswith(kind):
        raise BadAnswer(f"{url} answered something other than {kind}: is it a jobtail service?")


def whole(wanted: Open) -> Script[bytes]:
    """The body of an answer. A request that changes nothing is repeated where its connection had been kept open and
    the service has closed it."""
    for attempt in range(TRIES):
        try:
            reply = yield from opened(wanted)
            body = yield from AnswerBody(reply, wanted.site.url).head(MAX_BYTES + 1)
        except ServiceDown as error:
            if error.broke and wanted.method == "GET" and attempt < TRIES - 1:
                continue
            # The service was there a moment ago: it may be restarting, so that nothing answers now does not end the
            # attempt.
            raise (ServiceDown(str(error)) if attempt else error) from None
        if len(body) > MAX_BYTES:
            raise BadAnswer(f"{wanted.site.url} answered more than {MAX_BYTES >> 20} MiB: is it a jobtail service?")
        return body
    raise AssertionError("unreachable")


def value(site: Site, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None,
          seconds: float = ANSWER_SECONDS) -> Script[Any]:  # fmt: skip
    """The JSON of an answer, None for an empty one."""
    found = yield from whole(Open(site, method, path, params or {}, seconds, {"Accept": "application/json"}, body))
    if not found:
        return None
    try:
        return json.loads(found)
    except (ValueError, RecursionError):
        raise BadAnswer(f"{site.url} answered something that is not JSON: is it a jobtail service?") from None


def mapping(site: Site, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None,
            seconds: float = ANSWER_SECONDS) -> Script[dict[str, Any]]:  # fmt: skip
    """The same, where it must be an object."""
    found = yield from value(site, method, path, params, body, seconds)
    if not isinstance(found, dict):
        raise BadAnswer(f"{site.url} answered JSON that is not an object: is it a jobtail service?")
    return found
