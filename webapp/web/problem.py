"""The one place where errors become HTTP: `application/problem+json` (RFC 9457), or a page for a browser."""

from __future__ import annotations

import logging
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..access.headers import PRIVATE_HEADERS
from ..errors import Busy, DiskFull, JobtailError, JournalError, ProducerGap, SignInNeeded, StaleProducer, UpstreamDown
from ..journal.redact import Redactor
from .address import local
from .render import render

log = logging.getLogger("jobtail.web")


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    return Response(body, status, {**PRIVATE_HEADERS, **(headers or {})}, media_type="application/problem+json")


def fused_problem(status: int, detail: str, headers: dict[str, str]) -> Response:
    """As the Fused wire has it: the published client reads no other type than plain JSON."""
    body = orjson.dumps({"detail": detail})
    return Response(body, status, {**PRIVATE_HEADERS, **headers}, media_type="application/json")


async def on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, JobtailError)
    headers: dict[str, str] = {}
    if isinstance(error, Busy):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, DiskFull):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UpstreamDown):
        headers["Retry-After"] = str(int(error.retry_after or 5))
    if isinstance(error, SignInNeeded):
        headers["WWW-Authenticate"] = 'Bearer realm="jobtail"'
    if isinstance(error, ProducerGap):
        headers |= {"Producer-Expected-Seq": str(error.expected), "Producer-Received-Seq": str(error.received)}
    if isinstance(error, StaleProducer):
        headers["Producer-Epoch"] = str(error.epoch)
    detail = error.for_viewers if isinstance(error, JournalError) else error.detail
    return _answer(request, error.status, error.title, detail, headers)


async def on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"]
    if error.status_code == 404 and path.startswith("/jobs/") and path.endswith("/") and path.count("/") == 3:
        return RedirectResponse(local(request, path.rstrip("/")), 308, PRIVATE_HEADERS)
    title = HTTPStatus(error.status_code).phrase
    detail = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
    return _answer(request, error.status_code, title, detail, dict(error.headers or {}))


async def on_crash(request: Request, error: Exception) -> Response:
    log.error("%s failed", request.scope["path"], exc_info=error)
    return _answer(request, 500, "Something went wrong", "this is an error in the service; its log says more", {})


def _answer(request: Request, status: int, title: str, detail: str, headers: dict[str, str]) -> Response:
    service = getattr(request.app.state, "service", None)
    redactor: Redactor | None = getattr(service, "redactor", None)
    if redactor is not None:
        detail = redactor.text(detail)
    path = request.scope["path"]
    if path.startswith("/server/"):
        return fused_problem(status, detail, headers)
    if not path.startswith("/api/") and "text/html" in request.headers.get("accept", ""):
        return _page(request, status, title, detail, headers)
    return problem(status, title, detail, headers)


def _page(request: Request, status: int, title: str, detail: str, headers: dict[str, str]) -> Response:
    """An error for a person. `next` brings them back here once they have signed in."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    asked = f"{path}?{query}" if query else path
    after = asked if request.method == "GET" and not path.startswith(("/login", "/s/")) else ""
    return render(
        request, "error.html", status=status, headers=headers,
        title=title, detail=detail, sign_in=status == 401, next=after,
    )  # fmt: skip
