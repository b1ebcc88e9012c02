"""Streams that run on after the application has returned. Once the head of an answer is out, the layers that the
application wraps around `send` have nothing left to do. Yet each of them would cost every viewer a coroutine for each
message, and as long as a stream lasts, the layers' frames, the request and the response would take 8 KiB a viewer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

_SCOPE = "jobtail.detached"
# In the scope of an answer inside another one, which has to end before that one does: see `access.seats`.
_HELD = "jobtail.held"

BREAK_SECONDS = 5.0

# The part of an answer that follows its head.
Rest = Callable[[Receive, Send], Awaitable[None]]


class Detached:
    """`send`: the server's own, without what the application wraps around it."""

    __slots__ = ("rest", "send")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.rest: Rest | None = None


def detachable(app: ASGIApp) -> ASGIApp:
    """The outermost layer: runs the rest of an answer once the whole application has returned."""

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        detached = scope[_SCOPE] = Detached(send)
        await app(scope, receive, send)
        if detached.rest is not None:
            rest, detached.rest = detached.rest, None
            await rest(receive, send)

    return outermost


async def detach(scope: Scope, receive: Receive, send: Send, rest: Rest) -> None:
    """Leaves `rest` to `detachable`, which runs it once the application has returned. At once where there is no such
    layer, or where another answer around this one has to outlast it."""
    detached: Detached | None = scope.get(_SCOPE)
    if detached is None:
        await rest(receive, send)
    elif scope.get(_HELD):
        await rest(receive, detached.send)
    else:
        detached.rest = rest


async def break_off(scope: Scope, receive: Receive) -> None:
    """Closes the connection once what was sent has gone out. An answer in chunks then lacks the last one, so its reader
    knows that it is not whole (RFC 9112, 8). Under a server that shows no transport, returning does the same, and is
    logged."""
    detached: Detached | None = scope.get(_SCOPE)
    transport = getattr(getattr(detached and detached.send, "__self__", None), "transport", None)
    if transport is not None:
        if scope.get("http_version") == "1.0":
            transport.abort()  # its body ends with the connection: only a reset says that it was not whole
        else:
            transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(BREAK_SECONDS):
                while (await receive())["type"] != "http.disconnect":
                    pass
