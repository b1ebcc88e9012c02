"""The one who may write a job's file: every write checks the fence, and the line that the journal ends at."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import orjson

from ...counts import counts
from ...errors import BegunAnew, DiskFull, LeaseLost, LineMoved, OutcomeUnknown
from ...journal.batch import Batch
from ...journal.encoding import Encoder
from ...journal.line import Entry
from ...journal.memory import Memory
from ...journal.redact import Redactor
from ...journal.state import State
from ...journal.status import blanked, same
from ...journal.text import Text, TextEncoder, encoder
from ...room import Disk
from ..base import Fence, Producer
from ..counted import appended
from .clock import Clock
from .rows import new_batch, store_written
from .state import one

# A timestamp further ahead than this is some clock's fault: what comes after it is not called late for its sake.
FUTURE_MS = 300_000


class Written(Protocol):
    """What a writer asks of its journal."""

    job: str
    redactor: Redactor
    beat_ms: int
    clock: Clock
    disk: Disk

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]: ...
    def fenced(self) -> tuple[State, int]: ...
    def state(self) -> State: ...
    def read(self, after: int, *, most_bytes: int, upto: int | None) -> list[Batch]: ...


class SqliteWriter:
    """Implements `store.base.Writer`. `seconds`: how long the lease lasts unrenewed."""

    def __init__(self, journal: Written, fence: Fence, last_line: int, seconds: float) -> None:
        self.fence = fence
        self.last_line = last_line
        self._journal = journal
        self._seconds = seconds
        self._memory = Memory()  # of the lines before, for what goes on over several
        self._unknown: Encoder | TextEncoder | None = None  # whether its lines were appended is not known

    # --- the lease -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _holding(self) -> Iterator[tuple[sqlite3.Connection, str, int]]:
        """The connection, and the epoch and last line of the journal."""
        with self._journal.transaction() as db:
            token, holder, epoch, last_line = one(db, "token, holder, epoch, last_line")
            if token != self.fence.token:
                raise self._lost(holder)
            yield db, epoch, last_line

    def _lost(self, holder: str) -> LeaseLost:
        return LeaseLost(f"the journal of {self._journal.job!r} is now written by {holder or 'another'}")

    def resume(self) -> State:
        state, token = self._journal.fenced()
        if token != self.fence.token:
            raise self._lost(state.holder)
        self._unknown = None
        self.fence = Fence(state.epoch, self.fence.token)
        self.last_line = state.last_line
        return state

    def renew(self) -> None:
        clock = self._journal.clock
        with self._holding() as (db, _, _):
            db.execute(
                "UPDATE state SET held_boot = ?, held_until = ?, held_for = ?",
                (clock.boot, clock.seconds() + self._seconds, self._seconds),
            )

    def release(self) -> None:
        with contextlib.suppress(LeaseLost), self._holding() as (db, _, _):
            db.execute("UPDATE state SET holder = '', held_until = 0, held_for = 0")

    # --- writing -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._holding() as (db, epoch, last_line):
            if epoch != self.fence.epoch:
                raise BegunAnew(f"the journal of {self._journal.job!r} was begun anew")
            if last_line != self.last_line:
                raise LineMoved(
                    f"the journal of {self._journal.job!r} ends at line {last_line}, not at {self.last_line}"
                )
            yield db

    def append(
        self,
        entries: list[Entry] | list[Text],
        *,
        mark_late: bool = True,
        partial: dict[str, Any] | None = None,
        producer: Producer | None = None,
    ) -> list[Batch]:
        if not entries:
            return []
        if self._unknown is not None and (found := self._landed(entries)):
            return found
        journal, began = self._journal, time.monotonic()
        if (room := journal.disk.room()).level == "full":
            counts.add("appends_refused_total")
            raise DiskFull(room.words)
        prepared = encoder(journal.redactor, entries, self._memory)
        partial_json = self._json(partial)
        try:
            with self._writing() as db:
                if producer is not None and not new_batch(db, producer):
                    return []
                row = one(db, "epoch, last_line, high_ms, out_ms, sample_beat, sample_loud")
                now = journal.clock.wall_ms()
                written = prepared.number(row, journal.beat_ms, mark_late, now + FUTURE_MS)
                store_written(written, db, partial_json, now)
        except OutcomeUnknown:
            self._unknown = prepared
            raise
        self._unknown, self._memory = None, prepared.memory
        self.last_line = written.last_line
        appended(written.batches, began)
        return written.batches

    def _landed(self, entries: list[Entry] | list[Text]) -> list[Batch]:
        """What these entries became, where the commit whose outcome was not known did write them."""
        before, asked = self.last_line, self._unknown
        state = self.resume()
        if state.last_line == before:
            return []
        if asked is None or entries != asked.entries or state.last_line != before + asked.count:
            self.last_line = before
            raise LineMoved(f"the journal of {self._journal.job!r} ends at line {state.last_line}, not at {before}")
        self._memory = asked.memory
        return self._journal.read(before, most_bytes=1 << 62, upto=state.last_line)

    def add_gap(self, after_line: int, reason: str, count: int | None) -> None:
        counts.add("gaps_total", reason=reason)
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO gap VALUES (?, ?, ?)", (after_line, reason, count))
            db.execute("UPDATE state SET revision = revision + 1")

    def set_status(self, status: dict[str, Any]) -> None:
        status = blanked(status, self._journal.redactor, self._journal.job)
        if same(self._journal.state().status, status):
            return
        with self._writing() as db:
            db.execute("UPDATE state SET status = ?, revision = revision + 1", (orjson.dumps(status).decode(),))

    def set_upstream(self, upstream: dict[str, Any]) -> None:
        upstream = self._journal.redactor.value(upstream)
        if self._journal.state().upstream == upstream:
            return
        with self._writing() as db:
            db.execute("UPDATE state SET upstream = ?, revision = revision + 1", (orjson.dumps(upstream).decode(),))

    def set_partial(self, partial: dict[str, Any] | None) -> None:
        with self._writing() as db:
            db.execute("UPDATE state SET partial = ?, revision = revision + 1", (self._json(partial),))

    def finish(self, complete: bool, status: dict[str, Any] | None = None) -> None:
        told = None if status is None else self._json(blanked(status, self._journal.redactor, self._journal.job))
        with self._writing() as db:
            db.execute(
                "UPDATE state SET finished = 1, complete = ?, status = coalesce(?, status), partial = NULL,"
                " revision = revision + 1",
                (int(complete), told),
            )

    def reopen(self) -> None:
        with self._writing() as db:
            db.execute("UPDATE state SET finished = 0, complete = NULL, revision = revision + 1")

    def _json(self, value: dict[str, Any] | None) -> str | None:
        return None if value is None else orjson.dumps(self._journal.redactor.value(value)).decode()
