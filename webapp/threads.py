"""A pool of threads for each purpose: what blocks in one pool holds up nobody in another.

asyncio has one pool for everybody, of six threads on a machine of two processors: six reads of a stuck disk, or six
long searches, and live delivery stands still. Pollers have a limit of their own (`poller.budget`), because theirs has
to wait for a thread that it has cancelled.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Pool:
    """At most `threads`; they are begun when they are needed. `purpose` names the pool in `/metrics`."""

    def __init__(self, purpose: str, threads: int) -> None:
        self.purpose = purpose
        self.threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"jobtail-{purpose}")
        self._lock = threading.Lock()
        self._open = 0
        self._running = 0

    @property
    def load(self) -> tuple[int, int]:
        """How many threads are at work, and how much work waits for one."""
        with self._lock:
            return self._running, self._open - self._running

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` returns or raises. Cancelled, it is no longer waited for; once begun, it goes on to its end."""
        return await asyncio.wrap_future(self.submit(work, *arguments))

    def submit(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        with self._lock:
            self._open += 1
        future = self._executor.submit(self._counted, work, *arguments)
        future.add_done_callback(self._ended)
        return future

    def close(self) -> None:
        """Returns once all of its work has ended."""
        self._executor.shutdown()

    def _counted(self, work: Callable[..., T], *arguments: object) -> T:
        with self._lock:
            self._running += 1
        return work(*arguments)

    def _ended(self, future: Future[T]) -> None:
        with self._lock:
            self._open -= 1
            if not future.cancelled():  # what was cancelled had not begun
                self._running -= 1


LIVE = Pool("live", 4)  # what every viewer waits for: what is new, and its bytes
FILTERED = Pool("filtered", 2)  # the same for viewers who look for a text
PAGES = Pool("pages", 4)  # stretches of a log whose size is bounded
SCANS = Pool("scans", 3)  # whatever walks a log: see `access.scans`
RECORDS = Pool("records", 4)  # jobs, links, sign-ins, who cancelled
FOLLOWING = Pool("following", 4)  # the status of jobs whose lines their runner writes
CHORES = Pool("chores", 2)  # opening, closing, trimming, throwing away
METRICS = Pool("metrics", 1)  # what `/metrics` reads: sizes, free space, the process itself, the other workers
POOLS = (LIVE, FILTERED, PAGES, SCANS, RECORDS, FOLLOWING, CHORES, METRICS)
