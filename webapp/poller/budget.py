"""What the pollers of one upstream share, so that a hundred jobs do not become a hundred retry storms."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from ..errors import UpstreamDown

T = TypeVar("T")


@dataclass(slots=True)
class RetryBucket:
    """Attempts after a failure, of all jobs together: `burst` at once, then `rate` a second and one for each request
    that succeeds, so that an upstream that fails now and then is not read at a crawl, and one that is down is left
    alone. Times: seconds of one monotonic clock."""

    rate: float = 4.0
    burst: float = 20.0
    _level: float | None = field(default=None, init=False)
    _at: float = field(default=0.0, init=False)

    def reserve(self, now: float) -> float:
        """Takes the next free place; how many seconds from now it is."""
        level = self.burst if self._level is None else self._level + max(0.0, now - self._at) * self.rate
        self._level = min(self.burst, level) - 1
        self._at = now
        return max(0.0, -self._level / self.rate)

    def earn(self) -> None:
        """A request has succeeded."""
        if self._level is not None:
            self._level = min(self.burst, self._level + 1)


class Budget:
    """`requests`: how many requests of pollers are under way at once, of those that come to an end soon. One that takes
    longer than `slow_after` seconds goes on among `slow` others like it, so that an upstream that drips holds up only
    its own job. `threads`: how many parse and append at once; `stuck`: how many more whose
    disk hangs."""

    def __init__(
        self,
        requests: int = 32,
        threads: int = 4,
        retries: RetryBucket | None = None,
        *,
        slow: int = 48,
        slow_after: float = 2.0,
        stuck: int = 24,
        stuck_after: float = 1.0,
    ) -> None:
        self.requests = anyio.CapacityLimiter(requests)
        self._slow_places = slow
        self.slow_after = slow_after
        self.threads = anyio.CapacityLimiter(threads)
        self._stuck_places = stuck
        self.stuck_after = stuck_after
        self.retries = retries or RetryBucket()

    @cached_property
    def slow(self) -> anyio.CapacityLimiter:
        """Made within the event loop, because it is used by timers: a limiter that is made earlier is bound to a loop
        only when a task uses it."""
        return anyio.CapacityLimiter(self._slow_places)

    def limiters(self) -> dict[str, anyio.CapacityLimiter]:
        """By the names that they have in `/metrics`."""
        return {
            "upstream requests": self.requests, "slow upstream requests": self.slow, "polling": self.threads,
            "polling of a disk that hangs": self.stuck,
        }  # fmt: skip

    @cached_property
    def stuck(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(self._stuck_places)

    @cached_property
    def all_threads(self) -> anyio.CapacityLimiter:
        """Never waited for, since whoever gets here has one of the places above."""
        return anyio.CapacityLimiter(self.threads.total_tokens + self._stuck_places)

    def place(self, patience: float | None = None) -> RequestPlace:
        """For one request: `async with budget.place()`. UpstreamDown: none came free for `patience` seconds, or all
        places are taken and this request is one of too many slow ones."""
        return RequestPlace(self, self.slow, patience)


class Hands:
    """What the poller of one job does in threads. Work that takes longer than `stuck_after` (a disk that hangs, a lock
    that somebody keeps) moves to a few places of its own, and the job's next work begins there, until one piece of it
    was quick again: so a job whose disk hangs holds up no other job. `stuck`: the last work took that long."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.stuck = False

    async def run(self, work: Callable[[], T]) -> T:
        loop, budget, token = asyncio.get_running_loop(), self._budget, object()
        stuck = budget.stuck  # made here, within the event loop: the timer below could not make it
        held = stuck if self.stuck else budget.threads
        await held.acquire_on_behalf_of(token)
        timer: asyncio.TimerHandle | None = None

        def move() -> None:
            nonlocal held, timer
            try:
                stuck.acquire_on_behalf_of_nowait(token)
            except anyio.WouldBlock:
                timer = loop.call_later(budget.stuck_after, move)
                return
            held.release_on_behalf_of(token)
            held = stuck

        if held is budget.threads:
            timer = loop.call_later(budget.stuck_after, move)
        began = time.monotonic()
        try:
            return await anyio.to_thread.run_sync(work, limiter=budget.all_threads)
        finally:
            self.stuck = time.monotonic() - began > budget.stuck_after
            if timer is not None:
                timer.cancel()
            held.release_on_behalf_of(token)


class RequestPlace:
    """One request's place, first among the quick and then among the slow."""

    def __init__(self, budget: Budget, slow: anyio.CapacityLimiter, patience: float | None) -> None:
        self._budget = budget
        self._slow = slow
        self._patience = patience
        self._limiter = budget.requests
        self._limit = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._limiter.acquire_on_behalf_of(self)
        except TimeoutError:
            raise UpstreamDown("the upstream is slow, and all requests to it that are allowed are under way") from None
        self._later()
        await self._limit.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._limiter.release_on_behalf_of(self)
        try:
            await self._limit.__aexit__(*error)
        except TimeoutError:
            raise UpstreamDown("the upstream's answer is slow, and others are waited for") from None

    def _later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._budget.slow_after, self._move)

    def _move(self) -> None:
        """Moves to the slow places, so that others have room. Where those are taken, it goes on while nobody waits."""
        try:
            self._slow.acquire_on_behalf_of_nowait(self)
        except anyio.WouldBlock:
            if self._limiter.statistics().tasks_waiting:
                self._timer = None
                self._limit.reschedule(asyncio.get_running_loop().time())
            else:
                self._later()
            return
        self._limiter.release_on_behalf_of(self)
        self._limiter, self._timer = self._slow, None
