"""The one who may write a job's file: every write checks the fence, and the line that the journal ends at."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from ...counts import counts
from ...errors import DiskFull, LeaseLost
from ...journal.batch import Batch
from ...journal.state import State
from ...room import Disk
from ..base import Fence, ProducerBatch
from ..writing import FUTURE_MS, JournalWriter, Prepared, WrittenJournal
from .clock import Clock
from .rows import new_batch, store_written
from .state import one


class SqliteWritable(WrittenJournal, Protocol):
    """What this writer asks of its journal besides."""

    clock: Clock
    disk: Disk

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]: ...
    def fenced(self) -> tuple[State, int]: ...


class SqliteWriter(JournalWriter):
    """Each write is one transaction, which checks the fence first."""

    def __init__(self, journal: SqliteWritable, fence: Fence, last_line: int, seconds: float) -> None:
        super().__init__(journal, fence, last_line, seconds)
        self._journal = journal

    # --- the lease -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _holding(self) -> Iterator[sqlite3.Connection]:
        with self._journal.transaction() as db:
            token, holder = one(db, "token, holder")
            if token != self.fence.token:
                raise self._lost(holder)
            yield db

    def _reread(self) -> tuple[State, int]:
        return self._journal.fenced()

    def renew(self) -> None:
        clock = self._journal.clock
        with self._holding() as db:
            db.execute(
                "UPDATE state SET held_boot = ?, held_until = ?, held_for = ?",
                (clock.boot, clock.seconds() + self._seconds, self._seconds),
            )

    def release(self) -> None:
        with contextlib.suppress(LeaseLost), self._holding() as db:
            db.execute("UPDATE state SET holder = '', held_until = 0, held_for = 0")

    # --- writing -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._journal.transaction() as db:
            refusal = self._refusal(*one(db, "token, holder, epoch, last_line"))
            if refusal is not None:
                raise refusal
            yield db

    def _append(
        self, prepared: Prepared, mark_late: bool, partial: str | None, producer: ProducerBatch | None
    ) -> list[Batch] | None:
        journal = self._journal
        if (room := journal.disk.room()).level == "full":
            counts.add("appends_refused_total")
            raise DiskFull(room.words)
        with self._writing() as db:
            if producer is not None and not new_batch(db, producer):
                return None
            row = one(db, "epoch, last_line, high_ms, out_ms, sample_beat, sample_loud")
            now = journal.clock.wall_ms()
            written = prepared.number(row, journal.beat_ms, mark_late, now + FUTURE_MS)
            store_written(written, db, partial, now)
        self.last_line = written.last_line
        return written.batches

    def _change(self, **columns: object) -> None:
        changes = ", ".join(f"{name} = ?" for name in columns)
        with self._writing() as db:
            db.execute(f"UPDATE state SET {changes}, revision = revision + 1", tuple(columns.values()))

    def _add_gap(self, after_line: int, reason: str, count: int | None) -> None:
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO gap VALUES (?, ?, ?)", (after_line, reason, count))
            db.execute("UPDATE state SET revision = revision + 1")
