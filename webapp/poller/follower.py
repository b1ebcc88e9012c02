"""Follows a job whose lines reach the journal without us: the runner of an embedded job appends them itself.

It keeps the job's status in the journal, and says that the log is over where a runner died without saying so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from ..errors import JobtailError, LeaseHeld
from ..journal.status import same
from ..source.base import Source
from ..store.base import Journal
from ..store.unfinished import keep_unfinished
from ..threads import FOLLOWING

LOOK_SECONDS = 0.25
# Its writes take a moment only.
LEASE_SECONDS = 5.0


class FollowedSource(Source, Protocol):
    """A source of which some lines may wait elsewhere for the journal."""

    async def behind(self, job: str) -> bool: ...

    async def may_return(self, job: str) -> bool:
        """Whether a runner that was lost may come back and go on where it was."""
        ...


class Follower:
    writes = False  # the runner does

    def __init__(self, source: FollowedSource, journal: Journal, changed: Callable[[], None]) -> None:
        self.watched = True
        self.rounds = 0
        self.loaded = False
        self.error: JobtailError | None = None
        self.heartbeat: datetime | None = None
        self.status_at = 0.0
        self._source = source
        self._journal = journal
        self._changed = changed
        self._round = asyncio.Event()
        self._wake = asyncio.Event()

    def forgotten(self) -> None:
        """The journal was thrown away: what has been read is no longer there."""
        self.loaded = False

    def wake(self) -> None:
        self._wake.set()

    async def round_done(self) -> None:
        await self._round.wait()

    async def status_asked(self) -> None:
        self.wake()
        await self._round.wait()

    async def run(self) -> None:
        """Until nobody watches, or the job is over and its log whole."""
        while self.watched:
            over = await self._look()
            self._round.set()
            self._round = asyncio.Event()
            if over:
                return
            self._wake.clear()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _look(self) -> bool:
        try:
            status = await self._source.status(self._journal.job)
            whole = status.finished and not await self._source.behind(self._journal.job)
            returns = whole and await self._source.may_return(self._journal.job)
            over = await FOLLOWING.run(self._write, status.model_dump(mode="json"), whole, returns)
        except JobtailError as error:
            self.error = error
            return False
        self.error, self.heartbeat, self.status_at = None, status.last_heartbeat, time.monotonic()
        self.rounds += 1
        self.loaded = True
        self._changed()
        return over

    def _write(self, status: dict[str, object], finished: bool, returns: bool) -> bool:
        """True once the log is over. While the runner holds the lease, it keeps the status itself. `finished`: the job
        has ended, and no more lines of it wait anywhere. `returns`: its runner may come back with more; so no gap is
        written, and no line that the runner would number itself."""
        state = self._journal.state()
        if not state.held and not (same(state.status, status) and state.finished >= finished):
            try:
                writer = self._journal.claim(LEASE_SECONDS)
            except LeaseHeld:
                return False
            try:
                state = writer.resume()
                if state.finished and not status["finished_job_status"]:
                    return False  # it was asked for before the end that is written there by now
                writer.set_status(status)
                if finished and not state.finished:
                    # Its runner was lost, or found no room anywhere: what it had read last may be missing. Where there
                    # is no line at all, they were thrown away.
                    if not returns:
                        keep_unfinished(writer, state)
                        writer.add_gap(writer.last_line, "upstream" if writer.last_line else "trimmed", None)
                    writer.finish(False)
            finally:
                writer.release()
            state = self._journal.state()
        return finished and state.finished
