"""The embedded engine as a source: jobs of this machine, whose runners write their own journals."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

from ..errors import Conflict, JobNotFound, JournalError
from ..models import JobConfig, JobRecord, RunStatus
from ..store.sqlite.journals import Journals
from .backlog import Backlog, backlog_path, store
from .catalog import Catalog
from .job import Job, config_of, record_of, status_of
from .lock import RunnerLock
from .recorder import LEASE_SECONDS

if TYPE_CHECKING:
    from ..source.base import Answer

log = logging.getLogger("jobtail.engine")
T = TypeVar("T")
HOLDER = "serve takes in a backlog"


class EmbeddedSource:
    """Implements `source.base.Source`. Its lines need no poller."""

    exact = True

    def __init__(self, catalog: Catalog, journals: Journals) -> None:
        self._catalog = catalog
        self._journals = journals

    async def status(self, job: str) -> RunStatus:
        return status_of(await self._found(lambda: self._looked_up(job), job))

    def logs(self, job: str, since_ms: int | None) -> AbstractAsyncContextManager[Answer]:
        raise Conflict(f"the lines of {job!r} are in its journal: there is nowhere else to ask for them")

    async def cancel(self, job: str, who: str = "") -> RunStatus:
        """Asks the job's runner, which sees it within moments. One that has ended stays as it is."""
        return status_of(await self._found(lambda: self._catalog.request_cancel(job, who), job))

    async def jobs(self, n: int, skip: int) -> list[JobRecord]:
        found = await asyncio.to_thread(self._catalog.newest, n, skip)
        return [record_of(job) for job in found]

    async def config(self, job: str) -> JobConfig:
        return config_of(await self._found(lambda: self._catalog.get(job), job))

    async def aclose(self) -> None:
        await asyncio.to_thread(self._catalog.close)

    async def _found(self, ask: Callable[[], Job | None], job: str) -> Job:
        found = await asyncio.to_thread(ask)
        if found is None:
            raise JobNotFound(job)
        return found

    def _looked_up(self, job: str) -> Job | None:
        found = self._catalog.get(job)
        if found is not None and found.ended and backlog_path(self._catalog.folder, job).exists():
            try:
                self._take_in(found)
            except JournalError as error:
                log.warning("the lines that the runner of %s left behind wait still: %s", job, error)
        return found

    def _take_in(self, job: Job) -> None:
        """Lines that a runner could not write to the journal, because it could not be written then."""
        if RunnerLock(self._catalog.folder, job.id).held():
            return
        journal = self._journals.open(job.id)
        if not journal.acquire(HOLDER, LEASE_SECONDS):
            return
        backlog = Backlog(backlog_path(self._catalog.folder, job.id))
        backlog.take_over()
        before = journal.state()
        epoch, line = backlog.after
        if epoch in ("", before.epoch):
            backlog.skip(before.last_line - line)
        if before.finished and backlog.peek():
            journal.reopen(lease=HOLDER)
        while run := backlog.peek():
            store(journal, run, HOLDER)
            backlog.drop(len(run))
        last = journal.state().last_line
        if not backlog.ended:
            journal.add_gap(last, "upstream", None, lease=HOLDER)
        journal.set_status(status_of(job).model_dump(mode="json"), lease=HOLDER)
        holes = any(gap.reason == "upstream" for gap in journal.gaps(0, last + 1))
        journal.finish(not job.lost and not holes, lease=HOLDER)
        journal.release(HOLDER)
        log.info("%s: took in %d lines that its runner had left behind", job.id, last - before.last_line)
