"""A poller with real parts: the scripted upstream, the Fused source, a journal on disk."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.paced import scaled
from tests.upstream import Job, Upstream
from webapp.journal.redact import Redactor
from webapp.poller.budget import Budget, RetryBucket
from webapp.poller.pace import Pace
from webapp.poller.poller import Poller
from webapp.settings import Settings
from webapp.source.fused import FusedSource, Timeouts
from webapp.store.sqlite.journal import SqliteJournal

BEAT = 0.05
# Times of the rule at a fiftieth: what takes seconds for people takes moments here.
FAST = replace(scaled(0.02), lease=2.0, lease_renew=0.2)


@dataclass
class Rig:
    upstream: Upstream
    job: Job
    journal: SqliteJournal
    poller: Poller
    source: FusedSource
    settings: Settings
    pace: Pace

    def lines(self) -> list[dict[str, Any]]:
        batches = self.journal.read(0, most_bytes=1 << 30)
        return [json.loads(line) for batch in batches for line in batch.split()]

    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines()]

    async def until(self, look: Callable[[], Any], what: str = "", seconds: float = 20.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:g} s in vain for {what}; {self.journal.state()}")
            await asyncio.sleep(0.01)
        return found

    async def finished(self) -> None:
        await self.until(lambda: self.journal.state().finished, "the log's end")

    async def rounds(self, more: int) -> None:
        """So many more rounds that read the log."""
        wanted = self.poller.rounds + more
        await self.until(lambda: self.poller.rounds >= wanted, f"{more} rounds")

    def another(self) -> Poller:
        """Another poller on the same journal, as another process would have it."""
        return make_poller(self.source, self.journal, self.settings, self.pace)


def make_poller(source: FusedSource, journal: SqliteJournal, settings: Settings, pace: Pace) -> Poller:
    budget = Budget(retries=RetryBucket(1000, 1000))
    return Poller(source, journal, settings, budget=budget, changed=lambda: None, pace=pace)


@asynccontextmanager
async def rig(
    folder: Path,
    upstream: Upstream,
    job: Job,
    *,
    pace: Pace = FAST,
    read: float = 1.0,
    run: bool = True,
    **options: Any,
) -> AsyncIterator[Rig]:
    settings = Settings(**{"upstream_url": upstream.url, "refresh_seconds": BEAT, "data_dir": folder, **options})
    journal = SqliteJournal(
        folder / "job.sqlite3", job.id, Redactor(settings.redact), round(settings.refresh_seconds * 1000)
    )
    source = FusedSource(settings, Redactor(settings.redact), Timeouts(connect=1.0, read=read, pool=5.0))
    found = Rig(upstream, job, journal, make_poller(source, journal, settings, pace), source, settings, pace)
    task = asyncio.create_task(found.poller.run()) if run else None
    try:
        yield found
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]
        await source.aclose()
        journal.close()
