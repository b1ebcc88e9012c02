"""Whatever walks a log (a search, a filter, the last lines that match) takes turns here.

A walk is a generator that yields now and then. It runs for a slice, then the next caller has its turn: owners and
holders of links by turns, and among each the callers one after another, however much one of them asks for. It ends when
its caller has gone.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Generator
from typing import TypeVar

from starlette.requests import Request

from ..errors import Busy, Gone, UsageError
from ..threads import SCANS, Pool
from .grant import Grant
from .peer import group

T = TypeVar("T")
Check = Callable[[], None]
# Made with a check, which has to be called within what takes long and raises where the walk has to end.
Walk = Callable[[Check], Generator[None, None, T]]

SLICE_SECONDS = 0.05
LOOK_SECONDS = 0.2
# One step of a walk, which is one line at most.
STEP_SECONDS = 5.0
# Walks of one caller at once; several owners may be behind one address.
MAX_WALKS_OF = (256, 16)
MAX_WALKS = 512


class Slice:
    """What the thread and the loop share of one walk."""

    def __init__(self, walk: Walk[T]) -> None:
        self.gone = threading.Event()
        self._step_at = time.monotonic()
        self._steps = walk(self._check)

    def _check(self) -> None:
        if self.gone.is_set():
            raise Gone
        if time.monotonic() - self._step_at > STEP_SECONDS:
            raise UsageError(f"that takes more than {STEP_SECONDS:g} s for one line: look for less")

    def run(self) -> tuple[bool, object]:
        """For a slice of time. Whether the walk is over, and then what it has found."""
        stop_at = time.monotonic() + SLICE_SECONDS
        try:
            while True:
                self._step_at = time.monotonic()
                self._check()
                next(self._steps)
                if time.monotonic() >= stop_at:
                    return False, None
        except StopIteration as end:
            return True, end.value


class Scans:
    def __init__(self, pool: Pool = SCANS) -> None:
        self._pool = pool
        self._walks: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        # Callers who wait for a turn, owners and others.
        self._queues: tuple[OrderedDict[str, deque[asyncio.Future[None]]], ...] = (OrderedDict(), OrderedDict())
        self._next_kind = 0

    async def run(self, request: Request, grant: Grant, address: str, walk: Walk[T], *, seated: bool = False) -> T:
        """What the walk returns or raises. Gone where the caller has gone; Busy where it has too many under way, unless
        it is `seated`: a stream has been counted when it began."""
        kind, caller = (0, f"owner {group(address)}") if grant.owner else (1, f"link {grant.share}")
        if not seated and (self._walks[caller] >= MAX_WALKS_OF[kind] or self._walks.total() >= MAX_WALKS):
            raise Busy("too many searches of yours are under way: wait for them", 1)
        self._walks[caller] += 1
        try:
            return await self._sliced(request, kind, caller, Slice(walk))
        finally:
            self._walks[caller] -= 1
            if not self._walks[caller]:
                del self._walks[caller]

    async def once(
        self, request: Request, grant: Grant, address: str, work: Callable[[], T], *, seated: bool = False
    ) -> T:
        """The same for what is short, such as compiling an expression."""

        def walk(check: Check) -> Generator[None, None, T]:
            yield
            return work()

        return await self.run(request, grant, address, walk, seated=seated)

    async def compiled(self, request: Request, grant: Grant, address: str, make: Callable[[], T], searches: bool) -> T:
        """What `make` returns; where it `searches` for a text, that is compiled off the event loop."""
        return await self.once(request, grant, address, make) if searches else make()

    async def _sliced(self, request: Request, kind: int, caller: str, part: Slice) -> T:
        over, found = False, None
        while not over:
            await self._turn(kind, caller)
            future = asyncio.wrap_future(self._pool.submit(part.run))
            future.add_done_callback(lambda future: self._release(caller, future))
            try:
                over, found = await self._watched(request, future, part)
            except BaseException:
                part.gone.set()
                raise
            if not over and await request.is_disconnected():
                raise Gone
        return found  # type: ignore[return-value]

    async def _watched(
        self, request: Request, future: asyncio.Future[tuple[bool, object]], part: Slice
    ) -> tuple[bool, object]:
        while not future.done():
            await asyncio.wait([future], timeout=LOOK_SECONDS)
            if not future.done() and await request.is_disconnected():
                part.gone.set()
        return future.result()

    # --- turns

    async def _turn(self, kind: int, caller: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._queues[kind].setdefault(caller, deque()).append(turn)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(caller)
            raise

    def _release(self, caller: str, future: asyncio.Future[tuple[bool, object]] | None = None) -> None:
        if future is not None and not future.cancelled():
            future.exception()  # looked at, for a walk that nobody waits for any more
        self._running[caller] -= 1
        if not self._running[caller]:
            del self._running[caller]
        self._hand_out()

    def _hand_out(self) -> None:
        while self._running.total() < self._pool.threads:
            turn = self._next() or self._next()
            if turn is None:
                return

    def _next(self) -> asyncio.Future[None] | None:
        """The turn of the next caller of the kind whose turn it is. One caller never has every thread."""
        queue = self._queues[self._next_kind]
        self._next_kind = 1 - self._next_kind
        for caller in list(queue):
            waiting = queue[caller]
            while waiting and waiting[0].done():
                waiting.popleft()  # it has gone
            if not waiting:
                del queue[caller]
            elif self._running[caller] < max(1, self._pool.threads - 1):
                turn = waiting.popleft()
                queue.move_to_end(caller)
                self._running[caller] += 1
                turn.set_result(None)
                return turn
        return None
