"""Everything that lasts, in a folder: a file a job in `jobs/`, `jobtail.sqlite3` for what spans jobs, `secret.key`."""

from __future__ import annotations

import time
from pathlib import Path

from ...journal.redact import Redactor
from ...room import Disk
from .attempts import SqliteAttempts
from .backup import backup
from .catalog import SqliteCancellations, SqliteCatalog, SqlitePresence
from .clock import SYSTEM, Clock
from .database import SqliteDatabase
from .ended import Ended
from .journals import SqliteJournals
from .key import kept_key
from .reports import SqliteReports
from .shares import SqliteSessions, SqliteShares
from .tables import PRESENCE, TABLES

PROVED_SECONDS = 1.0  # how long a write proves that another would go well


class SqliteStore:
    """Implements `store.base.Store`. JournalError where the folder can't be used."""

    def __init__(
        self,
        folder: Path,
        redactor: Redactor,
        *,
        beat_ms: int = 1000,
        max_bytes: int = 10 << 30,
        retention_days: float = 14.0,
        disk: Disk | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self.folder = folder
        path = folder / "jobtail.sqlite3"
        self._writer = SqliteDatabase(path, TABLES)
        self._reader = SqliteDatabase(path, TABLES)
        self._presence = SqliteDatabase(folder / "presence.sqlite3", PRESENCE, synchronous="OFF")
        self.catalog = SqliteCatalog(self._writer, clock)
        self.cancellations = SqliteCancellations(self._writer)
        self.reports = SqliteReports(self._writer)
        ended = Ended(folder / "ended")
        self.shares = SqliteShares(self._writer, self._reader, ended)
        self.sessions = SqliteSessions(self._writer, self._reader, ended)
        self.presence = SqlitePresence(self._presence, clock)
        self.attempts = SqliteAttempts(self._presence, clock)
        self.journals = SqliteJournals(
            folder, redactor, beat_ms=beat_ms, max_bytes=max_bytes, retention_days=retention_days, clock=clock,
            disk=disk, watched=lambda job: bool(self.presence.counts([job])),
        )  # fmt: skip
        self._clock = clock
        self._proved = -PROVED_SECONDS

    def secret_key(self) -> str:
        return kept_key(self.folder)

    def backup(self, file: Path) -> None:
        backup(self.folder, file)

    def writable(self) -> None:
        """What was written a second ago need not be written again."""
        now = time.monotonic()
        if now < self._proved + PROVED_SECONDS:
            return
        self.journals.writable()
        with self._writer.writing() as db:
            db.execute("INSERT OR REPLACE INTO proof (only, at_ms) VALUES (1, ?)", (self._clock.wall_ms(),))
        self._proved = now

    def hurry(self, seconds: float) -> None:
        """A lock of another process is waited for no longer than `BUSY_MS` anyway."""

    def close(self) -> None:
        self.journals.close()
        for database in (self._writer, self._reader, self._presence):
            database.close()
