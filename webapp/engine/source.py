"""The embedded engine as a source: jobs of this machine, whose runners write their own journals."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

from ..errors import Conflict, JobNotFound, JournalError, LeaseHeld
from ..models import JobConfig, JobRecord, RunStatus
from ..store.base import Journal, Journals, Writer
from ..store.tables import Reports
from ..store.unfinished import keep_unfinished
from ..threads import RECORDS
from .backlog import Backlog, backlog_path, store
from .catalog import Catalog
from .job import Job, config_of, record_of, status_of
from .journal_sink import LEASE_SECONDS, RENEW_SECONDS
from .lock import RunnerLock

if TYPE_CHECKING:
    from ..source.base import Answer

log = logging.getLogger("jobtail.engine")
T = TypeVar("T")


class EmbeddedSource:
    """Implements `source.base.Source`. Its lines need no poller."""

    def __init__(self, catalog: Catalog, journals: Journals, reports: Reports) -> None:
        self._catalog = catalog
        self._journals = journals
        self._reports = reports

    async def has(self, job: str) -> bool:
        return await RECORDS.run(self._catalog.get, job) is not None

    async def status(self, job: str) -> RunStatus:
        return status_of(await self._found(lambda: self._looked_up(job), job))

    def logs(self, job: str, since_ms: int | None) -> AbstractAsyncContextManager[Answer]:
        raise Conflict(f"the lines of {job!r} are in its journal: there is nowhere else to ask for them")

    async def cancel(self, job: str, who: str = "") -> RunStatus:
        """Asks the job's runner, which sees it within moments. One that has ended stays as it is."""
        return status_of(await self._found(lambda: self._catalog.request_cancel(job, who), job))

    async def jobs(self, n: int, skip: int) -> list[JobRecord]:
        found = await RECORDS.run(self._catalog.newest, n, skip)
        return [record_of(job) for job in found]

    async def config(self, job: str) -> JobConfig:
        return config_of(await self._found(lambda: self._catalog.get(job), job))

    async def behind(self, job: str) -> bool:
        """Its runner has left lines behind that are not in the journal yet."""
        return await RECORDS.run(backlog_path(self._catalog.folder, job).exists)

    async def may_return(self, job: str) -> bool:
        """It is reported from another machine, whose runner keeps what it could not send."""
        return await RECORDS.run(self._reports.get, job) is not None

    async def aclose(self) -> None:
        """Its store is the service's to close."""

    async def _found(self, ask: Callable[[], Job | None], job: str) -> Job:
        found = await RECORDS.run(ask)
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
        try:
            writer = journal.claim(LEASE_SECONDS)
        except LeaseHeld:
            return  # another takes them in
        try:
            backlog = Backlog(backlog_path(self._catalog.folder, job.id))
            if backlog.take_over():
                _take_in(writer, backlog, job, journal)
        finally:
            writer.release()


def _take_in(writer: Writer, backlog: Backlog, job: Job, journal: Journal) -> None:
    before = writer.resume()
    epoch, line = backlog.after
    if epoch in ("", before.epoch):
        backlog.skip(before.last_line - line)
    elif line > before.last_line:
        # The journal that its runner wrote to was begun anew: what is not in it any more is missing.
        writer.add_gap(before.last_line, "trimmed", line - before.last_line)
    if before.finished and backlog.peek():
        writer.reopen()
    renew_at = time.monotonic() + RENEW_SECONDS
    while run := backlog.peek():
        if time.monotonic() >= renew_at:
            writer.renew()
            renew_at = time.monotonic() + RENEW_SECONDS
        store(writer, run)
        backlog.drop(len(run))
    if job.lost and writer.last_line == before.last_line:
        keep_unfinished(writer, before)
    if not backlog.ended:
        writer.add_gap(writer.last_line, "upstream", None)
    holes = bool(journal.gaps(0, writer.last_line + 1))
    writer.finish(not job.lost and not holes, status_of(job).model_dump(mode="json"))
    log.info("%s: took in %d lines that its runner had left behind", job.id, writer.last_line - before.last_line)
