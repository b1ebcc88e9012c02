"""A way around the whole application for streams. Once the head of an answer is out, nothing that the application
wraps around `send` has anything left to do, yet each layer would cost every viewer a coroutine a message; and as long
as a stream lasts, each layer's frame, the request and the response would be kept for it, 8 KiB a viewer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

_SCOPE = "jobtail.straight"
# In the scope of an answer inside another one, which has to end before that one does: see `access.seats`.
_HELD = "jobtail.held"

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
