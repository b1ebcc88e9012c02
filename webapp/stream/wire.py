"""A stream's way into its socket, for messages that many viewers are sent alike.

Under uvicorn's httptools protocol they are framed once and handed to the transport as they are: the same bytes object
for every viewer, also while a slow one's socket holds it back. Under any other server they go out by `send`.
"""

from __future__ import annotations

import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]


class Parcel:
    """Whole events, and the same as one chunk of HTTP/1.1 (RFC 9112, 7.1)."""

    __slots__ = ("data", "framed")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.framed = b"%x\r\n%b\r\n" % (len(data), data)


class Outlet:
    """`send`: once the head of the answer is out. `waits_since`: since when the socket has taken nothing, on the
    monotonic clock; None while it takes all."""

    __slots__ = ("_cycle", "_send", "waits_since")

    def __init__(self, send: Send) -> None:
        self.waits_since: float | None = None
        self._send = send
        cycle: Any = getattr(send, "__self__", None)
        known = all(hasattr(cycle, name) for name in ("chunked_encoding", "transport", "flow", "disconnected"))
        self._cycle = cycle if known and cycle.chunked_encoding is True else None

    def offer(self, parcel: Parcel) -> Awaitable[None] | None:
        """Sends without waiting. Where the socket is full, it returns what has to be awaited until all is sent."""
        cycle = self._cycle
        if cycle is None:
            return self._offer(parcel)
        if cycle.flow.write_paused:
            return self.put(parcel)
        if not (cycle.disconnected or cycle.transport.is_closing()):
            cycle.transport.write(parcel.framed)
        return None

    async def put(self, parcel: Parcel) -> None:
        """Sends, once the socket takes more."""
        cycle = self._cycle
        if cycle is None:
            await self._send(_message(parcel.data))
            return
        if cycle.flow.write_paused:
            await cycle.flow.drain()
        if not (cycle.disconnected or cycle.transport.is_closing()):
            cycle.transport.write(parcel.framed)

    async def taken(self, sent: Awaitable[None]) -> None:
        """Waits until what `offer` or `put` gave has been sent."""
        self.waits_since = time.monotonic()
        await sent
        self.waits_since = None

    def _offer(self, parcel: Parcel) -> Awaitable[None] | None:
        coroutine = self._send(_message(parcel.data))
        try:
            waits_for = coroutine.send(None)
        except StopIteration:
            return None
        return _resume(coroutine, waits_for)


def _message(data: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": True}


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Goes on with a coroutine that was begun by hand and waits for something."""
    while True:
        try:
            value = yield waits_for
        except BaseException as error:
            try:
                waits_for = coroutine.throw(error)
            except StopIteration:
                return
        else:
            try:
                waits_for = coroutine.send(value)
            except StopIteration:
                return
