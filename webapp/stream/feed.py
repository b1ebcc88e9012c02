"""What feeds the readers of one job: its journal, the newest state of it, and pieces of the log that are read once for
all who want the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ..errors import BegunAnew, DamagedJournal, JournalError
from ..journal.state import State
from ..store.base import Journal
from ..tasks import Tasks
from ..threads import LIVE
from .form import Form, pool_of
from .step import Position, step
from .tail import tail_start

log = logging.getLogger("jobtail.stream")
RETRY_SECONDS = 1.0
PIECES_KEPT = 8

# Finds where the last lines that match begin: called as `tail_start` is.
Walk = Callable[[Journal, State, Form, "int | None"], Awaitable[int]]
Piece = tuple[bytes, Position]


class Feed:
    """`trouble`: why nothing new can be written to the journal now, None where it can. `state` is replaced, never
    changed. A negative revision marks a state that was never stored: the last stored one, with the trouble since."""

    def __init__(self, journal: Journal, state: State, trouble: Callable[[], JournalError | None]) -> None:
        self.job = journal.job
        self.journal = journal
        self.state = state
        self.signalled = asyncio.Event()
        self._trouble = trouble
        self._moved = asyncio.Event()
        self._reloading: asyncio.Task[None] | None = None
        self._next_reload: asyncio.Task[None] | None = None
        self._pieces: OrderedDict[tuple[Any, ...], asyncio.Task[Piece]] = OrderedDict()
        self._tasks = Tasks()

    def signal(self) -> None:
        """The journal has changed, or may have."""
        self.signalled.set()

    @property
    def attempt(self) -> int:
        """Attempts of the upstream that have failed in a row; 0 while it answers."""
        return int((self.state.upstream or {}).get("attempt") or 0)

    @property
    def stored_attempt(self) -> int:
        """The same as the journal has it, without the present trouble; it may come from a run that is long over."""
        return self.attempt if self.state.revision >= 0 else 0

    async def reload(self, *, delivers: bool = False) -> None:
        """Reads the state anew. All who ask while one read is under way share the next. `delivers`: the caller brings
        the groups to the new state itself; without it they are signalled, since the change shows only once."""
        if self._next_reload is None:
            self._next_reload = self._tasks.start(self._reload(self._reloading, delivers))
        await asyncio.shield(self._next_reload)

    async def _reload(self, before: asyncio.Task[None] | None, delivers: bool) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._reloading, self._next_reload = self._next_reload, None
        state = await LIVE.run(self.journal.state)
        if (trouble := self._trouble()) is not None:
            state = _troubled(state, trouble)
        if state.revision != self.state.revision or state.epoch != self.state.epoch:
            self.state = state
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
            if not delivers:
                self.signalled.set()

    async def recover(self, error: JournalError) -> None:
        """The journal could not be read: tried again soon, or at once where the store has begun it anew."""
        log.warning("%s: %s", self.job, error)
        if isinstance(error, BegunAnew | DamagedJournal):
            with contextlib.suppress(JournalError):
                await self.reload()
                return
        await asyncio.sleep(RETRY_SECONDS)

    async def changed(self, revision: int) -> None:
        """Returns once the state is another than the one with this revision."""
        while self.state.revision == revision:
            await self._moved.wait()

    async def start_position(self, form: Form, tail: int | None, walk: Walk | None = None) -> Position:
        """Where a reader without a cursor begins. `walk`: how the last lines that match are looked for."""
        await self.reload()
        state = self.state
        if tail is None and form.since_ms is None:
            return Position(state.epoch, (form.lines or (1, 0))[0] - 1)
        if walk is None:
            walk = partial(pool_of(form).run, tail_start)
        line = await walk(self.journal, state, form, tail)
        return Position(state.epoch, line)

    async def piece(self, form: Form, position: Position, upto: int | None, state: State) -> Piece:
        """`step`, done once for all who ask for the same. `state`: the newest that the viewer was sent, so that no
        line goes out before the status that it came with."""
        if position.omitted.count:
            return await pool_of(form).run(step, self.journal, state, form, position, upto)
        key = (form, position.epoch, position.line, position.gaps_to, position.sent, state.revision, upto)
        task = self._pieces.get(key)
        if task is None or _failed(task):
            work = pool_of(form).run(step, self.journal, state, form, position, upto)
            task = self._pieces[key] = self._tasks.start(work)
            if len(self._pieces) > PIECES_KEPT:
                self._pieces.popitem(last=False)
        data, after = await asyncio.shield(task)
        return data, after.copy()

    def drop_pieces(self) -> None:
        self._pieces.clear()

    async def close(self) -> None:
        """Nobody reads any more."""
        self._pieces.clear()
        await self._tasks.close()


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _troubled(state: State, error: JournalError) -> State:
    """The state with its trouble: what is known, and that nothing new can be written."""
    held = state.upstream or {}
    since = held.get("since") if held.get("state") == "retrying" else int(time.time() * 1000)
    trouble = {"state": "retrying", "since": since, "lines": state.last_line, "attempt": 1}
    return replace(
        state, upstream={**trouble, "retry_in_seconds": 1.0, "detail": error.for_viewers}, revision=-1 - state.revision
    )
