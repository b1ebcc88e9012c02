"""The server's own `send`, for streams: once the head of an answer is out, nothing that the application wraps around
`send` has anything left to do, yet each layer would cost every viewer a coroutine a message.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_SCOPE = "jobtail.send"


def straight(app: ASGIApp) -> ASGIApp:
    """Goes around the whole application."""

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_SCOPE] = send
        await app(scope, receive, send)

    return outermost


def straight_send(scope: Scope, send: Send) -> Send:
    """What to send a stream's messages with. `send`: where nobody has gone around the application."""
    kept: Send = scope.get(_SCOPE, send)
    return kept
