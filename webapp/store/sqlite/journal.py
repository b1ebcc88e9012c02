"""The journal of one job in a file of its own: lines are on disk before anybody sees them.

Several processes may have the same file open. What only one may do asks for the lease: see `writer.py`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import DamagedJournal, JournalError, LeaseHeld, OutcomeUnknown
from ...files import private
from ...journal.batch import Batch
from ...journal.cursor import new_epoch
from ...journal.parts import Gap, Levels, Part, Span
from ...journal.redact import Redactor
from ...journal.state import State
from ...room import Disk
from ..base import Fence
from . import copies, reading
from .clock import SYSTEM, Clock
from .connections import Connections
from .damage import identity, journal_error, move_damaged, moving, opening
from .marks import Mark
from .schema import prepare
from .state import load_fenced, load_lease, one
from .writer import SqliteWriter


class SqliteJournal:
    """Implements `store.base.Journal`."""

    def __init__(
        self, path: Path, job: str, redactor: Redactor, beat_ms: int, clock: Clock = SYSTEM, disk: Disk | None = None
    ) -> None:
        self.path = path
        self.job = job
        self.redactor = redactor
        self.beat_ms = beat_ms
        self.clock = clock
        self.disk = disk or Disk(path.parent)
        self._mark = Mark(path)
        self._shown = 0  # the greatest revision that was read or written here
        self._lock = threading.RLock()
        self._connections: Connections | None = None
        self._current()

    def close(self) -> None:
        """Lets go of the file. Whoever asks after all opens it again."""
        with self._lock:
            connections, self._connections = self._connections, None
            self._mark.close()
            if connections is not None:
                connections.close()

    # --- the file ------------------------------------------------------------------------------------------------

    def _current(self) -> Connections:
        """The connections to the file that stands there now. DamagedJournal where it is another than it was."""
        connections = self._connections
        if connections is not None and not connections.stale():
            return connections
        with self._lock:
            if self._connections is not None and self._connections is connections:
                self._let_go(connections)
                raise DamagedJournal(f"the journal of {self.job!r} was replaced or removed", self.path)
            if self._connections is None:
                self._connections = self._opened()
            return self._connections

    def _let_go(self, connections: Connections) -> None:
        self._shown, self._connections = 0, None
        self._mark.close()
        connections.close()

    def _opened(self) -> Connections:
        found = identity(self.path)
        try:
            private(self.path.parent)
        except OSError as error:
            raise JournalError(f"the folder can't be written: {error.strerror}", self.path.parent) from error
        try:
            return self._open()
        except DamagedJournal as error:
            move_damaged(self.path, found, error.detail)
            return self._open()

    def _open(self) -> Connections:
        with opening(self.path) if _begun(self.path) else moving(self.path):
            connections: Connections | None = None
            try:
                connections = Connections(self.path)
                db = connections.writer
                prepare(db, self.job, new_epoch(), self._changed_ms())
                copies.check(db, self._mark, self.job)
                connections.settled()
                return connections
            except BaseException as error:
                if connections is not None:
                    connections.close()
                if isinstance(error, sqlite3.Error):
                    raise journal_error(error, self.path) from error
                raise

    def _changed_ms(self) -> int:
        try:
            stat = os.stat(self.path)
        except OSError:
            return self.clock.wall_ms()
        return stat.st_mtime_ns // 1_000_000 if stat.st_size else self.clock.wall_ms()

    @contextlib.contextmanager
    def _translated(self, connections: Connections) -> Iterator[None]:
        """A damaged file is moved away: the next call begins another."""
        try:
            yield
        except sqlite3.Error as error:
            raised = journal_error(error, self.path)
            if isinstance(raised, DamagedJournal):
                with self._lock:
                    if self._connections is connections:
                        self._let_go(connections)
                        move_damaged(self.path, connections.file, str(error))
            raise raised from error

    # --- reading -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        connections = self._current()
        with self._translated(connections), connections.reader() as db:
            yield db

    def mark(self) -> tuple[str, int]:
        """`State.mark`, and nothing else: cheap enough to ask many times a second."""
        with self._newest() as (db, show):
            epoch, revision = one(db, "epoch, revision")
            show(revision)
        return epoch, revision

    def state(self) -> State:
        return self.fenced()[0]

    def fenced(self) -> tuple[State, int]:
        """The state, and the token of the newest lease."""
        with self._newest() as (db, show):
            state, token = load_fenced(db, self.clock)
            show(state.revision)
        return state, token

    @contextlib.contextmanager
    def _newest(self) -> Iterator[tuple[sqlite3.Connection, Callable[[int], None]]]:
        connections, before = self._current(), self._shown
        with self._translated(connections), connections.reader() as db:
            yield db, lambda revision: self._show(connections, before, revision)

    def _show(self, connections: Connections, before: int, revision: int) -> None:
        """DamagedJournal where more than this `revision` had been shown `before`: the file was overwritten with an
        older copy."""
        if revision >= before:
            self._shown = max(self._shown, revision)
            return
        with self._lock:
            if self._connections is connections:
                self._let_go(connections)
        raise DamagedJournal(f"the journal of {self.job!r} was replaced by an older copy", self.path)

    def trimmed_to(self) -> int:
        with self._reader() as db:
            return int(one(db, "trimmed_to")[0])

    def read(
        self, after: int, *, most_bytes: int = 1 << 20, upto: int | None = None, levels: Levels = None
    ) -> list[Batch]:
        with self._reader() as db:
            return reading.read(db, after, most_bytes, upto, levels)

    def read_back(self, before: int, *, most_bytes: int = 1 << 20, levels: Levels = None) -> list[Batch]:
        with self._reader() as db:
            return reading.read_back(db, before, most_bytes, levels)

    def spans(self, after: int) -> list[Span]:
        with self._reader() as db:
            return reading.spans(db, after)

    def line_at(self, since_ms: int) -> int:
        with self._reader() as db:
            return reading.line_at(db, since_ms)

    def gaps(self, after: int, upto: int) -> list[Gap]:
        with self._reader() as db:
            return reading.gaps(db, after, upto)

    def overview(self, parts: int) -> list[Part]:
        with self._reader() as db:
            return reading.overview(db, parts)

    def first_and_last_ms(self) -> tuple[int, int] | None:
        with self._reader() as db:
            row = db.execute("SELECT min(low_ms), max(high_ms) FROM batch").fetchone()
            return None if row[0] is None else (row[0], row[1])

    def seen(self, start_ms: int, end_ms: int) -> dict[int, int]:
        with self._reader() as db:
            return reading.seen(db, start_ms, end_ms)

    def short_keys(self) -> bool:
        """Whether its lines are known by keys of 64 bits, as in journals of older versions."""
        with self._reader() as db:
            return reading.short_keys(db)

    def seen_untimed(self) -> dict[int, int]:
        with self._reader() as db:
            return {key & reading.UNSIGNED: n for key, n in db.execute("SELECT key, n FROM untimed")}

    # --- writing -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in it holds or nothing does; on return it is on disk."""
        with self._lock:
            connections = self._connections or self._current()
            db = connections.writer
            with self._translated(connections):
                db.execute("BEGIN IMMEDIATE")
                try:
                    if connections.stale():  # looked at now that nobody else can write
                        self._let_go(connections)
                        raise DamagedJournal(f"the journal of {self.job!r} was replaced or removed", self.path)
                    self._show(connections, self._shown, one(db, "revision")[0])
                    yield db
                    revision = one(db, "revision")[0]
                except BaseException:
                    if self._connections is connections and db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
                self._commit(db)
            self._shown = revision
            self._mark.write(revision)

    def _commit(self, db: sqlite3.Connection) -> None:
        try:
            db.execute("COMMIT")
        except sqlite3.Error as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
                raise
            raise OutcomeUnknown(f"whether the last write is on disk is not known: {error}", self.path) from error

    def claim(self, seconds: float, *, take_over: bool = False) -> SqliteWriter:
        holder = f"{os.getpid()}-{socket.gethostname()}-{secrets.token_hex(4)}"
        with self.transaction() as db:
            lease = load_lease(db)
            left = lease.left(self.clock)
            if left > 0 and not take_over:
                raise LeaseHeld(self.job, lease.holder, left)
            epoch, token, last_line = one(db, "epoch, token + 1, last_line")
            db.execute(
                "UPDATE state SET token = ?, holder = ?, held_boot = ?, held_until = ?, held_for = ?",
                (token, holder, self.clock.boot, self.clock.seconds() + seconds, seconds),
            )
        return SqliteWriter(self, Fence(epoch, token), last_line, seconds)

    def forget(self) -> None:
        with self._lock, self._translated(connections := self._current()):
            connections.writer.execute("PRAGMA secure_delete = ON")
        with self.transaction() as db:
            for table in ("batch", "body", "trace", "untimed", "gap", "producer"):
                db.execute(f"DELETE FROM {table}")
            db.execute(
                "UPDATE state SET epoch = ?, last_line = 0, trimmed_to = 0, high_ms = -1, out_ms = -1, upstream = NULL,"
                " partial = NULL, finished = 0, complete = NULL, sample_beat = -1, sample_loud = 0,"
                " revision = revision + 1, changed_ms = ?",
                (new_epoch(), self.clock.wall_ms()),
            )
        self._shrink()

    def trim(self, upto: int) -> int:
        with self.transaction() as db:
            row = db.execute("SELECT max(last) FROM batch WHERE last <= ?", (upto,)).fetchone()
            if row[0] is None:
                return int(one(db, "trimmed_to")[0])
            db.execute("DELETE FROM body WHERE first <= ?", row)
            db.execute("DELETE FROM batch WHERE first <= ?", row)
            db.execute("UPDATE state SET trimmed_to = ?, revision = revision + 1", row)
        self._shrink()
        return int(row[0])

    def _shrink(self) -> None:
        with self._lock, contextlib.suppress(JournalError, sqlite3.OperationalError):
            self._current().writer.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")


def _begun(path: Path) -> bool:
    """Whether it is a database already: several that make one of it at once would be told that it is locked."""
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False
