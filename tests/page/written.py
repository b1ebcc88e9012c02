"""A job whose lines a test writes by hand, beside a service that knows nothing of it but what stands in the journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from webapp.engine.catalog import Catalog
from webapp.engine.job import Job, now_ms, status_of
from webapp.engine.lock import RunnerLock
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.journal.text import text as text_of
from webapp.store.sqlite.store import SqliteStore

from ..written import Written as Writing


class Written:
    """Runs until `end`. `start_ms`: when it began; lines come a millisecond apart unless told otherwise."""

    def __init__(self, folder: Path, job: str, name: str = "train") -> None:
        self.id = job
        self.start_ms = now_ms() - 60_000
        self._lock = RunnerLock(folder, job)
        self._lock.hold()
        self._store = SqliteStore(folder, Redactor(()))
        self._catalog = Catalog(self._store, folder)
        command = ("python", "train.py")
        self._catalog.put(Job(job, name, command, "/srv", "host", "ana", "3.11", 1, self.start_ms, now_ms()))
        self.journal = Writing(self._store.journals.open(job))
        self._count = 0
        self.status()

    @property
    def epoch(self) -> str:
        return self.journal.epoch

    def log(self, *messages: str, **extra: Any) -> None:
        """One line a message, in one append."""
        entries = []
        for message in messages:
            self._count += 1
            entries.append(Entry(self.start_ms + self._count, message, dict(extra) or None, 0))
        self.journal.append(entries, mark_late=False)

    def fill(self, count: int, text: str = "line {n} of some work", step: int = 5000) -> None:
        """Many lines, `text` formatted with n and an error every 10,000."""
        for first in range(self._count + 1, self._count + count + 1, step):
            numbers = range(first, min(first + step, self._count + count + 1))
            self.log_numbers(numbers, text)
        self._count += count

    def pour(self, count: int, text: str = "line {n} of some work", step: int = 50_000) -> None:
        """As `fill`, for millions: a thousand lines share a millisecond, since texts cost a fraction of entries."""
        for first in range(self._count + 1, self._count + count + 1, step):
            texts = []
            for start in range(first, min(first + step, self._count + count + 1), 1000):
                numbers = range(start, min(start + 1000, self._count + count + 1))
                lines = [f"ERROR step {n} failed" if n % 10_000 == 0 else text.format(n=n) for n in numbers]
                texts.append(text_of(self.start_ms + start, "\n".join(lines).encode(), {}))
            self.journal.append(texts, mark_late=False)
        self._count += count

    def log_numbers(self, numbers: range, text: str) -> None:
        entries = []
        for n in numbers:
            message = f"ERROR step {n} failed" if n % 10_000 == 0 else text.format(n=n)
            entries.append(Entry(self.start_ms + n, message, None, 0))
        self.journal.append(entries, mark_late=False)

    def status(self) -> None:
        found = self._catalog.get(self.id)
        assert found is not None
        self.journal.set_status(status_of(found).model_dump(mode="json"))

    def cancel_asked(self) -> bool:
        return self._catalog.cancel_asked(self.id) is not None

    def end(self, state: str = "Done", exit_code: int = 0, complete: bool = True) -> None:
        found = self._catalog.get(self.id)
        assert found is not None
        self._catalog.ended(replace(found, state=state, exit_code=exit_code))
        self.status()
        self.journal.finish(complete)
        self._lock.release()

    def close(self) -> None:
        self._lock.release()
        self.journal.writer.release()
        self._store.close()
