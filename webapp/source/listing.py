"""The list of jobs, asked for once for everybody who looks at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ..errors import UpstreamError
from ..models import JobRecord
from ..tasks import Tasks

# How old an answer may be: for a page that looks by itself, and for somebody who asks for news.
GLANCE_SECONDS = 5.0
NEWS_SECONDS = 1.0
KEPT = 64
# A search looks through so many of the newest jobs, in steps that overlap, since new jobs push the others on. All but
# the first step may be older than a glance: an upstream gives few jobs a request.
MOST = 10_000
STEP = 250
OVERLAP = 25
OLDER_SECONDS = 60.0


_STEPS = [(STEP, 0), *((STEP + OVERLAP, skip - OVERLAP) for skip in range(STEP, MOST, STEP))]


def _add(found: dict[str, JobRecord], jobs: list[JobRecord]) -> None:
    for job in jobs:
        found.setdefault(job.id, job)


@dataclass(frozen=True, slots=True)
class Through:
    """What a search has to look through. `whole`: these are all jobs. `problem`: why others, or newer ones, are
    missing."""

    jobs: list[JobRecord]
    whole: bool = False
    problem: UpstreamError | None = None


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

    async def through(self, seconds: float) -> Through:
        """The newest jobs, as many as come within so many seconds: what was begun goes on, and whoever asks again gets
        more."""
        found: dict[str, JobRecord] = {}
        whole, problem = False, None
        try:
            async with asyncio.timeout(seconds):
                for n, skip in _STEPS:
                    step = await self.jobs(n, skip, within=OLDER_SECONDS if skip else GLANCE_SECONDS)
                    if skip and step and step[0].id not in found:  # more have come since than the steps overlap
                        step = await self.jobs(n, skip, within=0)
                    _add(found, step)
                    if whole := len(step) < n:
                        break
        except TimeoutError:
            pass
        except UpstreamError as error:
            problem = error
            for n, skip in _STEPS:
                _add(found, self.known(n, skip))
        return Through(list(found.values()), whole, problem)

    async def close(self) -> None:
        await self._tasks.close()

    def known(self, n: int, skip: int) -> list[JobRecord]:
        """The newest answer that was one, however old; empty where there was none."""
        return self._known.get((n, skip), [])
