"""uvicorn's HTTP/1.1, with what it lacks at the edge, where nobody has signed in yet.

- Nothing that comes after the head counts as a header: the trailer section of a chunked body is thrown away.
- The head is bounded in size and time; so is all that frames a body: chunk heads, their extensions, trailers.
- A body comes within its time, also where nobody waits for it: after an early answer, under a stream, of a GET.
- When a connection is lost, every answer that is under way on it ends, not only the one to the newest request.
- Connections are bounded by the descriptors that there are. When they run short, those are closed first that ask
  nothing, or have not sent all of their request.

`docs/upstream-reports.md` says which of these uvicorn itself should do.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ..access.guard import BODY_SECONDS, TARGET_HOST
from .unchunked import Unchunked

MAX_HEAD = 64 << 10
HEAD_SECONDS = 20.0
# For the answer that says so, where somebody waits for the body.
GRACE_SECONDS = 1.0
# Requests that wait behind the one that is answered.
MAX_PIPELINED = 8
# How much of a body is still taken off the line once its request was answered.
MAX_UNREAD = 1 << 20
# Some ten of them are a journal's.
SPARE_DESCRIPTORS = 32
# What frames a body may take: `1\r\nx\r\n` is five bytes around one.
FRAME_BYTES = 8


class TooMuch(Exception):
    """Raised into the parser, which then gives up the connection."""


class BoundedProtocol(HttpToolsProtocol):
    """`most`: connections at once, 0 for no bound; set on a class of its own by `bounded`. `highest`: a new descriptor
    gets the lowest number that is free, so one above this tells that hardly any is. 0 for no bound."""

    most: ClassVar[int] = 0
    highest: ClassVar[int] = 0
    idle: ClassVar[dict[BoundedProtocol, None]] = {}
    count: ClassVar[int] = 0

    _framing = 0  # bytes of this message so far that do not belong to the body
    _body = 0
    _in_body = False
    _counted = False
    _late: asyncio.TimerHandle | None = None
    _unanswered: tuple[RequestResponseCycle, ...] = ()

    # --- connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        kind = type(self)
        kind.count += 1
        self._counted = True
        number = transport.get_extra_info("socket").fileno()
        # Two for one, until as many descriptors are free again as journals may need.
        leaving = 2 if 0 < kind.highest < number else int(0 < kind.most < kind.count)
        for idle in list(itertools.islice(kind.idle, leaving)) or [self][:leaving]:
            idle._drop()
        if not transport.is_closing():
            kind.idle[self] = None
            self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._stop()
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def _drop(self) -> None:
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        if self._counted:
            self._counted = False
            type(self).count -= 1
            type(self).idle.pop(self, None)

    # --- what comes

    def data_received(self, data: bytes) -> None:
        if not self._in_body and not self._framing and self._answering() and not data.strip(b"\r\n"):
            return  # an empty line after a request: some clients send one
        self._framing += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._stop()
        elif self._framing > MAX_HEAD + FRAME_BYTES * self._body:
            self.send_400_response("That request is too large around its body." if self._in_body else _LARGE_HEAD)
        elif self._in_body and self._body > MAX_UNREAD and self.cycle.response_complete:
            self.transport.abort()
        elif self._late is None and (self._in_body or self._framing):
            self._wait(BODY_SECONDS + GRACE_SECONDS if self._in_body else HEAD_SECONDS)

    def on_message_begin(self) -> None:
        self._body = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            raise TooMuch
        self._framing, self._in_body = 0, True
        self._stop()
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0":
            self.cycle.__class__ = Unchunked
        self._unanswered = (*(cycle for cycle in self._unanswered if not cycle.response_complete), self.cycle)
        host = target_host(self.url)
        if host is not None:
            self.scope[TARGET_HOST] = host  # type: ignore[literal-required]

    def on_body(self, body: bytes) -> None:
        self._framing -= len(body)
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._framing, self._in_body = 0, False
        self._stop()
        if self._answering():
            type(self).idle.pop(self, None)
        super().on_message_complete()

    # --- what goes

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unanswered = tuple(cycle for cycle in self._unanswered if not cycle.response_complete)
        if self._counted and not self.pipeline:
            type(self).idle[self] = None

    def send_400_response(self, msg: str) -> None:
        """Only where no other answer is going out: its reader would take this for a part of that."""
        if self.pipeline or (self._answering() and (self.cycle.response_started or not self._in_body)):
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self._late = self.loop.call_later(seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


_LARGE_HEAD = "The head of that request is too large."


def bounded(connections: int, descriptors: int = 0) -> type[BoundedProtocol]:
    """For one server: at most so many connections at once. `descriptors`: how many this process may have, 0 for no
    bound; the last ones are for journals and the upstream, which nobody who asks nothing may keep from them."""
    bounds = {"most": connections, "highest": max(0, descriptors - SPARE_DESCRIPTORS)}
    return type("BoundedProtocol", (BoundedProtocol,), {**bounds, "idle": {}, "count": 0})


def target_host(target: bytes) -> bytes | None:
    """The host of a target in absolute form (RFC 9112, 3.2.2), user and port included; None for a path."""
    scheme, found, rest = target.partition(b"://")
    if not found or b"/" in scheme or b"?" in scheme:
        return None
    for end in (b"/", b"?", b"#"):
        rest = rest.partition(end)[0]
    return rest
