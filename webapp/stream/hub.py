"""All channels of this process, and the clock that they share."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Awaitable, Callable

from sse_starlette.sse import AppStatus

from ..errors import Busy, JobNotFound, JournalError, UpstreamDenied, UpstreamError
from ..models import RunStatus
from ..store.base import Journals
from ..store.tables import Presence
from ..tasks import Tasks
from ..threads import CHORES, LIVE, PAGES, RECORDS
from .channel import Channel
from .events import event
from .keeping import Keeping
from .presence import Watching
from .upkeep import MakeUpdater

log = logging.getLogger("jobtail.stream")
# How soon a line that another process wrote is seen. Where this one holds the lease, others only trim.
LOOK_SECONDS = 0.05
LOOKS_BETWEEN = 10
# A store that does not answer is asked again after so long.
AWAY_SECONDS = 0.5

NOT_FOUND_SECONDS = 2.0
# So many jobs may be open of which nobody could say yet whether they exist.
UNKNOWN_MOST = 8

Ask = Callable[[str], Awaitable[RunStatus]]


class Hub:
    """`ask` gives a job's status, for a job that was never seen; `make_updater` makes what keeps its journal up to
    date, once `prepare` has looked up what that takes; `forgotten` is told which jobs' journals were past their time.
    """

    def __init__(
        self,
        journals: Journals,
        presence: Presence,
        ask: Ask,
        make_updater: MakeUpdater,
        *,
        prepare: Callable[[str], Awaitable[object]] | None = None,
        forgotten: Callable[[list[str]], None],
        max_viewers: int,
        max_viewers_per_job: int,
    ) -> None:
        self.journals = journals
        self._watching = Watching(presence)
        self.channels: dict[str, Channel] = {}
        self._ask = ask
        self._make_updater = make_updater
        self._prepare = prepare
        self.keeping = Keeping(journals, forgotten)
        self.late = 0.0  # seconds by which the last beat of the event loop was late
        self._not_found: dict[str, float] = {}
        self._max_viewers = max_viewers
        self._max_viewers_per_job = max_viewers_per_job
        self._opening = asyncio.Lock()
        self._tasks = Tasks()
        self.leaving = asyncio.Event()  # set once the service goes down

    def start(self) -> None:
        self._tasks.start(self._look())
        self._tasks.start(self._tick())
        self._tasks.start(self.keeping.run())

    async def close(self) -> None:
        self.bye()
        await self._tasks.close()
        # Together: each gives a lease back, which takes as long as the store lets it.
        closing = (channel.close() for channel in self.channels.values())
        for error in await asyncio.gather(*closing, return_exceptions=True):
            if error is not None:
                log.error("a channel did not close", exc_info=error)
        self.channels.clear()
        with contextlib.suppress(JournalError):
            await RECORDS.run(self._watching.leave)
        await CHORES.run(self.journals.close)

    async def channel(self, job: str) -> Channel:
        """The job's channel, its journal opened or begun. The id has been checked. JobNotFound: no such job, and no
        journal of it either; then nothing is begun."""
        channel = self.channels.get(job)
        if channel is not None:
            return channel
        doubt = None if await PAGES.run(self.journals.known, job) else await self._doubt(job)
        async with self._opening:
            channel = self.channels.get(job)
            if channel is None:
                # Looked at here: many guesses at once have all been asked about before the first of them stands open.
                if doubt is not None and self._unknown >= UNKNOWN_MOST:
                    raise doubt
                journal = await CHORES.run(self.journals.open, job)
                state = await LIVE.run(journal.state)
                if self._prepare is not None:
                    await self._prepare(job)
                channel = self.channels[job] = Channel(journal, state, self._make_updater)
            return channel

    async def _doubt(self, job: str) -> UpstreamError | None:
        """Why nobody can say whether there is such a job; None where there is. JobNotFound where there is none, which
        is believed for a while, so that not every guess is asked about."""
        now = time.monotonic()
        self._not_found = {name: until for name, until in self._not_found.items() if until > now}
        if job in self._not_found:
            raise JobNotFound(job)
        try:
            await self._ask(job)
        except JobNotFound:
            self._not_found[job] = now + NOT_FOUND_SECONDS
            raise
        except UpstreamDenied:
            raise
        except UpstreamError as error:
            # It may exist: whoever asks waits for the upstream, or is told by the stream how it goes on. But each such
            # guess begins a journal, so only a few may stand open.
            return error
        return None

    @property
    def _unknown(self) -> int:
        return sum(1 for channel in self.channels.values() if channel.state.status is None)

    @property
    def viewers(self) -> int:
        return sum(channel.watching for channel in self.channels.values())

    def admit(self, channel: Channel) -> None:
        """Busy where one more viewer would be too many."""
        if self.leaving.is_set():
            raise Busy("the service is going down", 2)
        if channel.watching >= self._max_viewers_per_job:
            raise Busy(f"{self._max_viewers_per_job} watch this job already (JOBTAIL_MAX_VIEWERS_PER_JOB)", 10)
        if self.viewers >= self._max_viewers:
            raise Busy(f"{self._max_viewers} watch already (JOBTAIL_MAX_VIEWERS)", 10)

    def bye(self) -> None:
        """Tells every viewer that the server goes down, and ends its stream."""
        if self.leaving.is_set():
            return
        self.leaving.set()
        for channel in self.channels.values():
            for viewer in list(channel.audience.viewers):
                viewer.say(event("bye", {}))
                viewer.end()

    async def _look(self) -> None:
        """Finds what other processes wrote, by the revision of the journal."""
        for look in itertools.count():
            await asyncio.sleep(LOOK_SECONDS)
            seldom = look % LOOKS_BETWEEN == 0
            channels = self.channels.values()
            watched = [channel for channel in channels if not channel.idle and (seldom or not channel.updater.writes)]
            if watched:
                marks = {channel.job: channel.state.mark for channel in watched}
                for job in await self._changed(marks):
                    if job in self.channels:
                        self.channels[job].feed.signal()

    async def _changed(self, marks: dict[str, tuple[str, int]]) -> list[str]:
        """All of them where the store does not answer: each channel then learns why, and tells its viewers."""
        try:
            return await LIVE.run(self.journals.changes, marks)
        except JournalError:
            await asyncio.sleep(AWAY_SECONDS)
            return list(marks)

    def watching(self, channel: Channel) -> int:
        """How many watch the job, over all processes of the service."""
        return self._watching.of(channel.job, channel.watching)

    async def _count(self, now: float) -> None:
        own = {channel.job: channel.watching for channel in self.channels.values()}
        try:
            await RECORDS.run(self._watching.refresh, own, now)
        except JournalError as error:
            log.debug("who watches is not known: %s", error)

    async def _tick(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(1)
            self.late = max(0.0, time.monotonic() - began - 1)
            if AppStatus.should_exit:
                self.bye()
            now = time.monotonic()
            for channel in list(self.channels.values()):
                try:
                    channel.tick(now)
                except Exception:
                    log.exception("the tick of %s failed", channel.job)
            await self._count(now)
            await self._drop_idle(now)

    async def _drop_idle(self, now: float) -> None:
        for job, channel in list(self.channels.items()):
            if channel.idle and now - channel.upkeep.last_wanted > 60:
                del self.channels[job]
                await channel.close()
                await CHORES.run(self.journals.release, job)
