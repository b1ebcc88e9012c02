"""The right to write a job's journal: one process has it, and loses it by not renewing it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import anyio

from ..counts import counts
from ..errors import JournalError, LeaseHeld, LeaseLost
from ..store.base import Journal, Writer
from .budget import Hands

log = logging.getLogger("jobtail.poller")


class Lease:
    """`seconds`: how long it lasts unrenewed; `renew`: how often it is renewed."""

    def __init__(self, journal: Journal, seconds: float, renew: float, hands: Hands) -> None:
        self._journal = journal
        self._seconds = seconds
        self._every = renew
        self.hands = hands
        self._writer: Writer | None = None

    @property
    def writer(self) -> Writer:
        """LeaseLost where it was not taken."""
        if self._writer is None:
            raise LeaseLost(f"nobody here writes the journal of {self._journal.job!r}")
        return self._writer

    async def take(self) -> bool:
        """False: another holds it. JournalError."""
        try:
            claim = partial(self._journal.claim, self._seconds)
            self._writer = await self.hands.run(claim)
        except LeaseHeld:
            return False
        counts.add("lease_changes_total", change="taken")
        return True

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renews it for ever, until `lost`."""
        while True:
            await anyio.sleep(self._every)
            try:
                await self.hands.run(self.writer.renew)
            except LeaseLost:
                counts.add("lease_changes_total", change="lost")
                log.info("%s is polled by another process now", self._journal.job)
                lost()
                return
            except JournalError as error:
                log.warning("%s: the lease can't be renewed: %s", self._journal.job, error)

    async def give_back(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            await self.hands.run(writer.release)
        except JournalError as error:
            log.warning("%s: the lease can't be given back: %s", self._journal.job, error)
