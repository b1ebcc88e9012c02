from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journals import SqliteJournals

from ..written import Written


@pytest.fixture
def journals(tmp_path: Path) -> Iterator[SqliteJournals]:
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    yield journals
    journals.close()


@pytest.fixture
def journal(journals: SqliteJournals) -> Written:
    return Written(journals.open("a-job"))


@pytest.fixture
def entries() -> Callable[..., list[Entry]]:
    def make(first: int, count: int, *, start_ms: int = 1_700_000_000_000, step_ms: int = 1) -> list[Entry]:
        return [Entry(start_ms + n * step_ms, f"line {n}", None, n + 1) for n in range(first, first + count)]

    return make
