"""One job as this process sees it: its feed, its audience, what keeps it up to date, and how fresh all of that is."""

from __future__ import annotations

import asyncio
import contextlib
import time

from ..errors import JobNotFound, JournalError, UpstreamDenied, UpstreamDown
from ..journal.state import State
from ..models import RunStatus
from ..store.base import Journal
from ..tasks import Tasks
from .audience import Audience
from .feed import Feed
from .step import settled
from .upkeep import MakeUpdater, Upkeep

# An older status is asked for again before it is shown, and so many seconds are waited for it at most.
STATUS_AGE = 2.0
STATUS_SECONDS = 3.0


class Channel:
    """`readers`: who follow by other means than events. `tasks`: what runs on behalf of requests for this job."""

    def __init__(self, journal: Journal, state: State, make_updater: MakeUpdater) -> None:
        self.job = journal.job
        self.readers = 0
        self.tasks = Tasks()
        self.feed = Feed(journal, state, self._trouble)
        self.updater = make_updater(journal, self.feed.signal)
        self.audience = Audience(self.feed)
        self.upkeep = Upkeep(self.feed, self.audience, self.updater)

    @property
    def journal(self) -> Journal:
        return self.feed.journal

    @property
    def state(self) -> State:
        return self.feed.state

    @property
    def watching(self) -> int:
        """How many follow it here."""
        return len(self.audience.viewers) + self.readers

    def _trouble(self) -> JournalError | None:
        return self.updater.error if isinstance(self.updater.error, JournalError) else None

    # --- how fresh it is -----------------------------------------------------------------------------------------

    async def fresh(self, seconds: float = 20.0, *, status_only: bool = False) -> None:
        """Waits for a round that succeeded, or with `status_only` for a first status, unless the journal is kept up
        to date already. Where nothing is known yet, it raises the upstream's error; else what is known is used."""
        awake = self.upkeep.running
        self.upkeep.keep_alive()
        await self._current(min(seconds, STATUS_SECONDS))
        if settled(self.state) or (awake and self.updater.loaded and self.updater.error is None):
            return
        self.updater.wake()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._known(status_only):
                    await self.upkeep.round_done()
                    await self.feed.reload()
                    if self._hopeless(status_only):
                        break
        error = self.updater.error
        forgotten = isinstance(error, JobNotFound) and self.state.last_line == 0
        if forgotten or self._nothing(status_only):
            raise error or UpstreamDown(f"the upstream has not answered for {seconds:g} s")

    @property
    def status_age(self) -> float | None:
        """Seconds since the status was asked for; None where this process has not asked yet. Another process that keeps
        it up to date asks as often as this one would."""
        if self.upkeep.elsewhere:
            return 0.0
        return time.monotonic() - self.updater.status_at if self.updater.status_at else None

    @property
    def _is_current(self) -> bool:
        return self.status_age is not None and self.status_age <= STATUS_AGE

    async def _current(self, seconds: float) -> None:
        """The status may come from a poller that went to sleep before the job ended, or before it ran again. So the
        first reader waits for a status that is asked for now. Where the upstream does not give one, the known one is
        used."""
        if self.state.status is None or self._is_current:
            return
        await self.upkeep.status_asked(seconds)
        await self.feed.reload()

    def _hopeless(self, status_only: bool) -> bool:
        """A round failed, and another is not worth waiting for: it would be refused too, or what is known is enough."""
        error = self.updater.error
        refused = isinstance(error, JobNotFound | UpstreamDenied)
        return error is not None and (refused or not self._nothing(status_only) or self.state.status is None)

    def _nothing(self, status_only: bool) -> bool:
        """Nothing is known of what is asked for. A log counts as known to be empty only once it has been read."""
        if status_only or self.state.status is None:
            return self.state.status is None
        return self.state.last_line == 0 and not self.state.finished and not self._known(status_only)

    def _known(self, status_only: bool) -> bool:
        if status_only and self.state.status is not None:
            return True
        if self.updater.loaded:
            return True
        return self.upkeep.elsewhere and self.state.status is not None and self._read_elsewhere()

    def _read_elsewhere(self) -> bool:
        """The process that keeps the journal up to date has read something of the log, or found it empty. A journal
        that was thrown away while its poller sleeps shows neither."""
        state = self.state
        return state.last_line > 0 or state.finished or (state.upstream or {}).get("state") == "ok"

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
        # A heartbeat alone does not count as a change, so the journal is not written for it.
        status.last_heartbeat = self.updater.heartbeat or status.last_heartbeat
        return status

    # --- its life ------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Once a second."""
        self.upkeep.tick(now, self.readers)
        if (self._trouble() is not None) != (self.state.revision < 0):
            self.feed.signal()
        self.audience.tick(now, self.updater.error)

    @property
    def idle(self) -> bool:
        return not self.watching and not self.upkeep.running

    async def close(self) -> None:
        await self.tasks.close()
        await self.upkeep.close()
        await self.audience.close()
        await self.feed.close()
