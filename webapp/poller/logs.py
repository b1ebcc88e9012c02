"""The other side of a poller: reads the job's log, as far back as it is time for."""

from __future__ import annotations

import time
from functools import partial

from ..errors import JobNotFound, JobtailError, JournalError, UpstreamError
from ..journal.state import State
from ..settings import Settings
from ..source.base import Source
from ..store.base import Journal
from .backoff import Backoff
from .budget import Budget
from .ending import Ending
from .fetch import Fetch
from .lease import Lease
from .output import Output
from .pace import Pace
from .paging import Probing
from .question import Question
from .reader import Reader
from .trouble import RoundTrouble
from .window import Depth, Schedule, since_ms


class LogPoll:
    """`rounds`: how many reads went well; `loaded`: one of this run did. `epoch`: of the journal that was read into.
    `brought`: lines of this round, even of a read that broke off."""

    def __init__(
        self, source: Source, journal: Journal, settings: Settings, budget: Budget, lease: Lease,
        output: Output, trouble: RoundTrouble, ending: Ending, pace: Pace,
    ) -> None:  # fmt: skip
        backoff = partial(Backoff, pace.backoff_first, pace.backoff_most)
        self.question = Question(backoff())
        self.rounds = 0
        self.loaded = False
        self.epoch = ""
        self.brought = 0
        self._journal = journal
        self._retries = budget.retries
        self._output = output
        self._trouble = trouble
        self._ending = ending
        self._reader = Reader(
            source, journal, budget, lease, self._appended, self._page_failed, window_most=pace.window_most,
            probing=Probing(pace.late_every, 8 * pace.late_every), backoff=backoff,
        )  # fmt: skip
        self._schedule = Schedule(
            pace.late_every, pace.sweep_every, pace.sweep_share, settings.late_window_seconds, pace.window_most,
            pace.sweep_reach, pace.deep_every, pace.deep_share,
        )  # fmt: skip
        self._overlap = 2 * settings.refresh_seconds  # of two rounds, at least
        self._loading = False  # the log is read for the first time, and viewers see how far that is
        self._read_at = 0.0

    async def ask(self, whole: bool, state: State, status_error: JobtailError | None) -> Fetch | None:
        """Reads the log, as far back as it is time for or whole; None where that failed. `state`: at the beginning of
        the round, which every write of it goes on from. `status_error`: why the status is not known in this round.
        JournalError."""
        began = time.monotonic()
        anew = state.epoch != self.epoch
        if (anew and self.epoch) or (self._ending.over and not state.finished):
            self._ending.begin(state.finished)  # thrown away meanwhile, or open again
        if anew:
            self.epoch, self.loaded, self._loading = state.epoch, False, state.last_line == 0
        depth = Depth.WHOLE if whole else self._schedule.depth(began) if self.loaded else Depth.SWEEP
        if depth is Depth.DEEP and self._ending.ended:
            depth = Depth.SWEEP  # the whole is read anyway, once the log is quiet
        if self._loading and not self.question.backoff.attempt:
            await self._output.loading(state.last_line)
        reach = self._schedule.seconds(depth)
        anchor = self._reader.clock.anchor(state)
        since = None if reach is None else since_ms(anchor, None, max(reach, self._overlap))
        try:
            fetch = await self._reader.fetch(since, prove=whole)
        except JournalError:
            raise
        except JobtailError as error:
            if not isinstance(error, JobNotFound):
                await self._failed(error)
                return None
            if status_error is not None:
                await self._failed(status_error)  # whether there is such a job is not known
                return None
            if state.last_line:
                await self._failed(UpstreamError("logs: the upstream answered 404"))
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
        self.question.succeeded()

    async def _failed(self, error: JobtailError) -> None:
        self._trouble.met(error)
        delay = self.question.failed(error, time.monotonic(), self._retries)
        await self._output.retrying(self.question.backoff.attempt, delay, error.detail)

    async def _appended(self, lines: int) -> None:
        self.brought += lines
        self._output.changed()
        if self._loading:
            state = await self._output.in_thread(self._journal.state)
            await self._output.loading(state.last_line)

    async def _page_failed(self, error: UpstreamError, attempt: int, delay: float) -> None:
        await self._output.retrying(attempt, delay, error.detail)

    def age(self, fetch: Fetch | None) -> float | None:
        """Of the newest line, in seconds, by the upstream's clock where it is known."""
        if fetch is None or fetch.newest_ms < 0:
            return None
        return ((self._reader.clock.date_ms or time.time() * 1000) - fetch.newest_ms) / 1000
