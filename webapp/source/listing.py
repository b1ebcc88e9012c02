"""The list of jobs, asked for once for everybody who looks at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from ..models import JobRecord
from ..tasks import Tasks

# How old an answer may be: for a page that looks by itself, and for somebody who asks for news.
GLANCE_SECONDS = 5.0
NEWS_SECONDS = 1.0
KEPT = 64


class Listing:
    """`ask(n, skip)` gives jobs, newest first. An answer serves everybody for a while; a failed one nobody."""

    def __init__(self, ask: Callable[[int, int], Coroutine[Any, Any, list[JobRecord]]]) -> None:
        self._ask = ask
        self._tasks = Tasks()
        self._answers: dict[tuple[int, int], tuple[float, asyncio.Future[list[JobRecord]]]] = {}
        self._known: dict[tuple[int, int], list[JobRecord]] = {}

    async def jobs(self, n: int, skip: int, *, within: float = NEWS_SECONDS) -> list[JobRecord]:
        """Not older than `within` seconds; 0: asked for now, or by others at this moment."""
        now = time.monotonic()
        held = self._answers.get((n, skip))
        if held is None or (held[1].done() and (held[0] + within < now or held[1].exception() is not None)):
            while len(self._answers) >= KEPT:
                del self._answers[next(iter(self._answers))]
            held = self._answers[n, skip] = (now, self._tasks.start(self._ask(n, skip)))
        found = await asyncio.shield(held[1])
        self._known.pop((n, skip), None)
        while len(self._known) >= KEPT:
            del self._known[next(iter(self._known))]
        self._known[n, skip] = found
        return found

    async def close(self) -> None:
        await self._tasks.close()

    def known(self, n: int, skip: int) -> list[JobRecord]:
        """The newest answer that was one, however old; empty where there was none."""
        return self._known.get((n, skip), [])
