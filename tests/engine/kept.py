"""What a data folder holds of its jobs, read as another process would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from webapp.engine.catalog import Catalog
from webapp.engine.job import Job
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journal import SqliteJournal
from webapp.store.sqlite.journals import SqliteJournals
from webapp.store.sqlite.store import SqliteStore


@contextmanager
def catalog_of(folder: Path) -> Iterator[Catalog]:
    store = SqliteStore(folder, Redactor(()))
    try:
        yield Catalog(store, folder)
    finally:
        store.close()


@contextmanager
def journal_of(folder: Path, job: str) -> Iterator[SqliteJournal]:
    journals = SqliteJournals(folder, Redactor(()), beat_ms=1000)
    try:
        yield journals.open(job)
    finally:
        journals.close()


def newest(folder: Path) -> Job:
    with catalog_of(folder) as catalog:
        return catalog.newest(1)[0]


def lines(folder: Path, job: str = "") -> list[dict[str, Any]]:
    with journal_of(folder, job or newest(folder).id) as journal:
        batches = journal.read(0, most_bytes=1 << 40)
        return [json.loads(line) for batch in batches for line in batch.split()]


def messages(folder: Path, stream: str = "") -> list[str]:
    return [line["message"] for line in lines(folder) if stream in ("", line["stream"])]
