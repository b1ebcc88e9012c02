"""All journals of a database, and the bounds of all together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping

from ...counts import counts
from ...journal.redact import Redactor
from ..base import JournalSummary
from .database import PostgresDatabase
from .journal import PostgresJournal, remove
from .patience import LONG_SECONDS

log = logging.getLogger("jobtail.store")
# A journal that was written within so many seconds is kept even where all lines together are too many.
BUSY_SECONDS = 60


class PostgresJournals:
    """Implements `store.base.Journals`. `max_bytes`: of the lines of all jobs, before the database compresses them.
    `retention_days`: how long a journal outlives its last line."""

    def __init__(
        self, database: PostgresDatabase, redactor: Redactor, *, beat_ms: int, max_bytes: int, retention_days: float
    ) -> None:
        self._db = database
        self._redactor = redactor
        self._beat_ms = beat_ms
        self._max_bytes = max_bytes
        self._retention_seconds = retention_days * 86_400
        self._open: dict[str, PostgresJournal] = {}
        self._lock = threading.Lock()

    def open(self, job: str) -> PostgresJournal:
        journal = self._open.get(job)
        if journal is None:
            made = PostgresJournal(self._db, job, self._redactor, self._beat_ms)
            with self._lock:
                journal = self._open.setdefault(job, made)
        return journal

    def known(self, job: str) -> bool:
        return bool(self._db.read("SELECT 1 FROM jobtail.journal WHERE job = %s", (job,)))

    def release(self, job: str) -> None:
        with self._lock:
            self._open.pop(job, None)

    def close(self) -> None:
        with self._lock:
            self._open.clear()

    def changes(self, seen: Mapping[str, tuple[str, int]]) -> list[str]:
        rows = self._db.read("SELECT job, epoch, revision FROM jobtail.journal WHERE job = ANY(%s)", (list(seen),))
        found = {job: (epoch, revision) for job, epoch, revision in rows}
        return [job for job, mark in seen.items() if found.get(job) != mark]

    # --- bounds --------------------------------------------------------------------------------------------------

    def size(self) -> int:
        return int(self._db.read("SELECT coalesce(sum(bytes), 0)::bigint FROM jobtail.journal")[0][0])

    def all(self) -> Iterator[JournalSummary]:
        rows = self._db.read(
            "SELECT job, last_line, bytes, extract(epoch FROM clock_timestamp() - changed)::float8, finished,"
            " held_until > clock_timestamp() FROM jobtail.journal ORDER BY changed DESC",
            seconds=LONG_SECONDS,
        )
        for row in rows:
            yield JournalSummary(*row)

    def check(self) -> Iterator[tuple[str, str]]:
        """Whether each journal's rows lead from its first line to its last without a hole."""
        rows = self._db.read(
            "SELECT j.job, j.last_line, j.trimmed_to, coalesce(min(b.first), j.trimmed_to + 1),"
            " coalesce(max(b.last), j.trimmed_to), coalesce(sum(b.last - b.first + 1), 0)::bigint"
            " FROM jobtail.journal j LEFT JOIN jobtail.batch b USING (data) GROUP BY j.job",
            seconds=None,
        )
        for job, last, trimmed, first_held, last_held, lines in rows:
            if (first_held, last_held, lines) != (trimmed + 1, last, last - trimmed):
                held = f"it holds {lines} lines from {first_held} to {last_held}"
                yield job, f"{held}, and should from {trimmed + 1} to {last}"

    def room(self) -> None:
        return None

    def sweep(self) -> list[str]:
        for (data,) in self._db.read("SELECT data FROM jobtail.unused"):
            remove(self._db, data)
        rows = self._db.read(
            "SELECT job, bytes, extract(epoch FROM clock_timestamp() - changed)::float8 FROM jobtail.journal"
            " ORDER BY changed",
            seconds=LONG_SECONDS,
        )
        total = sum(row[1] for row in rows)
        gone: list[str] = []
        for job, size, age in rows:
            old = age > self._retention_seconds
            if not old and total <= self._max_bytes:
                break
            if self._removed(job, self._retention_seconds if old else BUSY_SECONDS):
                counts.add("journals_forgotten_total", why="age" if old else "size")
                gone.append(job)
                total -= size
            elif not old:
                total -= self._halved(job)
        return gone

    def _removed(self, job: str, least_seconds: float) -> bool:
        """False where somebody writes it, watches it or has it open here, or it was written since."""
        if job in self._open:
            return False
        rows = self._db.write(
            "WITH gone AS (DELETE FROM jobtail.journal WHERE job = %(job)s AND held_until <= clock_timestamp()"
            " AND changed < clock_timestamp() - %(seconds)s * interval '1 second' AND NOT EXISTS (SELECT 1 FROM"
            " jobtail.presence WHERE presence.job = %(job)s AND until > clock_timestamp()) RETURNING data)"
            " INSERT INTO jobtail.unused SELECT data FROM gone RETURNING data",
            {"job": job, "seconds": least_seconds},
        )
        for (data,) in rows:
            remove(self._db, data)
        return bool(rows)

    def _halved(self, job: str) -> int:
        """Trims the older half. How many bytes that was."""
        journal = self.open(job)
        try:
            state = journal.state()
            before = self._size(job)
            journal.trim(state.trimmed_to + (state.last_line - state.trimmed_to) // 2)
            return before - self._size(job)
        finally:
            if job not in self._open:
                self.release(job)

    def _size(self, job: str) -> int:
        rows = self._db.read("SELECT bytes FROM jobtail.journal WHERE job = %s", (job,))
        return int(rows[0][0]) if rows else 0
