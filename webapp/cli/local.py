"""For commands that read the data itself instead of asking a service: they run where the service's settings are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..journal.redact import Redactor
from ..settings import Settings, load_settings
from ..store.base import Store
from ..store.open import open_store


@contextlib.contextmanager
def opened(settings: Settings | None = None) -> Iterator[Store]:
    """The store that the settings name. SettingsError, JournalError."""
    store = open_store(settings or load_settings(), Redactor(()))
    try:
        yield store
    finally:
        store.close()
