"""One side of a poller: asks for the job's status, and keeps it in the journal."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import Any

from ..errors import JobNotFound, JobtailError
from ..models import RunStatus
from ..source.base import Source
from ..store.base import Journal
from .backoff import Backoff
from .budget import Budget
from .ending import Ending
from .output import Output
from .pages import PATIENCE
from .question import Question
from .trouble import RoundTrouble


class StatusPoll:
    """`at`: when the newest status was got, in seconds of the monotonic clock, 0 for never. `grace`: for how many
    seconds a job may be unknown before it is said to be: one that was just begun may not be listed yet."""

    def __init__(
        self, source: Source, journal: Journal, budget: Budget, output: Output, trouble: RoundTrouble, ending: Ending,
        *, backoff: Backoff, grace: float,
    ) -> None:  # fmt: skip
        self.question = Question(backoff)
        self.heartbeat: datetime | None = None
        self.at = 0.0
        self._source = source
        self._journal = journal
        self._budget = budget
        self._output = output
        self._trouble = trouble
        self._ending = ending
        self._grace = grace
        self._missing_since: float | None = None
        self._written: dict[str, Any] | None = None  # as it stands in the journal, without its heartbeat

    def begin(self) -> None:
        """A run of the poller begins: others may have written the status since the last one."""
        self._written = None

    @property
    def error(self) -> JobtailError | None:
        """Of the newest answer; None where it was good."""
        return self.question.error

    @property
    def error_to_show(self) -> JobtailError | None:
        """None also while a job that is not found may still turn up."""
        return self.error if self._missing_since is None else None

    async def ask(self) -> None:
        """Whatever came of it stands in the journal when this returns. JournalError."""
        try:
            async with self._budget.place(PATIENCE):
                status = await self._source.status(self._journal.job)
        except JobtailError as error:
            await self._failed(error)
            return
        got_at = time.monotonic()
        self._missing_since = None
        self.question.succeeded()
        self._budget.retries.earn()
        await self._keep(status)
        self.heartbeat, self.at = status.last_heartbeat, got_at
        self._ending.status_is(status.finished, got_at)

    async def _keep(self, status: RunStatus) -> None:
        """Most rounds bring nothing new but a heartbeat: then no thread and no disk is asked."""
        wanted = status.model_dump(mode="json", exclude={"last_heartbeat"})
        if wanted == self._written and (status.finished or not self._ending.over):
            return
        await self._output.in_thread(partial(self._write, status))
        self._written = wanted
        self._output.changed()

    def _write(self, status: RunStatus) -> None:
        writer = self._output.writer
        writer.set_status(status.model_dump(mode="json"))
        if not status.finished and self._journal.state().finished:
            writer.reopen()

    async def _failed(self, error: JobtailError) -> None:
        now = time.monotonic()
        delay = self.question.failed(error, now, self._budget.retries)
        if isinstance(error, JobNotFound):
            if self._missing_since is None:
                self._missing_since = now
            if now - self._missing_since < self._grace:
                return
        self._trouble.met(error)
        await self._output.retrying(self.question.backoff.attempt, delay, error.detail)
