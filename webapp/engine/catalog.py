"""The embedded engine's jobs as they stand: the store's rows, and whether their runners still live.

Synchronous; any thread may call it. Every method may raise JournalError, when the store fails.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..store.base import Store
from ..store.job import Cancellation
from .job import FAILED, LOST, Job, silent
from .lock import RunnerLock

__all__ = ["Cancellation", "Catalog"]


class Catalog:
    """`folder`: where the locks of this machine's runners are."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.folder = folder
        self._jobs = store.catalog
        self._cancellations = store.cancellations

    def put(self, job: Job) -> None:
        self._jobs.put(job)

    def get(self, job: str) -> Job | None:
        """The job. Where its runner turns out to be lost, it is returned as lost, and that is recorded."""
        found = self._jobs.get(job)
        return None if found is None else self._looked_after(found)

    def newest(self, n: int, skip: int = 0) -> list[Job]:
        """Newest first."""
        return [self._looked_after(job) for job in self._jobs.newest(n, skip)]

    def started(self, job: str, pid: int) -> None:
        self._jobs.started(job, pid)

    def heartbeat(self, job: Job) -> bool:
        """The runner lives. True: it had been taken for lost, and runs again. A job that the catalog no longer
        knows, because it was lost while the job ran, is recorded again."""
        revived = self._jobs.heartbeat(job.id)
        if revived is None:
            self._jobs.put(replace(job, heartbeat_ms=self._jobs.now_ms()))
        return bool(revived)

    def ended(self, job: Job) -> None:
        """`job`: as it is at its end."""
        if not self._jobs.ended(job.id, job.state, job.exit_code, job.detail):
            self._jobs.put(job)

    def request_cancel(self, job: str, who: str = "") -> Job | None:
        """Asks the job's runner to end it. The first request is kept; one that has ended stays as it is."""
        current = self.get(job)
        if current is not None and not current.ended:
            self._jobs.request_cancel(job, who)
        return self.get(job)

    def cancel_asked(self, job: str) -> str | None:
        """Who wants the job's end ("" for nobody in particular); None while nobody does."""
        return self._jobs.cancel_asked(job)

    def forget(self, jobs: Iterable[str]) -> None:
        """Drops ended jobs, whose journals are gone."""
        self._jobs.forget(jobs)

    def _looked_after(self, job: Job) -> Job:
        at = self._jobs.now_ms()
        if not silent(job, at) or RunnerLock(self.folder, job.id).held():
            return job
        lost = replace(job, state=FAILED, state_ms=at, detail=LOST, lost=True)
        self._jobs.lost(lost)
        RunnerLock(self.folder, job.id).release()
        return lost

    # --- who cancelled what

    def record_cancel(self, job: str, who: str, at_ms: int, address: str = "", share: str | None = None) -> None:
        self._cancellations.record(Cancellation(job, who, at_ms, address, share or ""))

    def cancels(self, job: str) -> list[Cancellation]:
        """Oldest first."""
        return self._cancellations.of_job(job)
