"""The outermost check, before any route: bounds, hosts, proxies, other sites; and headers for all answers but streams.

A pure ASGI middleware that touches nothing of a stream: it costs nothing a message.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import JobtailError, TooLarge, UsageError
from ..settings import Settings
from .headers import CORS_SCOPE, IGNORED_SCOPE, PRIVATE_HEADERS, STATIC_HEADERS, cors_headers
from .local import check_local, host_name
from .origin import SAFE_METHODS, allowed_origin, check_same_site
from .peer import Proxies, headers
from .place import PublicBase

MAX_HEADERS = 32 << 10
MAX_QUERY = 8 << 10
MAX_PATH = 4 << 10
MAX_PARAMETERS = 50
MAX_BODY = 64 << 10
BODY_SECONDS = 10.0

# An encoded slash, backslash or NUL: decoded, the path would be another than the one that was checked.
_TRICK = re.compile(rb"%(?:2f|5c|00)|\\", re.IGNORECASE)
# Its endpoint reads the body, once it knows that the caller may send one.
_LINES = re.compile(r"/api/jobs/[^/]+/lines")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# Where the protocol puts the host of a target in absolute form (`GET http://host/path`): none of the path's.
TARGET_HOST = "jobtail.target-host"

Refuse = Callable[[Request, Exception], Awaitable[Response]]
Headers = list[tuple[bytes, bytes]]


def raw(named: dict[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in named.items()]


_PRIVATE, _STATIC = raw(PRIVATE_HEADERS), raw(STATIC_HEADERS)


class Guard:
    """`refuse` turns an error into an answer: the same that routes use."""

    def __init__(self, app: ASGIApp, settings: Settings, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse
        self._local = not settings.access_token.get_secret_value()
        self._place = PublicBase(settings.public_url, Proxies(settings.trusted_proxies))
        self._allowed = frozenset(origin.rstrip("/") for origin in settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._place.settle(scope)
        scope[CORS_SCOPE] = allowed_origin(scope, self._allowed)
        try:
            check_size(scope)
            check_path(scope)
            check_host(scope)
            if self._local:
                check_local(scope)
            if scope[CORS_SCOPE] and scope["method"] == "OPTIONS":
                await preflight(scope)(scope, receive, send)
                return
            check_same_site(scope, self._place.origins(scope))
            if scope["method"] not in SAFE_METHODS and not _LINES.fullmatch(scope["path"]):
                receive = await read_body(receive)
        except JobtailError as error:
            response = await self._refuse(Request(scope), error)
            await response(scope, receive, dressed(scope, send))
            return
        # A stream is sent past this once its head is out: see `stream.detached`.
        await self._app(scope, receive, dressed(scope, send))


def dressed(scope: Scope, send: Send) -> Send:
    """Adds the headers that the answer does not set itself."""
    defaults = _STATIC if scope["path"].startswith("/static/") else _PRIVATE
    extra = raw(cors_headers(scope))
    forced = {name for name, _ in extra}

    def sending(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            own = [pair for pair in message.get("headers", ()) if pair[0].lower() not in forced]
            there = {name.lower() for name, _ in own} | forced
            message["headers"] = [*own, *extra, *(pair for pair in defaults if pair[0] not in there)]
            if ignored := scope.get(IGNORED_SCOPE):
                message["headers"].append((b"jobtail-ignored", ", ".join(ignored).encode()))
        return send(message)

    return sending


def check_size(scope: Scope) -> None:
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
        raise TooLarge(f"the headers take {MAX_HEADERS} bytes at most")
    query = scope["query_string"]
    if len(query) > MAX_QUERY or query.count(b"&") >= MAX_PARAMETERS:
        raise TooLarge(f"a query takes {MAX_QUERY} bytes and {MAX_PARAMETERS} parameters at most")
    if len(raw_path(scope)) > MAX_PATH:
        raise TooLarge(f"a path takes {MAX_PATH} bytes at most")


def check_path(scope: Scope) -> None:
    """UsageError for a path that a router, a proxy or an upstream could read in two ways."""
    path: str = scope["path"]
    parts = path.split("/")
    if (
        not path.startswith("/")
        or _TRICK.search(raw_path(scope))
        or _CONTROL.search(path)
        or ".." in parts
        or "." in parts
        or "//" in path
    ):
        raise UsageError("that path holds an encoded slash, dots or a control character, which no path here does")


def raw_path(scope: Scope) -> bytes:
    raw = scope.get("raw_path")
    return raw if isinstance(raw, bytes) else scope["path"].encode()


def check_host(scope: Scope) -> None:
    hosts = headers(scope, b"host")
    if len(hosts) != 1 or host_name(hosts[0]) is None:
        raise UsageError("a request needs one Host header, a name or an address")
    target = scope.get(TARGET_HOST)
    if target is not None and target.lower() != hosts[0].lower():
        raise UsageError("the request's target names another host than its Host header")


def preflight(scope: Scope) -> Response:
    """What a browser asks before it lets a configured site's page send the token. Reading only."""
    return Response(
        status_code=204,
        headers={
            **PRIVATE_HEADERS,
            **cors_headers(scope),
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": "Authorization, Last-Event-ID, Cache-Control",
            "Access-Control-Max-Age": "600",
        },
    )


async def read_body(receive: Receive) -> Receive:
    """The whole body, within its bounds, before anything is done: TooLarge, or UsageError when it does not come."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise UsageError("the request's body never came")
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    raise TooLarge(f"a body takes {MAX_BODY} bytes at most")
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise UsageError(f"the request's body did not come within {BODY_SECONDS:g} s") from None
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
