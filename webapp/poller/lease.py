"""The right to write a job's journal: one process has it, and loses it by not renewing it."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread

from ..errors import JournalError
from ..store.sqlite.journal import Journal

log = logging.getLogger("jobtail.poller")


class Lease:
    """`seconds`: how long it lasts unrenewed; `renew`: how often it is renewed."""

    def __init__(self, journal: Journal, seconds: float, renew: float, threads: anyio.CapacityLimiter) -> None:
        self.holder = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._journal = journal
        self._seconds = seconds
        self._every = renew
        self._threads = threads

    async def take(self) -> bool:
        """False: another holds it. JournalError."""
        take = partial(self._journal.acquire, self.holder, self._seconds)
        return await anyio.to_thread.run_sync(take, limiter=self._threads)

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renews it for ever, until `lost`."""
        while True:
            await anyio.sleep(self._every)
            try:
                if not await self.take():
                    log.info("%s is polled by another process now", self._journal.job)
                    lost()
                    return
            except JournalError as error:
                log.warning("%s: the lease can't be renewed: %s", self._journal.job, error.detail)

    async def give_back(self) -> None:
        try:
            release = partial(self._journal.release, self.holder)
            await anyio.to_thread.run_sync(release, limiter=self._threads)
        except JournalError as error:
            log.warning("%s: the lease can't be given back: %s", self._journal.job, error.detail)
