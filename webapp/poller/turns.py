"""Which round is under way, for those who wait for the next one."""

from __future__ import annotations

import time

import anyio


class Turns:
    """`began`: when the newest round did, in seconds of the monotonic clock. `woken`: somebody looks since then."""

    def __init__(self) -> None:
        self.began = 0.0
        self.woken = anyio.Event()
        self._started = self._ended = 0
        self._over = anyio.Event()
        self._status = anyio.Event()

    def status_asked(self) -> None:
        asked, self._status = self._status, anyio.Event()
        asked.set()

    async def next_status(self) -> None:
        await self._status.wait()

    def begin(self) -> None:
        self._started += 1
        self.woken = anyio.Event()
        self.began = time.monotonic()

    def end(self) -> None:
        self._ended = self._started
        over, self._over = self._over, anyio.Event()
        over.set()

    async def next_done(self) -> None:
        """Waits for the next round that begins after this call."""
        wanted = self._started + 1
        while self._ended < wanted:
            await self._over.wait()
