"""The journal of one job, as rows of a database that several replicas share."""

from __future__ import annotations

import os
import secrets
import socket
import time
from typing import Any

import orjson

from ...errors import DamagedJournal, LeaseHeld
from ...journal.batch import Batch
from ...journal.cursor import new_epoch
from ...journal.parts import Gap, Levels, Part, Span
from ...journal.redact import Redactor
from ...journal.state import State
from ..base import Fence
from . import claims, reading
from .database import PostgresDatabase
from .patience import LONG_SECONDS
from .writer import PostgresWriter, Tail

_STATE = (
    "SELECT epoch, last_line, trimmed_to, high_ms, status, upstream, finished, complete, revision,"
    " held_until > clock_timestamp(), holder, out_ms, partial, token, peak_ms, sample_beat, sample_loud, loose"
    " FROM jobtail.journal WHERE job = %s"
)


class PostgresJournal:
    """Implements `store.base.Journal`."""

    def __init__(self, database: PostgresDatabase, job: str, redactor: Redactor, beat_ms: int) -> None:
        self.database = database
        self.job = job
        self.redactor = redactor
        self.beat_ms = beat_ms
        self._shown = 0  # the greatest revision that was read or written here
        self._begin()

    def _begin(self) -> None:
        self.database.write(claims.BEGIN, {"job": self.job, "epoch": new_epoch()})

    def now_ms(self) -> int:
        """Only used to recognize timestamps far in the future; leases are measured by the database's clock."""
        return int(time.time() * 1000)

    def wrote(self, revision: int) -> None:
        """A write of this process is kept."""
        self._shown = max(self._shown, revision)

    # --- reading -------------------------------------------------------------------------------------------------

    def mark(self) -> tuple[str, int]:
        return self.state().mark

    def state(self) -> State:
        return self.fenced()[0]

    def fenced(self) -> tuple[State, int, Tail]:
        """The state, the token of the newest lease, and what the next append has to know."""
        before = self._shown
        rows = self.database.read(_STATE, (self.job,))
        if not rows:
            self._shown = 0
            self._begin()
            raise DamagedJournal(f"the journal of {self.job!r} was removed")
        row = rows[0]
        self._seen(before, row[8])
        status, upstream, partial = (None if text is None else orjson.loads(text) for text in (row[4], row[5], row[12]))
        state = State(*row[:4], status, upstream, *row[6:12], partial)  # type: ignore[call-arg]
        return state, row[13], Tail(row[3], row[11], *row[14:18])

    def _seen(self, before: int, revision: int) -> None:
        """DamagedJournal where more had been shown `before` the revision was asked for: the database is in an older
        state than it was. What was shown since, by another thread, proves nothing."""
        if revision >= before:
            self._shown = max(self._shown, revision)
            return
        self._shown = 0
        self.database.write(claims.RENEW_EPOCH, {"job": self.job, "epoch": new_epoch(), "shown": before})
        raise DamagedJournal(f"the journal of {self.job!r} is in an older state than it was: it gets a new epoch")

    def holder(self) -> str:
        rows = self.database.read(claims.HOLDER, (self.job,))
        return str(rows[0][0]) if rows else ""

    def trimmed_to(self) -> int:
        return self.state().trimmed_to

    def read(
        self, after: int, *, most_bytes: int = 1 << 20, upto: int | None = None, levels: Levels = None
    ) -> list[Batch]:
        return reading.read(self.database, self.job, after, most_bytes, upto, levels)

    def read_back(self, before: int, *, most_bytes: int = 1 << 20, levels: Levels = None) -> list[Batch]:
        return reading.read_back(self.database, self.job, before, most_bytes, levels)

    def spans(self, after: int) -> list[Span]:
        return reading.spans(self.database, self.job, after)

    def line_at(self, since_ms: int) -> int:
        return reading.line_at(self.database, self.job, since_ms)

    def gaps(self, after: int, upto: int) -> list[Gap]:
        return reading.gaps(self.database, self.job, after, upto)

    def overview(self, parts: int) -> list[Part]:
        return reading.overview(self.database, self.job, parts)

    def first_and_last_ms(self) -> tuple[int, int] | None:
        return reading.first_and_last_ms(self.database, self.job)

    def seen(self, start_ms: int, end_ms: int) -> dict[int, int]:
        return reading.seen(self.database, self.job, start_ms, end_ms)

    def short_keys(self) -> bool:
        return False

    def seen_untimed(self) -> dict[int, int]:
        return reading.seen_untimed(self.database, self.job)

    # --- writing -------------------------------------------------------------------------------------------------

    def claim(self, seconds: float, *, take_over: bool = False) -> PostgresWriter:
        values: dict[str, Any] = {
            "job": self.job, "seconds": seconds, "take_over": take_over, "epoch": new_epoch(), "shown": self._shown,
            "holder": f"{os.getpid()}-{socket.gethostname()}-{secrets.token_hex(4)}",
        }  # fmt: skip
        rows = self.database.write(claims.CLAIM, values)
        if not rows:
            held = self.database.read(claims.HOLDER, (self.job,))
            if not held:
                self._shown = 0
                self._begin()
                raise DamagedJournal(f"the journal of {self.job!r} was removed")
            raise LeaseHeld(self.job, *held[0])
        epoch, token, last_line, *tail, revision = rows[0]
        self.wrote(revision)
        return PostgresWriter(self, Fence(epoch, token), last_line, Tail(*tail), seconds)

    def forget(self) -> None:
        """Its lines are removed by `PostgresJournals.sweep` and at once: see there."""
        rows = self.database.write(
            "WITH old AS (SELECT job, data FROM jobtail.journal WHERE job = %(job)s FOR UPDATE),"
            " head AS (UPDATE jobtail.journal j SET data = nextval('jobtail.data'), epoch = %(epoch)s, last_line = 0,"
            " trimmed_to = 0, high_ms = -1, out_ms = -1, peak_ms = -1, sample_beat = -1, sample_loud = 0, loose = 0,"
            " bytes = 0, upstream = NULL, partial = NULL, finished = false, complete = NULL, revision = revision + 1,"
            " changed = clock_timestamp() FROM old WHERE j.job = old.job RETURNING j.revision),"
            " kept AS (INSERT INTO jobtail.unused SELECT data FROM old)"
            " SELECT head.revision, old.data FROM head, old",
            {"job": self.job, "epoch": new_epoch()},
        )
        for revision, data in rows:
            self.wrote(revision)
            remove(self.database, data)

    def trim(self, upto: int) -> int:
        rows = self.database.write(
            "UPDATE jobtail.journal j SET trimmed_to = greatest(trimmed_to, coalesce((SELECT max(b.last)"
            " FROM jobtail.batch b WHERE b.data = j.data AND b.last <= %(upto)s), 0)), revision = revision + 1"
            " WHERE job = %(job)s RETURNING revision, trimmed_to, data",
            {"job": self.job, "upto": upto},
        )
        for revision, trimmed, data in rows:
            self.wrote(revision)
            size = _remove_some(self.database, "batch", data, trimmed)
            self.database.write("UPDATE jobtail.journal SET bytes = bytes - %s WHERE job = %s", (size, self.job))
            return int(trimmed)
        return 0


PIECE = 500  # rows that one transaction removes, so that none takes long


def remove(database: PostgresDatabase, data: int) -> None:
    """Lines that no job points to any more."""
    for table in ("batch", "trace"):
        _remove_some(database, table, data, (1 << 63) - 1)
    for table in ("untimed", "gap", "producer", "unused"):
        database.write(f"DELETE FROM jobtail.{table} WHERE data = %s", (data,))


def _remove_some(database: PostgresDatabase, table: str, data: int, upto: int) -> int:
    """Rows that begin up to a line, in small transactions. How many bytes of lines they held."""
    size: int = 0
    held = "bytes" if table == "batch" else "0"
    while True:
        rows = database.write(
            f"DELETE FROM jobtail.{table} WHERE data = %(data)s AND first = ANY(ARRAY(SELECT first FROM jobtail.{table}"
            f" WHERE data = %(data)s AND first <= %(upto)s ORDER BY first LIMIT {PIECE})) RETURNING {held}",
            {"data": data, "upto": upto},
            seconds=LONG_SECONDS,
        )
        size += sum(row[0] for row in rows)
        if len(rows) < PIECE:
            return int(size)
