"""One cancel a job at a time: it is asked of the upstream once, and all who ask meanwhile get its answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict

from ..engine.catalog import Catalog
from ..errors import Busy
from ..models import RunStatus
from ..source.base import Source
from ..threads import RECORDS
from .grant import Grant
from .peer import group

# Who asks again within this time is not written down again.
AGAIN_SECONDS = 60.0
MAX_KNOWN = 10_000
# What is written down of one job, of which links have half: nobody can fill the list so that an owner is missing in it.
MAX_RECORDED = 200
MAX_WAITING = 32


class Cancels:
    def __init__(self, source: Source, catalog: Catalog) -> None:
        self._source = source
        self._catalog = catalog
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
            task = asyncio.get_running_loop().create_task(self._source.cancel(job, grant.who))
            self._under_way[job] = task
            task.add_done_callback(lambda task: self._over(job, task))
        self._waiting[job] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiting[job] -= 1
            if not self._waiting[job]:
                del self._waiting[job]

    async def close(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, job: str, task: asyncio.Task[RunStatus]) -> None:
        del self._under_way[job]
        if not task.cancelled():
            task.exception()  # looked at, where all who asked have gone

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
