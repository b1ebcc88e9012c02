"""A journal that a test writes and reads by one object: what it writes goes through a writer with the lease."""

from __future__ import annotations

from typing import Any

from webapp.journal.batch import Batch
from webapp.journal.line import Entry
from webapp.journal.text import Text
from webapp.store.base import Journal, Writer


class Written:
    """Everything of the journal and of its writer. `seconds`: how long the lease lasts."""

    def __init__(self, journal: Journal, seconds: float = 600.0) -> None:
        self.journal = journal
        self.writer: Writer = journal.claim(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.writer if hasattr(self.writer, name) else self.journal, name)

    @property
    def epoch(self) -> str:
        return self.journal.state().epoch

    def forget(self) -> None:
        self.journal.forget()
        self.writer.resume()

    def append(self, entries: list[Entry] | list[Text], **how: Any) -> list[Batch]:
        return self.writer.append(entries, **how)
