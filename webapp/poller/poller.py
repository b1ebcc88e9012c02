"""The one task that polls a job: status before logs, beat after beat, until the log is whole or nobody looks.

It keeps nothing that matters: what it knows stands in the journal, so that another process can go on at any moment.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from ..errors import (
    BegunAnew,
    DamagedJournal,
    JobNotFound,
    JobtailError,
    JournalError,
    LeaseLost,
    LineMoved,
    UpstreamDenied,
    UpstreamError,
)
from ..journal.state import State
from ..models import RunStatus
from ..settings import Settings
from ..source.base import Source
from ..store.base import Journal
from . import report
from .backoff import Backoff
from .budget import Budget
from .ending import Ending
from .lease import Lease
from .pace import Pace
from .paging import Probing
from .question import Question
from .reader import PATIENCE, Fetch, Reader
from .turns import Turns
from .window import Depth, Schedule, since_ms

log = logging.getLogger("jobtail.poller")
T = TypeVar("T")
# How long a refusal (no such job, no such credential) is believed before the upstream is asked again.
REFUSED_SECONDS = 5.0


class Poller:
    """`changed`: called on the event loop after every change of the journal on disk. `watched`: somebody watches.
    `rounds`: how many rounds have read the log; `loaded`: one of this run has. `error`: why the newest round failed;
    JobNotFound and UpstreamDenied end the run. `status_at`: when the newest status was got, s, monotonic."""

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
        self.rounds = 0
        self.loaded = False
        self.error: JobtailError | None = None
        self.heartbeat: datetime | None = None
        self.status_at = 0.0
        self.pace = pace = pace or Pace()
        self._source = source
        self._journal = journal
        self._budget = budget
        self._changed = changed
        self._beat = settings.refresh_seconds
        self._lease = Lease(journal, pace.lease, pace.lease_renew, budget.threads)
        self._reader = Reader(
            source, journal, budget, self._lease, self._appended, self._page_failed,
            window_most=pace.window_most, probing=Probing(pace.late_every, 8 * pace.late_every),
            backoff=partial(Backoff, pace.backoff_first, pace.backoff_most),
        )  # fmt: skip
        self._schedule = Schedule(
            pace.late_every, pace.sweep_every, pace.sweep_share, settings.late_window_seconds, pace.window_most,
            pace.sweep_reach, pace.deep_every, pace.deep_share,
        )  # fmt: skip
        self._ending = Ending(pace)
        self._report = report.Report(pace.loading_every)
        self._status = Question(Backoff(pace.backoff_first, pace.backoff_most))
        self._logs = Question(Backoff(pace.backoff_first, pace.backoff_most))
        self._missing_since: float | None = None
        self._unwatched_since: float | None = None
        self._refused_at = 0.0
        self._read_at = 0.0
        self._epoch = ""
        self._told_status: dict[str, Any] | None = None
        self._loading = False
        self._brought = 0  # lines of this round, even of a read that broke off
        self._idle = 0.0
        self._turns = Turns()

    # --- for the channel -----------------------------------------------------------------------------------------

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
            if not self._refused() or time.monotonic() - self._refused_at >= REFUSED_SECONDS:
                self.error = None
                await self._run()
        finally:
            self.loaded = False
            self._turns.begin()
            self._turns.end()

    async def _run(self) -> None:
        if not await self._take_lease():
            return
        self.writes, self._told_status = True, None
        try:
            state = await self._in_thread(self._lease.writer.resume)
            self._report.resume(state.upstream)
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
        state = await self._in_thread(self._lease.writer.resume)
        if self._status.due <= now:
            await self._ask_status()
        if self._refused():
            return
        fetch: Fetch | None = None
        whole = self._ending.reconcile and self._status.error is None
        self._brought, began = 0, time.monotonic()
        if self._logs.due <= now:
            fetch = await self._ask_logs(whole, state)
        took = time.monotonic() - began if fetch or self._brought else 0.0
        if fetch is not None:
            self.error = self._status.error if self._missing_since is None else None
            if self._status.error is None:
                await self._tell(self._report.ok(time.time()))
        await self._judge(fetch, whole, took)

    async def _ask_status(self) -> None:
        """Whoever waits for the status goes on once it is in the journal, where they read it."""
        try:
            await self._get_status()
        finally:
            self._turns.status_asked()

    async def _get_status(self) -> None:
        try:
            async with self._budget.place(PATIENCE):
                status = await self._source.status(self._journal.job)
        except JobtailError as error:
            await self._status_failed(error)
            return
        got_at = time.monotonic()
        self._missing_since = None
        self._status.succeeded()
        self._budget.retries.earn()
        await self._tell_status(status)
        self.heartbeat, self.status_at = status.last_heartbeat, got_at
        self._ending.told(status.finished, got_at)

    async def _tell_status(self, status: RunStatus) -> None:
        """Most rounds bring nothing new but a heartbeat: then no thread and no disk is asked."""
        told = status.model_dump(mode="json", exclude={"last_heartbeat"})
        if told == self._told_status and (status.finished or not self._ending.over):
            return
        await self._in_thread(partial(self._write_status, status))
        self._told_status = told
        self._changed()

    def _write_status(self, status: RunStatus) -> None:
        writer = self._lease.writer
        writer.set_status(status.model_dump(mode="json"))
        if not status.finished and self._journal.state().finished:
            writer.reopen()

    async def _status_failed(self, error: JobtailError) -> None:
        now = time.monotonic()
        delay = self._status.failed(error, now, self._budget.retries)
        if isinstance(error, JobNotFound):
            if self._missing_since is None:
                self._missing_since = now
            if now - self._missing_since < self.pace.grace:
                return
        self.error, self._refused_at = error, now
        await self._tell(self._report.retrying(self._status.backoff.attempt, delay, error.detail, time.time()))

    async def _ask_logs(self, whole: bool, state: State) -> Fetch | None:
        """Reads the log, as far back as it is time for or whole; None where that failed. `state`: at the beginning of
        the round, which every write of it goes on from."""
        began = time.monotonic()
        anew = state.epoch != self._epoch
        if (anew and self._epoch) or (self._ending.over and not state.finished):
            self._ending.begin(state.finished)  # thrown away meanwhile, or open again
        if anew:
            self._epoch, self.loaded, self._loading = state.epoch, False, state.last_line == 0
        depth = Depth.WHOLE if whole else self._schedule.depth(began) if self.loaded else Depth.SWEEP
        if depth is Depth.DEEP and self._ending.ended:
            depth = Depth.SWEEP  # the whole is read anyway, once the log is quiet
        if self._loading and not self._logs.backoff.attempt:
            await self._tell(self._report.loading(state.last_line, time.time()))
        anchor = self._reader.anchor(state)
        try:
            fetch = await self._reader.fetch(
                since_ms(anchor, None, self._reach(depth)) if depth not in (Depth.WHOLE, Depth.DEEP) else None,
                prove=whole,
            )
        except JournalError:
            raise
        except JobtailError as error:
            if not isinstance(error, JobNotFound):
                await self._logs_failed(error)
                return None
            if self._status.error is not None:
                await self._logs_failed(self._status.error)  # whether there is such a job is not known
                return None
            if state.last_line:
                await self._logs_failed(UpstreamError("logs: the upstream answered 404"))
                return None
            fetch = Fetch(complete=True)  # a job without a line may have no log at all
        self._read(fetch, depth, began)
        return fetch

    def _read(self, fetch: Fetch, depth: Depth, began: float) -> None:
        now = time.monotonic()
        if self.loaded:
            self._ending.came_together(fetch, now - self._read_at)
            self._schedule.done(depth, now, now - began)
            self._schedule.came_late(fetch.late_ms, fetch.behind_ms)
        else:
            self._schedule.start(now)
        self.loaded, self._loading, self._read_at = True, False, began
        self.rounds += 1
        self._logs.succeeded()

    async def _logs_failed(self, error: JobtailError) -> None:
        self.error, self._refused_at = error, time.monotonic()
        delay = self._logs.failed(error, time.monotonic(), self._budget.retries)
        await self._tell(self._report.retrying(self._logs.backoff.attempt, delay, error.detail, time.time()))

    def _reach(self, depth: Depth) -> float:
        """Seconds. Every round overlaps two beats at least."""
        return max(self._schedule.seconds(depth) or 0.0, 2 * self._beat)

    async def _appended(self, lines: int) -> None:
        self._brought += lines
        self._changed()
        if self._loading:
            state = await self._in_thread(self._journal.state)
            await self._tell(self._report.loading(state.last_line, time.time()))

    async def _page_failed(self, error: UpstreamError, attempt: int, delay: float) -> None:
        await self._tell(self._report.retrying(attempt, delay, error.detail, time.time()))

    # --- the end -------------------------------------------------------------------------------------------------

    async def _judge(self, fetch: Fetch | None, whole: bool, took: float) -> None:
        """Whether the log is over, after a round."""
        now = time.monotonic()
        slower = min(self.pace.idle_beat_most, max(self._beat, self._idle) * 1.5)
        self._idle = 0.0 if self._brought or self.watched else slower
        if self._ending.over:
            self._ending.looked(now)
            return
        complete = self._ending.round(
            fetch, now=now, failed=fetch is None or self._status.error is not None, new=self._brought, whole=whole,
            took=took, age=self._age(fetch),
        )  # fmt: skip
        if complete is not None:
            await self._in_thread(partial(self._ending.write, self._journal, self._lease.writer, complete, now))
            self._changed()

    def _age(self, fetch: Fetch | None) -> float | None:
        """Of the newest line, in seconds, by the upstream's clock where it is known."""
        if fetch is None or fetch.newest_ms < 0:
            return None
        return ((self._reader.date_ms or time.time() * 1000) - fetch.newest_ms) / 1000

    def _refused(self) -> bool:
        return isinstance(self.error, JobNotFound | UpstreamDenied)

    def _over(self) -> bool:
        """Nothing is left to do here."""
        now = time.monotonic()
        if self._refused():
            return True
        if self.watched:
            self._unwatched_since = None
            return False
        if self._unwatched_since is None:
            self._unwatched_since = now
        draining = self._ending.draining and self.error is None
        return not draining and not self._ending.looks and now - self._unwatched_since >= self.pace.idle_stop

    # --- time, disk, threads -------------------------------------------------------------------------------------

    async def _pause(self) -> None:
        """Until the next round may be (the beat, a backoff), and then until it has to be, or somebody looks."""
        may = max(self._turns.began + self._beat, time.monotonic() + self._beat / 5)
        due = min(self._status.due, self._logs.due) if self._status.error else self._logs.due
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
            if self._ending.over and await self._in_thread(self._thrown_away):
                return

    def _thrown_away(self) -> bool:
        """By whomever, or open again. A disk that fails is for the next round to find."""
        try:
            state = self._journal.state()
        except JournalError:
            return True
        return state.epoch != self._epoch or not state.finished

    async def _tell(self, state: report.State | None) -> None:
        if state is not None:
            await self._in_thread(partial(self._lease.writer.set_upstream, state))
            self._changed()

    async def _disk_failed(self, error: JournalError) -> None:
        """Said where it can be said; what could not be written is asked for again."""
        if self.error is None or self.error.detail != error.detail:
            log.error("%s: %s", self._journal.job, error)
        self.error = error
        delay = self._logs.failed(error, time.monotonic())
        try:
            await self._tell(self._report.retrying(self._logs.backoff.attempt, delay, error.for_viewers, time.time()))
        except JournalError as again:
            log.debug("%s: %s", self._journal.job, again.detail)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._budget.threads)
