"""One line of log a request: who asked for what, what the answer was, and how long its head took.

Never a query, which may hold what somebody looks for; never a link's token, which is in its path. A pure ASGI
middleware; a stream's events go past it (`stream/detached.py`).
"""

from __future__ import annotations

import codecs
import logging
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..counts import counts
from .own_log import FIELDS

log = logging.getLogger("jobtail.request")
WHO = "jobtail.who"
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# A shared link's address, also where no route took it.
_LINK = re.compile(r"(/s/)[^/]+")
_QUIET = ("/static/", "/healthz", "/readyz", "/metrics")
codecs.lookup("unicode_escape")  # Python reads it from disk at its first use: now, and not while viewers wait


class RequestLog:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, request_id, status = time.monotonic(), _request_id(scope), 0

        async def started(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
                _write(scope, request_id.decode(), status, time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, started)


def _request_id(scope: Scope) -> bytes:
    """The one that a proxy gave, or a new one."""
    given: list[bytes] = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return given[0] if len(given) == 1 and _ID.fullmatch(given[0]) else secrets.token_hex(8).encode()


def _write(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", None) or ("/static" if "/static/" in scope["path"] else "other")
    counts.add("requests_total", route=route, status=str(status))
    counts.add("request_seconds_total", seconds, route=route)
    quiet = status < 400 and scope["path"].startswith(_QUIET)
    level = logging.DEBUG if quiet else logging.WARNING if status >= 500 else logging.INFO
    if log.isEnabledFor(level):
        log.log(level, "request", extra={FIELDS: _fields(scope, request_id, status, seconds)})


def _fields(scope: Scope, request_id: str, status: int, seconds: float) -> dict[str, Any]:
    client = scope.get("client")
    return {
        "method": scope["method"], "path": shown(scope["path"], scope.get("path_params", {})), "status": status,
        "ms": round(seconds * 1000, 1), "who": scope.get(WHO, ""), "address": client[0] if client else "",
        "request_id": request_id,
    }  # fmt: skip


def shown(path: str, parameters: Mapping[str, Any]) -> str:
    """A path on one line, without tokens that would let a reader of the log in."""
    token = str(parameters.get("token", ""))
    hidden = _LINK.sub(r"\1***", path.replace(token, "***") if token else path)
    return hidden.encode("unicode_escape").decode("ascii")[:500]
