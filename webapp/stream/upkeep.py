"""What keeps one job's journal up to date here, for as long as somebody looks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from ..errors import JobtailError, JournalError
from ..store.base import Journal
from ..tasks import Tasks, first_of
from ..threads import LIVE
from .audience import Audience
from .feed import Feed

log = logging.getLogger("jobtail.stream")
LINGER_SECONDS = 30.0
# A single read counts as a viewer for so many seconds.
READ_SECONDS = 2.0
RESTART_SECONDS = 1.0


class Updater(Protocol):
    """Keeps a job's journal up to date: a poller of the upstream, or a follower of the embedded engine. `run` returns
    once nobody watches, the job is over and its log whole, or another process does the work. `writes`: it holds the
    lease now, and signals its own changes. `status_at`: when it got the newest status, in seconds of the
    monotonic clock, 0 for never. `loaded`: it has read the log once."""

    writes: bool
    watched: bool

    @property
    def error(self) -> JobtailError | None: ...
    @property
    def heartbeat(self) -> datetime | None: ...
    @property
    def status_at(self) -> float: ...
    @property
    def loaded(self) -> bool: ...

    def forgotten(self) -> None:
        """The journal was thrown away."""
        ...

    async def run(self) -> None: ...
    def wake(self) -> None: ...
    async def round_done(self) -> None: ...
    async def status_asked(self) -> None: ...


# The second is called after each change of the journal.
MakeUpdater = Callable[[Journal, Callable[[], None]], Updater]


class Upkeep:
    """`wanted_at`: when somebody asked for this job last, on the monotonic clock. `elsewhere`: another process keeps
    the journal up to date."""

    def __init__(self, feed: Feed, audience: Audience, updater: Updater) -> None:
        self.updater = updater
        self.wanted_at = time.monotonic()
        self.elsewhere = False
        self._feed = feed
        self._audience = audience
        self._ran = asyncio.Event()  # set when a run of the updater is over
        self._task: asyncio.Task[None] | None = None
        self._tasks = Tasks()

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def last_wanted(self) -> float:
        return max(self.wanted_at, self._audience.left_at)

    def keep_alive(self) -> None:
        """Somebody looks: the job is kept up to date for a while."""
        self.wanted_at = time.monotonic()
        self.updater.watched = True
        if not self.running:
            self.elsewhere = False
            self._task = self._tasks.start(self._run())

    def tick(self, now: float, readers: int) -> None:
        """Once a second. `readers`: who follow by other means than events."""
        viewers = self._audience.viewers
        self.updater.watched = bool(viewers or readers) or now - self.last_wanted < READ_SECONDS
        if viewers:
            self.keep_alive()

    async def _run(self) -> None:
        while self._audience.viewers or time.monotonic() - self.last_wanted < LINGER_SECONDS:
            try:
                await self.updater.run()
                await self._feed.reload()
                # Read from the disk: giving a lease back does not count as a change of the journal.
                self.elsewhere = (await LIVE.run(self._feed.journal.state)).held
            except JournalError as error:
                log.warning("%s: %s", self._feed.job, error)
            except Exception:
                log.exception("keeping %s up to date failed", self._feed.job)
            ran, self._ran = self._ran, asyncio.Event()
            ran.set()
            await asyncio.sleep(RESTART_SECONDS)

    async def round_done(self) -> None:
        """Waits for a round of the updater, or for a change that another process made."""
        await first_of(self.updater.round_done(), self._feed.changed(self._feed.state.revision))

    async def status_asked(self, seconds: float) -> None:
        """Waits until the updater has asked for the status, its run is over, or the time is up."""
        await first_of(self.updater.status_asked(), self._ran.wait(), seconds=seconds)

    async def close(self) -> None:
        await self._tasks.close()
