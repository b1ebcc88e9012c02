"""Live viewers of one form and beat: they stand at one place and get the same bytes.

A group advances as a whole, so that a beat costs one encoding and, for each viewer, one send.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from ..counts import counts
from ..journal.state import State
from .events import PING, event
from .feed import Feed
from .form import Form, pool_of
from .step import Position, done_event, last_visible, news, over, step, unfinished
from .wire import Parcel

PING_SECONDS = 15.0
# How far back a viewer whose socket was full finds the pushes it missed; past that it reads the journal.
NEWEST_BYTES = 4 << 20
# Seconds that one send costs, generously: beats get longer so that a group's sends take a third of one core at most.
SEND_SECONDS = 20e-6
SHARE_OF_CORE = 0.33


@dataclass(frozen=True, slots=True)
class Sent:
    """What one push was: where the group stands after it, and whether it was the last one."""

    number: int
    parcel: Parcel
    position: Position
    state: State
    last: bool


class Member(Protocol):
    """What a group asks of its viewers."""

    def joined(self, group: Group, sent: int) -> None: ...
    def push(self, sent: Sent) -> None: ...
    def end(self) -> None: ...
    def chase(self) -> None: ...


class Group:
    def __init__(self, feed: Feed, form: Form, refresh: float, position: Position, state: State) -> None:
        self.feed = feed
        self.form = form
        self.refresh = refresh
        self.position = position
        self.state = state
        self.viewers: set[Member] = set()
        self.behind_viewers: set[Member] = set()  # their sockets are full; they read the newest pushes from here
        self.task: asyncio.Task[None] | None = None  # delivers, where that takes its time
        self.sent = 0
        self._newest: deque[Sent] = deque()
        self._newest_bytes = 0
        self.sent_at = time.monotonic()
        self.cursor_at = self.sent_at

    @property
    def due(self) -> float:
        """When the next beat may be, on the monotonic clock."""
        return self.sent_at + max(self.refresh, len(self.viewers) * SEND_SECONDS / SHARE_OF_CORE)

    @property
    def searching(self) -> bool:
        return self.task is not None and not self.task.done()

    @property
    def behind(self) -> bool:
        return self.state.revision != self.feed.state.revision

    @property
    def occupied(self) -> bool:
        return bool(self.viewers or self.behind_viewers)

    def add(self, viewer: Member) -> None:
        self.viewers.add(viewer)
        viewer.joined(self, self.sent)

    def discard(self, viewer: Member) -> None:
        self.viewers.discard(viewer)
        self.behind_viewers.discard(viewer)

    def falls_behind(self, viewer: Member) -> None:
        if viewer in self.viewers:
            self.viewers.discard(viewer)
            self.behind_viewers.add(viewer)

    def keeps_up(self, viewer: Member) -> None:
        self.behind_viewers.discard(viewer)
        self.add(viewer)

    def since(self, number: int) -> list[Sent] | None:
        """The pushes after that one; None where they are no longer held."""
        missed = self.sent - number
        if missed > len(self._newest):
            return None
        return list(self._newest)[len(self._newest) - missed :]

    async def deliver(self) -> None:
        """Brings everybody here to the feed's state."""
        state = self.feed.state
        while self.occupied:
            if state.epoch != self.position.epoch:
                self.scatter()
                return
            data, after = await pool_of(self.form).run(step, self.feed.journal, state, self.form, self.position)
            ended = over(state, self.form, after)
            if after.line >= last_visible(state, self.form):
                data = news(self.state, state, self.form) + data + self._cursor(after)
                data += unfinished(self.state.partial, state.partial, self.form)
                self.state = state
            if ended:
                data += done_event(state, self.form, after, "finished")
            counts.add("lines_out_total", (after.line - self.position.line) * len(self.viewers))
            moved, self.position = after.line != self.position.line, after
            if data:
                self._push(data, ended)
            if ended or not moved or after.line >= last_visible(state, self.form):
                break
        self.state = state

    def _cursor(self, after: Position) -> bytes:
        """The `cursor` event, where a filter held the newest lines back: all up to here has been considered."""
        now = time.monotonic()
        if after.line == max(after.sent, 0) or after.omitted.count or now - self.cursor_at < self.refresh:
            return b""
        self.cursor_at = now
        after.sent = after.line
        return event("cursor", {"line": after.line}, f"{after.epoch}-{after.line}")

    def _push(self, data: bytes, ended: bool = False) -> None:
        self.sent_at = time.monotonic()
        self.sent += 1
        sent = Sent(self.sent, Parcel(data), self.position, self.state, ended)
        self._newest.append(sent)
        self._newest_bytes += len(data)
        while self._newest_bytes > NEWEST_BYTES and len(self._newest) > 1:
            self._newest_bytes -= len(self._newest.popleft().parcel.data)
        counts.add("sends_total", len(self.viewers))
        counts.add("bytes_out_total", len(self.viewers) * len(data))
        for viewer in list(self.viewers):
            viewer.push(sent)
            if ended:
                viewer.end()

    def ping(self, now: float) -> None:
        if now - self.sent_at >= PING_SECONDS and self.viewers:
            self._push(PING)

    def scatter(self) -> None:
        """The journal has begun anew: each viewer goes on by itself."""
        for viewer in list(self.viewers):
            viewer.chase()
        self.viewers.clear()
        # Viewers whose sockets are full do not find it again either.
        self.sent += 1
        self._newest.clear()
        self._newest_bytes = 0
