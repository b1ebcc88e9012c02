"""Reported jobs beside an upstream's: one list, and each job asked for where it is."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from ..models import JobConfig, JobRecord, RunStatus
from ..source.base import Answer, Source
from .source import EmbeddedSource

MOST_KNOWN = 100_000
_OLDEST = datetime.min.replace(tzinfo=UTC)


class BesideUpstream:
    """Implements `source.base.Source`. `reported`: the jobs of the catalog."""

    def __init__(self, reported: EmbeddedSource, upstream: Source) -> None:
        self.reported = reported
        self.upstream = upstream
        self._known: set[str] = set()

    async def of(self, job: str) -> Source:
        if job in self._known:
            return self.reported
        if not await self.reported.has(job):
            return self.upstream
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known.add(job)
        return self.reported

    def is_reported(self, job: str) -> bool:
        """As `of` has found."""
        return job in self._known

    async def status(self, job: str) -> RunStatus:
        return await (await self.of(job)).status(job)

    def logs(self, job: str, since_ms: int | None) -> AbstractAsyncContextManager[Answer]:
        return self.upstream.logs(job, since_ms)

    async def cancel(self, job: str, who: str = "") -> RunStatus:
        return await (await self.of(job)).cancel(job, who)

    async def config(self, job: str) -> JobConfig:
        return await (await self.of(job)).config(job)

    async def jobs(self, n: int, skip: int) -> list[JobRecord]:
        """Newest first. All of our own jobs up to the end of the page are read first. So only those of the upstream are
        asked for that can be on the page."""
        own = await self.reported.jobs(skip + n, 0)
        back = min(skip, len(own))
        theirs = await self.upstream.jobs(n + back, skip - back)
        return merged(own, theirs)[back : back + n]

    async def aclose(self) -> None:
        await self.upstream.aclose()


def merged(first: list[JobRecord], second: list[JobRecord]) -> list[JobRecord]:
    """Newest first by creation date. Each list keeps its own order, also where a date is missing: then a job stands
    where its neighbour does."""
    found: list[JobRecord] = []
    left, right = list(reversed(first)), list(reversed(second))
    at = datetime.max.replace(tzinfo=UTC)
    while left and right:
        date = right[-1].creation_date
        at = at if date is None else _aware(date)
        found.append(left.pop() if _aware(left[-1].creation_date or _OLDEST) >= at else right.pop())
    return [*found, *reversed(left), *reversed(right)]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
