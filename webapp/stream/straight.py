"""A way around the whole application for streams. Once the head of an answer is out, nothing that the application
wraps around `send` has anything left to do, yet each layer would cost every viewer a coroutine a message; and as long
as a stream lasts, each layer's frame, the request and the response would be kept for it, 8 KiB a viewer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

_SCOPE = "jobtail.straight"
# In the scope of an answer inside another one, which has to end before that one does: see `access.seats`.
_HELD = "jobtail.held"

BREAK_SECONDS = 5.0

Later = Callable[[Receive, Send], Awaitable[None]]


class Straight:
    __slots__ = ("later", "send")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.later: Later | None = None


def straight(app: ASGIApp) -> ASGIApp:
    """Goes around the whole application."""

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        way = scope[_SCOPE] = Straight(send)
        await app(scope, receive, send)
        if way.later is not None:
            later, way.later = way.later, None
            await later(receive, send)

    return outermost


async def stay(scope: Scope, receive: Receive, send: Send, later: Later) -> None:
    """Runs `later` once the application has let go of the request; at once where nobody has gone around it."""
    way: Straight | None = scope.get(_SCOPE)
    if way is None:
        await later(receive, send)
    elif scope.get(_HELD):
        await later(receive, way.send)
    else:
        way.later = later


async def break_off(scope: Scope, receive: Receive) -> None:
    """Closes the connection once what was sent has gone out. An answer in chunks has no last one then, so its reader
    knows that it is not whole (RFC 9112, 8). Under a server that shows no transport, returning does the same, and is
    logged."""
    way: Straight | None = scope.get(_SCOPE)
    transport = getattr(getattr(way and way.send, "__self__", None), "transport", None)
    if transport is not None:
        if scope.get("http_version") == "1.0":
            transport.abort()  # its body ends with the connection: only a reset says that it was not whole
        else:
            transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(BREAK_SECONDS):
                while (await receive())["type"] != "http.disconnect":
                    pass
