"""An sse-starlette response with one task a viewer: the hub's shared clock does the work of its ping, its watcher for
the exit and its timeouts, and the bytes come ready-made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from sse_starlette.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from .detached import detach
from .viewer import Viewer

# So many seconds a viewer whose socket is full may hold up the end of its stream.
LAST_SEND_SECONDS = 5.0


class Stream(EventSourceResponse):
    """`viewer` gets a function that it calls when the stream is over for a reason of ours."""

    def __init__(self, viewer: Callable[[Callable[[], None]], Viewer], headers: dict[str, str]) -> None:
        super().__init__(_nothing(), headers=headers)
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await detach(scope, receive, send, Following(self._viewer).run)
        if self.background is not None:
            await self.background()


class Following:
    """The part of a stream that follows its head."""

    __slots__ = ("_listening", "_over", "_task", "_viewer")

    def __init__(self, viewer: Callable[[Callable[[], None]], Viewer]) -> None:
        self._over = False
        self._listening = False
        self._task: asyncio.Task[None] | None = None
        self._viewer: Viewer = viewer(self._end)

    async def run(self, receive: Receive, send: Send) -> None:
        self._task = asyncio.current_task()
        self._viewer.start(send)  # type: ignore[arg-type]
        try:
            await self._disconnected(receive)
        finally:
            self._viewer.stop()
        if self._over:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_SEND_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _end(self) -> None:
        self._over = True
        if self._listening and self._task is not None:
            self._task.cancel()

    async def _disconnected(self, receive: Receive) -> None:
        """Returns when the client has gone or the stream is over; only then is its own task cancelled, by `_end`."""
        while not self._over:
            self._listening = True
            try:
                message = await receive()
            except asyncio.CancelledError:
                if not self._over or self._task is None or self._task.uncancel():
                    raise
                return
            finally:
                self._listening = False
            if message["type"] == "http.disconnect":
                return


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
