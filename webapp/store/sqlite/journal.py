"""The journal of one job: lines get their numbers here, for good, and are on disk before anybody sees them.

Synchronous; any thread may call it. Reads and writes have connections of their own, so that neither waits for the
other (WAL). Several processes may have the same journal open; what only one may do asks for the lease.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import orjson

from ...errors import JournalError
from ...journal.batch import Batch
from ...journal.cursor import new_epoch
from ...journal.encoding import Encoder
from ...journal.line import Entry
from ...journal.memory import Memory
from ...journal.parts import Gap, Levels, Part, Span
from ...journal.redact import Redactor
from ...journal.state import State
from ...models import RunStatus
from . import reading
from .damage import identity, opening
from .rows import store_written
from .schema import DamagedJournal, connect, disk_errors, prepare
from .state import load_state

READERS = 4
# A timestamp further ahead than this is some clock's fault: what comes after it is not called late for its sake.
FUTURE_MS = 300_000
# Fields of a status that hold no text, but dates, flags and counts.
TYPED = frozenset(
    name for name, field in RunStatus.model_fields.items() if str not in (field.annotation, *get_args(field.annotation))
)


class LeaseLost(JournalError):
    """Another holds the lease: whoever sees this must stop writing."""


class Journal:
    def __init__(self, path: Path, job: str, redactor: Redactor, beat_ms: int) -> None:
        self.path = path
        self.job = job
        self._redactor = redactor
        self._beat_ms = beat_ms
        self._memory = Memory()
        self._lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        with disk_errors(path), opening(path):
            self._db = connect(path, create=True)
            self.file = identity(path)
            prepare(self._db, job, new_epoch())
            self.epoch = load_state(self._db).epoch

    def close(self) -> None:
        with self._lock:
            self._closed = True
            readers, self._readers = self._readers, []
            for db in [*readers, self._db]:
                db.close()

    # --- reading -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with disk_errors(self.path):
            try:
                db = self._readers.pop()
            except IndexError:
                db = connect(self.path)
            try:
                yield db
            finally:
                if self._closed or len(self._readers) >= READERS:
                    db.close()
                else:
                    self._readers.append(db)

    def revision(self) -> int:
        """Grows with every change, whoever makes it: cheap enough to ask many times a second."""
        with self._reader() as db:
            return int(db.execute("SELECT revision FROM state").fetchone()[0])

    def trimmed_to(self) -> int:
        with self._reader() as db:
            return int(db.execute("SELECT trimmed_to FROM state").fetchone()[0])

    def state(self) -> State:
        with self._reader() as db:
            return load_state(db)

    def read(
        self, after: int, *, most_bytes: int = 1 << 20, upto: int | None = None, levels: Levels = None
    ) -> list[Batch]:
        """The lines after line `after`, as far as `most_bytes` go (at least one batch), none past `upto`. `levels`:
        batches that hold no line of these codes are passed over."""
        with self._reader() as db:
            return reading.read(db, after, most_bytes, upto, levels)

    def read_back(self, before: int, *, most_bytes: int = 1 << 20, levels: Levels = None) -> list[Batch]:
        """The lines before line `before`, the newest as far as `most_bytes` go, in order. `levels`: as for `read`."""
        with self._reader() as db:
            return reading.read_back(db, before, most_bytes, levels)

    def spans(self, after: int) -> list[Span]:
        """What each batch after line `after` holds, without its lines: a search skips by it."""
        with self._reader() as db:
            return reading.spans(db, after)

    def line_at(self, since_ms: int) -> int:
        """The first line of a batch before which every line is older than `since_ms`; last_line + 1 where all are."""
        with self._reader() as db:
            return reading.line_at(db, since_ms)

    def gaps(self, after: int, upto: int) -> list[Gap]:
        """The gaps that stand from just after line `after` (included) to just after line `upto` (excluded)."""
        with self._reader() as db:
            return reading.gaps(db, after, upto)

    def overview(self, parts: int) -> list[Part]:
        """The whole log in at most `parts` parts: lines, times, and how many of each level."""
        with self._reader() as db:
            return reading.overview(db, parts)

    def first_and_last_ms(self) -> tuple[int, int] | None:
        """Least and greatest timestamp of all lines that are still here; None without any."""
        with self._reader() as db:
            row = db.execute("SELECT min(low_ms), max(high_ms) FROM batch").fetchone()
            return None if row[0] is None else (row[0], row[1])

    def seen(self, start_ms: int, end_ms: int) -> dict[int, int]:
        """How often each key stands in the journal with start_ms <= timestamp < end_ms; trimmed lines count too."""
        with self._reader() as db:
            return reading.seen(db, start_ms, end_ms)

    def short_keys(self) -> bool:
        """Whether its lines are known by keys of 64 bits, as those of journals of before."""
        with self._reader() as db:
            return reading.short_keys(db)

    def seen_untimed(self) -> dict[int, int]:
        """The same for entries that had no usable timestamp of their own."""
        with self._reader() as db:
            return {key & reading.UNSIGNED: n for key, n in db.execute("SELECT key, n FROM untimed")}

    # --- writing -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _writing(self, lease: str | None) -> Iterator[sqlite3.Connection]:
        """One transaction. Everything in it holds or nothing does; on return it is on disk."""
        with self._lock, disk_errors(self.path):
            if self._closed:
                raise JournalError(f"the journal of {self.job!r} is closed")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if identity(self.path) != self.file:
                    raise DamagedJournal(f"the journal of {self.job!r} was replaced: another process set it aside")
                if lease is not None:
                    holder = self._db.execute("SELECT holder FROM state").fetchone()[0]
                    if holder != lease:
                        raise LeaseLost(f"the journal of {self.job!r} is now written by {holder or 'nobody'}")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def append(self, entries: list[Entry], *, lease: str | None = None, mark_late: bool = True) -> list[Batch]:
        """Numbers, redacts, finds levels, samples and encodes the entries, and writes them: one transaction.

        Returns the new lines as batches. LeaseLost where `lease` no longer holds; JournalError where the disk fails,
        and then nothing has been written.
        """
        if not entries:
            return []
        prepared = Encoder(self._redactor, entries, self._memory)
        with self._writing(lease) as db:
            row = db.execute("SELECT epoch, last_line, high_ms, out_ms, sample_beat, sample_loud FROM state").fetchone()
            self.epoch = row[0]
            written = prepared.number(row, self._beat_ms, mark_late, int(time.time() * 1000) + FUTURE_MS)
            store_written(written, db)
        self._memory = prepared.memory
        return written.batches

    def add_gap(self, after_line: int, reason: str, count: int | None, *, lease: str | None = None) -> None:
        """Says for good that lines may be missing between `after_line` and the next."""
        with self._writing(lease) as db:
            db.execute("INSERT OR IGNORE INTO gap VALUES (?, ?, ?)", (after_line, reason, count))
            db.execute("UPDATE state SET revision = revision + 1")

    def set_status(self, status: dict[str, Any], *, lease: str | None = None) -> None:
        """Nothing is written where only the heartbeat differs."""
        status = self._blanked(status)
        held = self.state().status
        if held is not None and _without_heartbeat(held) == _without_heartbeat(status):
            return
        with self._writing(lease) as db:
            db.execute("UPDATE state SET status = ?, revision = revision + 1", (orjson.dumps(status).decode(),))

    def _blanked(self, status: dict[str, Any]) -> dict[str, Any]:
        """In its texts alone: without its dates, its flags and the job's id it would be no status any more."""
        blanked: dict[str, Any] = {}
        for name, value in status.items():
            typed = name in TYPED or (name == "job_id" and value == self.job)
            blanked |= {name: value} if typed else self._redactor.value({name: value})
        return blanked

    def set_upstream(self, upstream: dict[str, Any], *, lease: str | None = None) -> None:
        upstream = self._redactor.value(upstream)
        if self.state().upstream == upstream:
            return
        with self._writing(lease) as db:
            db.execute("UPDATE state SET upstream = ?, revision = revision + 1", (orjson.dumps(upstream).decode(),))

    def finish(self, complete: bool, *, lease: str | None = None) -> None:
        """Nothing more is expected: viewers may be told that this was the end."""
        with self._writing(lease) as db:
            db.execute("UPDATE state SET finished = 1, complete = ?, revision = revision + 1", (int(complete),))

    def reopen(self, *, lease: str | None = None) -> None:
        """The job goes on after all."""
        with self._writing(lease) as db:
            db.execute("UPDATE state SET finished = 0, complete = NULL, revision = revision + 1")

    def acquire(self, holder: str, seconds: float) -> bool:
        """Takes or renews the lease. False: another holds it."""
        now = time.time()
        with self._writing(None) as db:
            changed = db.execute(
                "UPDATE state SET holder = ?, held_until = ? WHERE holder = ? OR held_until < ? OR held_until > ?",
                (holder, now + seconds, holder, now, now + 3600),
            )
            return changed.rowcount == 1

    def release(self, holder: str) -> None:
        with self._writing(None) as db:
            db.execute("UPDATE state SET holder = '', held_until = 0 WHERE holder = ?", (holder,))

    def forget(self) -> None:
        """Throws all lines away and begins anew under a new epoch. What was there is overwritten on the disk."""
        with self._lock, disk_errors(self.path):
            self._db.execute("PRAGMA secure_delete = ON")
        with self._writing(None) as db:
            for table in ("batch", "body", "trace", "untimed", "gap"):
                db.execute(f"DELETE FROM {table}")
            self._memory = Memory()
            self.epoch = new_epoch()
            db.execute(
                "UPDATE state SET epoch = ?, last_line = 0, trimmed_to = 0, high_ms = -1, out_ms = -1, upstream = NULL,"
                " finished = 0, complete = NULL, sample_beat = -1, sample_loud = 0, revision = revision + 1",
                (self.epoch,),
            )
        self._shrink()

    def trim(self, upto: int) -> int:
        """Forgets whole batches up to line `upto`; returns up to which line. Their keys stay: see `seen`."""
        with self._writing(None) as db:
            row = db.execute("SELECT max(last) FROM batch WHERE last <= ?", (upto,)).fetchone()
            if row[0] is None:
                return int(db.execute("SELECT trimmed_to FROM state").fetchone()[0])
            db.execute("DELETE FROM body WHERE first <= ?", row)
            db.execute("DELETE FROM batch WHERE first <= ?", row)
            db.execute("UPDATE state SET trimmed_to = ?, revision = revision + 1", row)
        self._shrink()
        return int(row[0])

    def _shrink(self) -> None:
        with self._lock, disk_errors(self.path), contextlib.suppress(sqlite3.OperationalError):
            self._db.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")


def _without_heartbeat(status: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in status.items() if name != "last_heartbeat"}
