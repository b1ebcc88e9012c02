"""Which store a process uses: the settings say."""

from __future__ import annotations

from typing import Any

from ..errors import SettingsError
from ..journal.redact import Redactor
from ..room import Disk
from ..settings import Settings
from .base import Store


def open_store(settings: Settings, redactor: Redactor) -> Store:
    """JournalError where it can't be used; SettingsError where its address is not valid."""
    bounds: dict[str, Any] = {
        "beat_ms": max(1, round(settings.refresh_seconds * 1000)),
        "max_bytes": settings.journal_max_bytes,
        "retention_days": settings.retention_days,
    }
    if url := settings.database_url.get_secret_value():
        try:
            from .postgres.store import PostgresStore
        except ImportError:
            raise SettingsError(
                "JOBTAIL_DATABASE_URL needs a package that is not installed: pip install 'psycopg[binary,pool]'"
            ) from None
        return PostgresStore(url, redactor, **bounds)
    from .sqlite.store import SqliteStore

    disk = Disk(settings.data_dir, settings.disk_reserve_bytes)
    return SqliteStore(settings.data_dir, redactor, disk=disk, **bounds)
