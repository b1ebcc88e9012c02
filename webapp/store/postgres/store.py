"""Everything that lasts, in one PostgreSQL database that any number of replicas share."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from ...errors import JournalError
from ...journal.redact import Redactor
from . import schema
from .attempts import PostgresAttempts
from .database import PostgresDatabase
from .journals import PostgresJournals
from .reports import PostgresReports
from .tables import PostgresCancellations, PostgresCatalog, PostgresPresence, PostgresSessions, PostgresShares

PROVED_SECONDS = 1.0  # how long a write proves that another would go well


class PostgresStore:
    """Implements `store.base.Store`. JournalError where the database can't be used; SettingsError for no address."""

    def __init__(
        self,
        url: str,
        redactor: Redactor,
        *,
        beat_ms: int = 1000,
        max_bytes: int = 10 << 30,
        retention_days: float = 14.0,
    ) -> None:
        self._db = PostgresDatabase(url)
        try:
            self._db.transaction(schema.prepare, single=True, seconds=None)
        except BaseException:
            self._db.close()
            raise
        self.journals = PostgresJournals(
            self._db, redactor, beat_ms=beat_ms, max_bytes=max_bytes, retention_days=retention_days
        )
        self.catalog = PostgresCatalog(self._db)
        self.cancellations = PostgresCancellations(self._db)
        self.reports = PostgresReports(self._db)
        self.shares = PostgresShares(self._db)
        self.sessions = PostgresSessions(self._db)
        self.presence = PostgresPresence(self._db)
        self.attempts = PostgresAttempts(self._db)
        self._proved = -PROVED_SECONDS

    def secret_key(self) -> str:
        rows = self._db.write(
            "UPDATE jobtail.meta SET secret_key = CASE WHEN secret_key = '' THEN %s ELSE secret_key END"
            " RETURNING secret_key",
            (secrets.token_urlsafe(48),),
        )
        return str(rows[0][0])

    def backup(self, file: Path) -> None:
        raise JournalError("a database has backups of its own: pg_dump --schema=jobtail, or a base backup with its log")

    def writable(self) -> None:
        """What was written a second ago need not be written again."""
        now = time.monotonic()
        if now < self._proved + PROVED_SECONDS:
            return
        self._db.write("UPDATE jobtail.meta SET proof = clock_timestamp()")
        self._proved = now

    def hurry(self, seconds: float) -> None:
        self._db.hurry(seconds)

    def close(self) -> None:
        self.journals.close()
        self._db.close()
