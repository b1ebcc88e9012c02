"""One cancel a job at a time: the upstream is asked once, and all who ask before it answers get that answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict

from ..engine.catalog import Catalog
from ..errors import Busy
from ..models import RunStatus
from ..source.base import Source
from ..tasks import Tasks
from ..threads import RECORDS
from .grant import Grant
from .peer import group

# A caller who asks again within so many seconds is not recorded again.
AGAIN_SECONDS = 60.0
MAX_KNOWN = 10_000
# So many cancels of one job are recorded, of which links have half: nobody can fill the list and keep owners out.
MAX_RECORDED = 200
MAX_WAITING = 32


class Cancels:
    def __init__(self, source: Source, catalog: Catalog) -> None:
        self._source = source
        self._catalog = catalog
        self._tasks = Tasks()
        self._under_way: dict[str, asyncio.Task[RunStatus]] = {}
        self._waiting: Counter[str] = Counter()
        self._noted: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def cancel(self, job: str, grant: Grant, address: str) -> RunStatus:
        """The job's status as the upstream gives it. Busy where too many holders of links wait for it already."""
        if not grant.owner and self._waiting[job] >= MAX_WAITING:
            raise Busy("this job is being cancelled already", 5)
        if self._is_news(job, grant, address):
            await RECORDS.run(self._record, job, grant, address)
        task = self._under_way.get(job)
        if task is None:
            task = self._under_way[job] = self._tasks.start(self._source.cancel(job, grant.who))
            task.add_done_callback(lambda _: self._under_way.pop(job))
        self._waiting[job] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiting[job] -= 1
            if not self._waiting[job]:
                del self._waiting[job]

    async def close(self) -> None:
        await self._tasks.close()

    def _is_news(self, job: str, grant: Grant, address: str) -> bool:
        key, now = (job, grant.who, group(address)), time.monotonic()
        if now - self._noted.get(key, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return False
        self._noted[key] = now
        self._noted.move_to_end(key)
        if len(self._noted) > MAX_KNOWN:
            self._noted.popitem(last=False)
        return True

    def _record(self, job: str, grant: Grant, address: str) -> None:
        there = self._catalog.cancels(job)
        by_links = sum(bool(one.share) for one in there)
        if len(there) < MAX_RECORDED and (grant.owner or by_links < MAX_RECORDED // 2):
            self._catalog.record_cancel(job, grant.who, int(time.time() * 1000), address, grant.share)
