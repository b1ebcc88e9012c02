"""Which store a process uses: the settings say."""

from __future__ import annotations

from ..journal.redact import Redactor
from ..settings import Settings
from .base import Store


def open_store(settings: Settings, redactor: Redactor) -> Store:
    """JournalError where it can't be used."""
    from .sqlite.store import SqliteStore

    return SqliteStore(
        settings.data_dir,
        redactor,
        beat_ms=max(1, round(settings.refresh_seconds * 1000)),
        max_bytes=settings.journal_max_bytes,
        retention_days=settings.retention_days,
    )
