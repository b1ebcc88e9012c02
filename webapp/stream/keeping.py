"""Keeps the journals within their bounds of age and size, and meets a full disk before it is full."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from ..room import Level, Room
from ..store.base import Journals
from ..threads import CHORES

log = logging.getLogger("jobtail.stream")
SWEEP_SECONDS = 300.0
LOOK_SECONDS = 5.0
# While the disk is nearly full: what could not be forgotten a moment ago may have finished since.
SHORT_SECONDS = 15.0


class Keeping:
    """`forgotten` is told which jobs' journals are gone. `notice`: what is wrong with the disk, in words; "" for
    nothing."""

    def __init__(self, journals: Journals, forgotten: Callable[[list[str]], None]) -> None:
        self._journals = journals
        self._forgotten = forgotten
        self._swept = time.monotonic()
        self._looked = 0.0
        self._level: Level = "ample"
        self.notice = ""

    async def run(self) -> None:
        """A task of its own: a disk that hangs when it is asked for its room holds up nothing else."""
        while True:
            await asyncio.sleep(1)
            await self._tick(time.monotonic())

    async def _tick(self, now: float) -> None:
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self.note(await CHORES.run(self._journals.room))
        if now - self._swept >= (SWEEP_SECONDS if self._level == "ample" else SHORT_SECONDS):
            self._swept = now
            try:
                await CHORES.run(self._sweep)
            except Exception:
                log.exception("keeping the journals within their bounds failed")

    def note(self, room: Room | None) -> None:
        """Each change is logged once."""
        level = "ample" if room is None else room.level
        self.notice = "" if room is None else room.words
        if level != self._level and self.notice:
            log.warning('%s (docs/operations.md, "A full disk")', self.notice)
        elif level != self._level:
            log.info("there is room enough on the disk again")
        if level != "ample" and self._level == "ample":
            self._swept = 0.0
        self._level = level

    def _sweep(self) -> None:
        gone = self._journals.sweep()
        if gone:
            log.info("%d jobs were forgotten, by age, size or room on the disk", len(gone))
        self._forgotten(gone)
