"""Somebody who follows a job's events: a position, never a queue.

A viewer that is up to date sits in a `Group` and costs a send a beat; one that is behind, or whose socket is full,
has a task of its own that reads the journal from its position until it has caught up.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..counts import counts
from ..errors import JournalError
from ..journal.state import State
from .events import event, retry
from .feed import Feed
from .form import Form
from .group import Group, Sent
from .step import Position, done_event, news, over, status_event, unfinished, upstream_event
from .wire import Outlet, Parcel, Send

log = logging.getLogger("jobtail.stream")


class Groups(Protocol):
    """What a viewer asks of the audience that it belongs to."""

    feed: Feed

    def add(self, viewer: Viewer) -> None: ...
    def leave(self, viewer: Viewer) -> None: ...
    def join(self, viewer: Viewer) -> float | None: ...
    def leave_group(self, viewer: Viewer) -> None: ...
    def goal(self, viewer: Viewer) -> int | None: ...
    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...


@dataclass(slots=True)
class Ends:
    """What ends a viewer's stream beside the end of its job. `deadline`: on the monotonic clock; `retries`: attempts of
    the upstream that may fail in a row; `grant_ended`: whether it may still watch, asked once a second; `grant_reason`:
    what it is told then."""

    deadline: float | None = None
    retries: int | None = None
    grant_ended: Callable[[], bool] | None = None
    grant_reason: str = "link_ended"
    attempts_before: int = 0  # had failed before this viewer came, and do not count

    def reason(self, now: float, attempt: int) -> str | None:
        """Why the stream ends now, None while it goes on."""
        if attempt < self.attempts_before:
            self.attempts_before = 0  # the upstream has answered in between
        if self.deadline is not None and now >= self.deadline:
            return "timeout"
        if self.retries is not None and attempt - self.attempts_before >= max(1, self.retries):
            return "retries_exhausted"
        return self.grant_reason if self.grant_ended is not None and self.grant_ended() else None


@dataclass(frozen=True, slots=True)
class Start:
    """`tail`: how many of the last lines were asked for; `reset`: why the cursor does not hold, empty where it does."""

    tail: int | None
    reset: str


class Viewer:
    """`position`: up to where it has been sent the log. `refresh`: how often it wants news, in seconds."""

    __slots__ = (
        "_ended", "_farewell", "_group", "_over", "_sent", "_start", "_task", "_wire", "audience", "ends", "form",
        "partial", "position", "refresh", "state",
    )  # fmt: skip

    def __init__(
        self,
        audience: Groups,
        form: Form,
        refresh: float,
        position: Position,
        *,
        ended: Callable[[], None],
        ends: Ends | None = None,
        tail: int | None = None,
        reset: str = "",
    ) -> None:
        """`ended` is called once, when the stream is over for a reason of ours."""
        self.audience = audience
        self.form = form
        self.refresh = refresh
        self.position = position
        self.ends = ends or Ends()
        self.ends.attempts_before = audience.feed.stored_attempt
        self.state: State | None = None  # the newest that it was sent
        self.partial: Mapping[str, Any] | None = None  # what it was sent of the lines without an end
        self._start = Start(tail, reset)
        self._farewell = b""
        self._ended = ended
        self._over = False
        self._wire: Outlet | None = None
        self._group: Group | None = None
        self._sent = 0  # the number of the newest push of the group that has gone out here
        self._task: asyncio.Task[None] | None = None  # reads and sends by itself; None while it sits in a group

    @property
    def waits_since(self) -> float | None:
        """As its `Outlet` has it."""
        return None if self._wire is None else self._wire.waits_since

    def start(self, send: Send) -> None:
        self._wire = Outlet(send)
        self.audience.add(self)
        self.chase()

    def stop(self) -> None:
        self._over = True
        self.audience.leave(self)
        if self._task is not None:
            self._task.cancel()

    def end(self) -> None:
        """The stream ends: what has been handed over is still sent."""
        if not self._over:
            self._over = True
            self.audience.leave(self)
            if self._task is None or self._task is _current_task():
                self._ended()
            else:
                self._task.add_done_callback(lambda _: self._ended())

    def abandon(self) -> None:
        """Ends the stream of a socket that takes nothing: its reader comes back by its cursor."""
        counts.add("viewers_dropped_total")
        if self._task is not None:
            self._task.cancel()
        self.end()

    def say(self, data: bytes) -> None:
        """Sends a last event: at once, or when the socket has taken what is under way."""
        if self._task is not None:
            self._farewell = data
        elif not self._over:
            self._push_alone(data)

    def finish(self, reason: str) -> None:
        """Ends the stream with `done`; a viewer whose socket is full gets nothing, and comes back for it."""
        if self._over:
            return
        data = done_event(self.audience.feed.state, self.form, self.position, reason)
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._push_alone(data)
        self.end()

    def joined(self, group: Group, sent: int) -> None:
        """The viewer now stands where the group stands after that many pushes."""
        self._group, self._sent = group, sent

    def push(self, sent: Sent) -> None:
        """Sends without waiting. Where the socket is full, the viewer falls behind and catches up by itself."""
        self._stands_at(sent)
        waits_for = self._offer(sent.parcel)
        if waits_for is not None:
            assert self._group is not None
            self._group.falls_behind(self)
            self._run(waits_for)

    def _stands_at(self, sent: Sent) -> None:
        self.position, self.state, self._sent = sent.position, sent.state, sent.number
        self.partial = sent.state.partial

    def _offer(self, parcel: Parcel) -> Awaitable[None] | None:
        assert self._wire is not None
        try:
            return self._wire.offer(parcel)
        except Exception:
            self.end()
            return None

    def _push_alone(self, data: bytes) -> None:
        waits_for = self._offer(Parcel(data))
        if waits_for is not None:
            self.audience.leave_group(self)
            self._run(waits_for)

    def chase(self) -> None:
        self._run(None)

    def _run(self, pending: Awaitable[None] | None) -> None:
        self._task = self.audience.run(self._catch_up(pending))

    async def _catch_up(self, pending: Awaitable[None] | None) -> None:
        try:
            if pending is not None:
                assert self._wire is not None
                await self._wire.taken(pending)
            if self.state is None:
                await self._send_bytes(await self._greeting())
            if self._group is not None and await self._follow(self._group):
                return
            while not self._over:
                try:
                    if await self._advance():
                        return
                except JournalError as error:
                    await self.audience.feed.recover(error)
            if self._farewell:
                await self._send_bytes(self._farewell)
        except Exception:
            log.exception("the stream of a viewer of %s failed", self.audience.feed.job)
            self.end()

    async def _follow(self, group: Group) -> bool:
        """What the group was sent in the meantime, as long as it has it. True once this viewer is back in it."""
        missed: list[Sent] | None = None
        while not self._over:
            missed = group.since(self._sent)
            if missed == [] and self._farewell:
                data, self._farewell = self._farewell, b""
                await self._send_bytes(data)
                continue
            if not missed:
                break
            for sent in missed:
                await self._put(sent.parcel)
                self._stands_at(sent)
                if sent.last:
                    self.end()
        self._group = None
        if missed is None or self._over:
            self.audience.leave_group(self)
            return False
        self._task = None
        group.keeps_up(self)
        return True

    async def _advance(self) -> bool:
        """One piece further. True once this task has nothing left to do."""
        seen = self.audience.feed.state
        if self.position.epoch != seen.epoch:
            await self._begin_anew("the journal was begun anew")
            return False
        if self.state is not seen:
            said = news(self.state or seen, seen, self.form)
            self.state = seen
            if said:
                await self._send_bytes(said)
        data, after = await self.audience.feed.piece(self.form, self.position, self.audience.goal(self), seen)
        if data:
            await self._send_bytes(data)
        counts.add("lines_out_total", after.line - self.position.line)
        moved, self.position = after.line != self.position.line, after
        return not moved and not data and seen is self.audience.feed.state and await self._arrive(seen)

    async def _arrive(self, state: State) -> bool:
        """At the end of what there is: true once this task has nothing left to do."""
        if self._over:
            return False
        if over(state, self.form, self.position):
            await self._send_bytes(done_event(state, self.form, self.position, "finished"))
            self.end()
            return True
        if data := unfinished(self.partial, state.partial, self.form):
            self.partial = state.partial
            await self._send_bytes(data)
            return False
        wait = self.audience.join(self)
        if wait is None:
            self._task = None
            return True
        await asyncio.sleep(wait)
        return False

    async def _begin_anew(self, reason: str) -> None:
        counts.add("resets_total")
        await self._send_bytes(event("reset", {"reason": reason}))
        self.partial = None
        self.position = await self.audience.feed.start_position(self.form, self._start.tail)

    async def _greeting(self) -> bytes:
        """Status first of all, then where the reader stands."""
        self.state = state = self.audience.feed.state
        data = retry(random.randint(1000, 5000)) + status_event(state, self.form)
        if state.upstream is not None and state.upstream.get("state") != "ok":
            data += upstream_event(state, self.form)
        if self._start.reset:
            counts.add("resets_total")
            data += event("reset", {"reason": self._start.reset})
        self.position.sent = self.position.line
        return data + event("cursor", {"line": self.position.line}, f"{self.position.epoch}-{self.position.line}")

    async def _send_bytes(self, data: bytes) -> None:
        counts.add("sends_total")
        counts.add("bytes_out_total", len(data))
        await self._put(Parcel(data))

    async def _put(self, parcel: Parcel) -> None:
        assert self._wire is not None
        await self._wire.taken(self._wire.put(parcel))


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
