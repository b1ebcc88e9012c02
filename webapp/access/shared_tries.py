"""Wrong tokens count for all processes of the service: each tells the store of its own, and learns of the others'.

It does so once a second while there are any, and around each sign-in. A request with a token never waits for it, and
while the store does not answer, each process goes on by what it knows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping

from ..errors import JournalError
from ..store.tables import Attempts
from ..store.tried import Tried
from ..tasks import Tasks
from ..threads import RECORDS
from .tries import News, Tries

log = logging.getLogger("jobtail.access")
TELL_SECONDS = 1.0
# What somebody who signs in waits for the others' counts.
PATIENCE_SECONDS = 1.0
# A store that did not answer is not waited for again for so long.
AWAY_SECONDS = 5.0


class SharedTries:
    """`doors`: the counts of each kind."""

    def __init__(self, attempts: Attempts, doors: Mapping[str, Tries]) -> None:
        self._attempts = attempts
        self._doors = doors
        self._turn = asyncio.Lock()
        self._away_at = -AWAY_SECONDS
        self._tasks = Tasks()

    def start(self) -> None:
        self._tasks.start(self._run())

    async def close(self) -> None:
        await self._tasks.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            for kind, tries in self._doors.items():
                suspects = tries.suspects()
                if suspects or tries.untold:
                    await self._exchange(kind, suspects)

    async def current(self, kind: str, address: str) -> None:
        """What was counted here is told, and what the others know of this address is known here; or a moment is over,
        because the store does not answer."""
        if time.monotonic() < self._away_at + AWAY_SECONDS:
            return
        work = self._tasks.start(self._exchange(kind, [address]))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.shield(work)
        except TimeoutError:
            self._away_at = time.monotonic()

    async def _exchange(self, kind: str, addresses: Collection[str]) -> None:
        tries = self._doors[kind]
        async with self._turn:
            news = tries.news()
            try:
                found = await RECORDS.run(self._asked, kind, news, addresses)
            except JournalError as error:
                tries.keep(news)
                self._away_at = time.monotonic()
                log.debug("wrong tokens are counted by this process alone: %s", error)
                return
            except Exception:
                log.exception("wrong tokens can't be counted together")
                return
            for address, tried in found.items():
                tries.learn(address, tried)

    def _asked(self, kind: str, news: News, addresses: Collection[str]) -> dict[str, Tried]:
        """On a thread. What was told is taken out of `news`."""
        if news.cleared:
            self._attempts.succeeded(kind, news.cleared)
            news.cleared = set()
        if news.failed:
            self._attempts.failed(kind, news.failed, news.known)
            news.failed = {}
        return self._attempts.of(kind, addresses)
