"""The one task that polls a job: status before logs, beat after beat, until the log is whole or nobody looks.

It keeps nothing that matters: what it knows stands in the journal, so that another process can go on at any moment.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

import anyio

from ..errors import BegunAnew, DamagedJournal, JobtailError, JournalError, LeaseLost, LineMoved
from ..settings import Settings
from ..source.base import Source
from ..store.base import Journal
from .backoff import Backoff
from .budget import Budget, Hands
from .ending import Ending
from .fetch import Fetch
from .lease import Lease
from .logs import LogPoll
from .output import Output
from .pace import Pace
from .status import StatusPoll
from .trouble import RoundTrouble
from .turns import Turns

log = logging.getLogger("jobtail.poller")


class Poller:
    """`changed`: called on the event loop after every change of the journal on disk. `watched`: somebody watches.
    `writes`: it has the lease."""

    def __init__(
        self,
        source: Source,
        journal: Journal,
        settings: Settings,
        *,
        budget: Budget,
        changed: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        self.watched = True
        self.writes = False
        self.pace = pace = pace or Pace()
        self._journal = journal
        self._beat = settings.refresh_seconds
        self._lease = lease = Lease(journal, pace.lease, pace.lease_renew, Hands(budget))
        self._output = output = Output(lease, changed, pace.loading_every)
        self._trouble = trouble = RoundTrouble()
        self._ending = ending = Ending(pace)
        self._status = StatusPoll(
            source, journal, budget, output, trouble, ending,
            backoff=Backoff(pace.backoff_first, pace.backoff_most), grace=pace.grace,
        )  # fmt: skip
        self._logs = LogPoll(source, journal, settings, budget, lease, output, trouble, ending, pace)
        self._turns = Turns()
        self._unwatched_since: float | None = None
        self._idle = 0.0  # seconds that rounds are further apart because nobody watches and nothing comes

    # --- for the channel -----------------------------------------------------------------------------------------

    @property
    def error(self) -> JobtailError | None:
        """Why the newest round failed. JobNotFound and UpstreamDenied end the run."""
        return self._trouble.error

    @property
    def heartbeat(self) -> datetime | None:
        return self._status.heartbeat

    @property
    def status_at(self) -> float:
        """When the newest status was got, in seconds of the monotonic clock; 0 for never."""
        return self._status.at

    @property
    def rounds(self) -> int:
        """How many have read the log."""
        return self._logs.rounds

    @property
    def loaded(self) -> bool:
        """A round of this run has read the log."""
        return self._logs.loaded

    def forgotten(self) -> None:
        """The journal was thrown away: what has been read is no longer there."""
        self._logs.loaded = False

    def wake(self) -> None:
        """Somebody looks: the next round comes as soon as the beat and the upstream allow."""
        self._unwatched_since = None
        self._turns.woken.set()

    async def round_done(self) -> None:
        """Waits for the next round, good or bad, that starts after this call; or for the run to end."""
        self.wake()
        await self._turns.next_done()

    async def status_asked(self) -> None:
        """Waits until the status is asked for the next time, successfully or not."""
        self.wake()
        await self._turns.next_status()

    async def run(self) -> None:
        """Until cancelled, or nothing is left to do, or another holds the lease. It may be run again."""
        self._unwatched_since = None
        try:
            if not self._trouble.final:
                self._trouble.over()
                await self._run()
        finally:
            self._logs.loaded = False
            self._turns.begin()
            self._turns.end()

    async def _run(self) -> None:
        if not await self._take_lease():
            return
        self.writes = True
        self._status.begin()
        try:
            state = await self._output.in_thread(self._lease.writer.resume)
            self._output.resume(state.upstream)
            self._ending.over = state.finished
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._lease.keep, tasks.cancel_scope.cancel)
                await self._rounds()
                tasks.cancel_scope.cancel()
        finally:
            self.writes = False
            with anyio.CancelScope(shield=True):
                await self._lease.give_back()

    async def _take_lease(self) -> bool:
        """A disk that fails is tried again, and said to fail, for as long as somebody looks."""
        while True:
            try:
                return await self._lease.take()
            except DamagedJournal:
                raise
            except JournalError as error:
                self._turns.begin()
                await self._disk_failed(error)
                self._turns.end()
            if self._over():
                return False
            await self._pause()

    # --- rounds --------------------------------------------------------------------------------------------------

    async def _rounds(self) -> None:
        while not self._over():
            self._turns.begin()
            try:
                await self._round(time.monotonic())
            except (LeaseLost, DamagedJournal):
                return  # with a journal that was begun anew went its lease
            except (BegunAnew, LineMoved) as error:
                log.info("%s", error)
            except JournalError as error:
                await self._disk_failed(error)
            finally:
                self._turns.end()
            await self._pause()

    async def _round(self, now: float) -> None:
        state = await self._output.in_thread(self._lease.writer.resume)
        if self._status.question.due <= now:
            await self._ask_status()
        if self._trouble.refused:
            return
        fetch: Fetch | None = None
        whole = self._ending.reconcile and self._status.error is None
        self._logs.brought, began = 0, time.monotonic()
        if self._logs.question.due <= now:
            fetch = await self._logs.ask(whole, state, self._status.error)
        took = time.monotonic() - began if fetch or self._logs.brought else 0.0
        if fetch is not None:
            self._trouble.error = self._status.error_to_show
            if self._status.error is None:
                await self._output.ok()
        await self._judge(fetch, whole, took)

    async def _ask_status(self) -> None:
        """Whoever waits for the status goes on once it is in the journal, where they read it."""
        try:
            await self._status.ask()
        finally:
            self._turns.status_asked()

    # --- the end -------------------------------------------------------------------------------------------------

    async def _judge(self, fetch: Fetch | None, whole: bool, took: float) -> None:
        """Whether the log is over, after a round."""
        now, new = time.monotonic(), self._logs.brought
        slower = min(self.pace.idle_beat_most, max(self._beat, self._idle) * 1.5)
        self._idle = 0.0 if new or self.watched else slower
        if self._ending.over:
            self._ending.looked(now)
            return
        failed = fetch is None or self._status.error is not None
        complete = self._ending.round(
            fetch, now=now, failed=failed, new=new, whole=whole, took=took, age=self._logs.age(fetch)
        )
        if complete is not None:
            write = partial(self._ending.write, self._journal, self._lease.writer, complete, now)
            await self._output.in_thread(write)
            self._output.changed()

    def _over(self) -> bool:
        """Nothing is left to do here."""
        now = time.monotonic()
        if self._trouble.refused:
            return True
        if self.watched:
            self._unwatched_since = None
            return False
        if self._unwatched_since is None:
            self._unwatched_since = now
        draining = self._ending.draining and self.error is None
        return not draining and not self._ending.looks and now - self._unwatched_since >= self.pace.idle_stop

    # --- time and disk -------------------------------------------------------------------------------------------

    async def _pause(self) -> None:
        """Until the next round may be (the beat, a backoff), and then until it has to be, or somebody looks."""
        may = max(self._turns.began + self._beat, time.monotonic() + self._beat / 5)
        due = self._logs.question.due
        if self._status.error is not None:
            due = min(due, self._status.question.due)
        # Nobody may cut this wait short.
        while (rest := max(may, due) - time.monotonic()) > 0 and not self._over():  # noqa: ASYNC110
            await anyio.sleep(min(1.0, rest))
        while not self._turns.woken.is_set() and not self._over():
            now = time.monotonic()
            must = self._turns.began + self._beat + self._idle
            if self._ending.over:
                must = min(self._ending.looks, default=now + 1)
            if now >= must:
                return
            with anyio.move_on_after(min(1.0, must - now)):
                await self._turns.woken.wait()
            if self._ending.over and await self._output.in_thread(self._thrown_away):
                return

    def _thrown_away(self) -> bool:
        """By whomever, or open again. A disk that fails is for the next round to find."""
        try:
            state = self._journal.state()
        except JournalError:
            return True
        return state.epoch != self._logs.epoch or not state.finished

    async def _disk_failed(self, error: JournalError) -> None:
        """Said where it can be said; what could not be written is asked for again."""
        if self.error is None or self.error.detail != error.detail:
            log.error("%s: %s", self._journal.job, error)
        self._trouble.error = error
        question = self._logs.question
        delay = question.failed(error, time.monotonic())
        try:
            await self._output.retrying(question.backoff.attempt, delay, error.for_viewers)
        except JournalError as again:
            log.debug("%s: %s", self._journal.job, again.detail)
