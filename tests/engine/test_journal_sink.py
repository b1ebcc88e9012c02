"""The journal of this machine as a sink."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from webapp.engine.journal_sink import JournalLines
from webapp.errors import JournalError
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journals import SqliteJournals


def test_a_journal_that_can_be_read_and_not_written_is_not_ready(tmp_path: Path) -> None:
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    lines = JournalLines(lambda: journals.open("a-job"))
    place = lines.ready(unsure=True)
    with contextlib.closing(sqlite3.connect(journals.path("a-job"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError):
            lines.ready(unsure=True)
    assert lines.ready(unsure=True) == place
    journals.close()
