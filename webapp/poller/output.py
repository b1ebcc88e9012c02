"""What a poller writes besides lines, and how it says that something has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ..store.base import Writer
from .lease import Lease
from .report import State, UpstreamReport

T = TypeVar("T")


class Output:
    """`changed`: called on the event loop after every change of the journal on disk. All may raise JournalError."""

    def __init__(self, lease: Lease, changed: Callable[[], None], loading_every: float) -> None:
        self.changed = changed
        self._lease = lease
        self._report = UpstreamReport(loading_every)

    @property
    def writer(self) -> Writer:
        """LeaseLost where it was not taken."""
        return self._lease.writer

    def resume(self, upstream: State | None) -> None:
        """Starts from the state of the upstream that the journal has."""
        self._report.resume(upstream)

    async def ok(self) -> None:
        await self._write(self._report.ok(time.time()))

    async def loading(self, lines: int) -> None:
        await self._write(self._report.loading(lines, time.time()))

    async def retrying(self, attempt: int, seconds: float, detail: str) -> None:
        await self._write(self._report.retrying(attempt, seconds, detail, time.time()))

    async def _write(self, state: State | None) -> None:
        if state is not None:
            await self.in_thread(partial(self.writer.set_upstream, state))
            self.changed()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Once begun, the work is waited for even by a task that is cancelled: otherwise two could write with one
        lease."""
        return await self._lease.hands.run(work)
