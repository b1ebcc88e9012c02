"""Threads a purpose: what blocks in one pool holds up nobody in another.

asyncio has one pool for everybody, of six threads on a machine of two processors: six reads of a stuck disk, or six
long searches, and live delivery stands still. The pollers have a bound of their own (`poller.budget`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Pool:
    """At most `threads`; they are begun when they are needed."""

    def __init__(self, purpose: str, threads: int) -> None:
        self.threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"jobtail-{purpose}")

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` returns or raises. Cancelled, it is no longer waited for; once begun, it goes on to its end."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    def submit(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        return self._executor.submit(work, *arguments)


LIVE = Pool("live", 4)  # what every viewer waits for: what is new, and its bytes
FILTERED = Pool("filtered", 2)  # the same for viewers who look for a text
PAGES = Pool("pages", 4)  # stretches of a log whose size is bounded
SCANS = Pool("scans", 3)  # whatever walks a log: see `access.scans`
RECORDS = Pool("records", 4)  # jobs, links, sign-ins, who cancelled
CHORES = Pool("chores", 2)  # opening, closing, trimming, throwing away
