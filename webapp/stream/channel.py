"""One job as this process sees it: its journal, its newest state, who polls it, who watches it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from ..errors import BegunAnew, DamagedJournal, JobNotFound, JobtailError, JournalError, UpstreamDenied, UpstreamDown
from ..journal.state import State
from ..models import RunStatus
from ..store.base import Journal
from ..threads import LIVE
from .form import Form, pool_of
from .group import Group
from .step import Position, last_visible, settled, step
from .tail import tail_start
from .viewer import Viewer

log = logging.getLogger("jobtail.stream")
LINGER_SECONDS = 30.0
RETRY_SECONDS = 1.0
# A socket that takes nothing for so long has nobody behind it.
SEND_SECONDS = 120.0
# One who reads once counts as a viewer for so long.
READ_SECONDS = 2.0
# A status that is older is asked for again before it is told, for so long at most.
STATUS_AGE = 2.0
STATUS_SECONDS = 3.0
PIECES_KEPT = 8


# Finds where the last lines that match begin: called as `tail_start` is.
Walk = Callable[[Journal, State, Form, "int | None"], Awaitable[int]]


class Attendant(Protocol):
    """What keeps a job's journal up to date: a poller of the upstream, or a follower of the embedded engine.
    `writes`: it holds the lease now, and says itself what it has changed. `status_at`: when it got the newest
    status, in seconds of the monotonic clock, 0 for never."""

    writes: bool
    watched: bool
    rounds: int
    error: JobtailError | None
    heartbeat: datetime | None
    status_at: float
    loaded: bool

    async def run(self) -> None: ...
    def wake(self) -> None: ...
    async def round_done(self) -> None: ...
    async def status_asked(self) -> None: ...


class Channel:
    def __init__(
        self,
        job: str,
        journal: Journal,
        state: State,
        attend: Callable[[Channel], Attendant],
    ) -> None:
        self.job = job
        self.journal = journal
        self.state = state
        self.viewers: set[Viewer] = set()
        self.readers = 0  # who follow by other means than events
        self.attendant = attend(self)
        self.visited = time.monotonic()
        self._groups: dict[tuple[Form, float], Group] = {}
        self._pieces: OrderedDict[tuple[Any, ...], asyncio.Task[tuple[bytes, Position]]] = OrderedDict()
        self._signal = asyncio.Event()
        self._moved = asyncio.Event()
        self._reloading: asyncio.Task[None] | None = None
        self._next_reload: asyncio.Task[None] | None = None
        self._ran = asyncio.Event()  # set when a run of the attendant's is over
        self._elsewhere = False  # another process keeps this journal up to date
        self._attending: asyncio.Task[None] | None = None
        self._delivering = asyncio.get_running_loop().create_task(self._deliver())

    # --- state ---------------------------------------------------------------------------------------------------

    def signal(self) -> None:
        """The journal has changed, or may have."""
        self._signal.set()

    async def reload(self, *, delivers: bool = False) -> None:
        """Who asks while one is under way shares the next with all who do. `delivers`: whoever asks brings the groups
        to the new state itself; else they are brought to it, since nobody else will see a change any more."""
        if self._next_reload is None:
            self._next_reload = asyncio.get_running_loop().create_task(self._reload(self._reloading, delivers))
        await asyncio.shield(self._next_reload)

    async def _reload(self, before: asyncio.Task[None] | None, delivers: bool) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._reloading, self._next_reload = self._next_reload, None
        state = await LIVE.run(self.journal.state)
        if isinstance(self.attendant.error, JournalError):
            state = _troubled(state, self.attendant.error)
        if state.revision != self.state.revision or state.epoch != self.state.epoch:
            self.state = state
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
            if not delivers:
                self._signal.set()

    async def recover(self, error: JournalError) -> None:
        """The journal could not be read: tried again soon, or at once where the store has begun it anew."""
        log.warning("%s: %s", self.job, error)
        if isinstance(error, BegunAnew | DamagedJournal):
            with contextlib.suppress(JournalError):
                await self.reload()
                return
        await asyncio.sleep(RETRY_SECONDS)

    async def changed(self, revision: int) -> None:
        """Returns once the state is another than the one with this revision."""
        while self.state.revision == revision:
            await self._moved.wait()

    # --- attending -----------------------------------------------------------------------------------------------

    def visit(self) -> None:
        """Somebody looks: the job is polled for a while."""
        self.visited = time.monotonic()
        self.attendant.watched = True
        if self._attending is None or self._attending.done():
            self._elsewhere = False
            self._attending = asyncio.get_running_loop().create_task(self._attend())

    async def _attend(self) -> None:
        while self.viewers or time.monotonic() - self.visited < LINGER_SECONDS:
            try:
                await self.attendant.run()
                await self.reload()
                # Asked of the disk: a lease that was given back is no change of the journal.
                self._elsewhere = (await LIVE.run(self.journal.state)).held
            except JournalError as error:
                log.warning("%s: %s", self.job, error)
            except Exception:
                log.exception("the attendant of %s failed", self.job)
            ran, self._ran = self._ran, asyncio.Event()
            ran.set()
            await asyncio.sleep(1)

    async def fresh(self, seconds: float = 20.0, *, status_only: bool = False) -> None:
        """Waits for a round that succeeded, or with `status_only` for a first status, unless the journal is kept up
        to date already. Raises what the upstream says where nothing is known yet; else what is known has to do."""
        awake = self._attending is not None and not self._attending.done()
        self.visit()
        await self._current(min(seconds, STATUS_SECONDS))
        if settled(self.state) or (awake and self.attendant.loaded and self.attendant.error is None):
            return
        self.attendant.wake()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._known(status_only):
                    await self._round()
                    await self.reload()
                    if self._hopeless(status_only):
                        break
        error = self.attendant.error
        forgotten = isinstance(error, JobNotFound) and self.state.last_line == 0
        if forgotten or self._nothing(status_only):
            raise error or UpstreamDown(f"the upstream has not answered for {seconds:g} s")

    @property
    def status_age(self) -> float | None:
        """Seconds since the status was asked for; None where it was not since this process looks. Who keeps it up to
        date elsewhere asks as often as we would."""
        if self._elsewhere:
            return 0.0
        return time.monotonic() - self.attendant.status_at if self.attendant.status_at else None

    @property
    def _is_current(self) -> bool:
        return self.status_age is not None and self.status_age <= STATUS_AGE

    async def _current(self, seconds: float) -> None:
        """The status may be of a poller that went to sleep before the job ended, or before it ran again: whoever looks
        first waits for one that is asked for now. Where the upstream does not give it, what is known has to do."""
        if self.state.status is None or self._is_current:
            return
        asked = asyncio.ensure_future(self.attendant.status_asked())
        ran = asyncio.ensure_future(self._ran.wait())
        try:
            await asyncio.wait((asked, ran), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            ran.cancel()
        await self.reload()

    def _hopeless(self, status_only: bool) -> bool:
        """A round failed, and another is not worth waiting for: it would be refused too, or what is known does."""
        error = self.attendant.error
        refused = isinstance(error, JobNotFound | UpstreamDenied)
        return error is not None and (refused or not self._nothing(status_only) or self.state.status is None)

    def _nothing(self, status_only: bool) -> bool:
        """Nothing is known of what is asked for. An empty log is none before it has been read."""
        if status_only or self.state.status is None:
            return self.state.status is None
        return self.state.last_line == 0 and not self.state.finished and not self._known(status_only)

    def _known(self, status_only: bool) -> bool:
        if status_only and self.state.status is not None:
            return True
        return self.attendant.loaded or (self._elsewhere and self.state.status is not None and self._told_elsewhere())

    def _told_elsewhere(self) -> bool:
        """Whoever keeps the journal up to date has read something of the log, or found it empty. A journal that was
        thrown away while its poller sleeps tells nothing."""
        state = self.state
        return state.last_line > 0 or state.finished or (state.upstream or {}).get("state") == "ok"

    async def _round(self) -> None:
        """A round of the attendant's, or a change that another process made."""
        waits: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self.attendant.round_done()),
            asyncio.ensure_future(self.changed(self.state.revision)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def status(self) -> RunStatus:
        await self.fresh(status_only=True)
        status = self.known_status
        if status is None:
            raise JobNotFound(self.job)
        if not self._is_current:
            age = self.status_age
            asked_ms = None if age is None else int((time.time() - age) * 1000)
            status.__pydantic_extra__ = {**(status.__pydantic_extra__ or {}), "stale": True, "as_of": asked_ms}
        return status

    @property
    def known_status(self) -> RunStatus | None:
        if self.state.status is None:
            return None
        status = RunStatus.model_validate(self.state.status)
        # Heartbeats are no change, so the journal is not written for them.
        status.last_heartbeat = self.attendant.heartbeat or status.last_heartbeat
        return status

    # --- viewers -------------------------------------------------------------------------------------------------

    async def start_position(self, form: Form, tail: int | None, walk: Walk | None = None) -> Position:
        """Where one begins who brings no cursor. `walk`: how the last lines that match are looked for."""
        await self.reload()
        state = self.state
        if tail is None and form.since_ms is None:
            return Position(state.epoch, (form.lines or (1, 0))[0] - 1)
        if walk is None:
            walk = partial(pool_of(form).run, tail_start)
        line = await walk(self.journal, state, form, tail)
        return Position(state.epoch, line)

    def goal(self, viewer: Viewer) -> int | None:
        """How far a viewer that catches up may read, so that it meets its group."""
        group = self._groups.get((viewer.form, viewer.refresh))
        if group is None or not group.occupied:
            return None
        return max(group.position.line, viewer.position.line)

    def join(self, viewer: Viewer) -> float | None:
        """Takes the viewer into its group. Not possible yet: how many seconds to wait."""
        key = (viewer.form, viewer.refresh)
        group = self._groups.get(key)
        if group is None or not group.occupied:
            group = self._groups[key] = Group(
                self, viewer.form, viewer.refresh, viewer.position.copy(), viewer.state or self.state
            )
        elif not group.position.meets(viewer.position) or group.state is not viewer.state:
            return min(0.05, viewer.refresh)
        group.add(viewer)
        viewer.form, viewer.position = group.form, group.position  # equal ones: they need not be kept twice
        if group.behind:
            self._signal.set()
        return None

    def leave_group(self, viewer: Viewer) -> None:
        key = (viewer.form, viewer.refresh)
        group = self._groups.get(key)
        if group is not None:
            group.discard(viewer)
            if not group.occupied:
                del self._groups[key]

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self.leave_group(viewer)
        self.visited = time.monotonic()

    async def piece(self, form: Form, position: Position, upto: int | None, state: State) -> tuple[bytes, Position]:
        """`step`, done once for all who ask for the same. `state`: what the viewer has been told of, so that no line
        comes before the status that it came with."""
        if position.omitted.count:
            return await pool_of(form).run(step, self.journal, state, form, position, upto)
        key = (form, position.epoch, position.line, position.told, position.sent, state.revision, upto)
        task = self._pieces.get(key)
        if task is None or _failed(task):
            work: Coroutine[Any, Any, tuple[bytes, Position]] = pool_of(form).run(
                step, self.journal, state, form, position, upto
            )
            task = self._pieces[key] = asyncio.get_running_loop().create_task(work)
            if len(self._pieces) > PIECES_KEPT:
                self._pieces.popitem(last=False)
        data, after = await asyncio.shield(task)
        return data, after.copy()

    async def _deliver(self) -> None:
        """The beat: brings every group to the newest state, none more often than it wants."""
        while True:
            due = [group.due for group in self._groups.values() if group.behind and not group.searching]
            timeout = max(0.0, min(due) - time.monotonic()) if due else None
            try:
                async with asyncio.timeout(timeout):
                    await self._signal.wait()
            except TimeoutError:
                pass
            try:
                if self._signal.is_set():
                    self._signal.clear()
                    await self.reload(delivers=True)
                now = time.monotonic()
                for group in list(self._groups.values()):
                    if group.behind and group.due <= now:
                        await self._bring(group)
            except JournalError as error:
                await self.recover(error)
            if not self.viewers:
                self._pieces.clear()

    async def _bring(self, group: Group) -> None:
        """One that looks for a text takes its time, and the others do not wait for it."""
        if not group.form.searches:
            await group.deliver()
        elif not group.searching:
            group.task = asyncio.get_running_loop().create_task(self._search_on(group))

    async def _search_on(self, group: Group) -> None:
        try:
            await group.deliver()
        except JournalError as error:
            await self.recover(error)
        except Exception:
            log.exception("a filtered group of %s failed", self.job)
        self._signal.set()  # it may be behind again

    def tick(self, now: float) -> None:
        """Once a second: heartbeats, and who has to go."""
        self.attendant.watched = bool(self.viewers or self.readers) or now - self.visited < READ_SECONDS
        if self.viewers:
            self.visit()
        if isinstance(self.attendant.error, JournalError) != (self.state.revision < 0):
            self.signal()
        for group in list(self._groups.values()):
            group.ping(now)
        attempt = _attempt(self.state)
        for viewer in list(self.viewers):
            if attempt < viewer.attempts_before:
                viewer.attempts_before = 0
            if viewer.deadline is not None and now >= viewer.deadline:
                viewer.finish("timeout")
            elif viewer.retries is not None and attempt - viewer.attempts_before >= max(1, viewer.retries):
                viewer.finish("retries_exhausted")
            elif viewer.grant_ended is not None and viewer.grant_ended():
                viewer.finish(viewer.end_reason)
            elif viewer.waits_since is not None and now - viewer.waits_since > SEND_SECONDS:
                viewer.abandon()
            elif isinstance(self.attendant.error, JobNotFound) and self._shown(viewer):
                viewer.finish("not_found")
            elif isinstance(self.attendant.error, UpstreamDenied):
                viewer.finish("denied")

    @property
    def attempts_told(self) -> int:
        """Attempts that the journal tells of, maybe of a run that is long over; a disk that fails now is none of it."""
        return _attempt(self.state) if self.state.revision >= 0 else 0

    def _shown(self, viewer: Viewer) -> bool:
        """The journal outlives the upstream's memory: a viewer gets what it keeps first."""
        return viewer.position.line >= last_visible(self.state, viewer.form)

    @property
    def idle(self) -> bool:
        return not self.viewers and not self.readers and (self._attending is None or self._attending.done())

    def say(self, data: bytes) -> None:
        for viewer in list(self.viewers):
            viewer.say(data)

    async def close(self) -> None:
        for viewer in list(self.viewers):
            viewer.stop()
        searches = [group.task for group in self._groups.values()]
        tasks = [task for task in (self._attending, self._delivering, *searches) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _attempt(state: State) -> int:
    return int((state.upstream or {}).get("attempt") or 0)


def _troubled(state: State, error: JournalError) -> State:
    """What is known, and that nothing new can be written down; its revision is none of the journal's."""
    held = state.upstream or {}
    since = held.get("since") if held.get("state") == "retrying" else int(time.time() * 1000)
    trouble = {"state": "retrying", "since": since, "lines": state.last_line, "attempt": 1}
    return replace(
        state, upstream={**trouble, "retry_in_seconds": 1.0, "detail": error.for_viewers}, revision=-1 - state.revision
    )
