"""A search that has no time: each answer is a part, and the parts make the whole, from either end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.journal.walk import finish
from webapp.store.sqlite.journal import SqliteJournal
from webapp.stream.form import Form
from webapp.web import search

LINES = 20_000


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    journal = SqliteJournal(tmp_path / "job.sqlite3", "job", Redactor(()), beat_ms=1000)
    writer = journal.claim(600)
    for first in range(1, LINES + 1, 500):
        numbers = range(first, first + 500)
        writer.append([Entry(1_700_000_000_000 + n, "x" * 600 + f" line {n}", None, n) for n in numbers])
    return journal


@pytest.mark.parametrize(("after", "upto"), [(0, LINES), (777, 19_001), (5, 5), (9, 8)])
def test_the_parts_make_the_whole_from_either_end(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, after: int, upto: int
) -> None:
    monkeypatch.setattr(search, "SECONDS", 0.0)
    form = Form(format="ndjson", q="7")
    wanted = [n for n in range(after + 1, upto + 1) if "7" in str(n)]

    parts = [finish(search.scan(journal, form, after, upto, 300))]
    while not parts[-1].complete:
        parts.append(finish(search.scan(journal, form, parts[-1].scanned, upto, 300)))
    assert [json.loads(line)["line"] for part in parts for line in part.lines] == wanted
    assert sum(part.count for part in parts) == len(wanted)

    counts = [finish(search.scan(journal, form, after, upto, 0))]
    while not counts[-1].complete:
        counts.append(finish(search.scan(journal, form, counts[-1].scanned, upto, 0)))
    assert sum(part.count for part in counts) == len(wanted)
    assert not any(part.lines for part in counts)

    back = [finish(search.scan_back(journal, form, after, upto, 300))]
    while not back[-1].complete:
        back.append(finish(search.scan_back(journal, form, after, back[-1].scanned - 1, 300)))
    assert [json.loads(line)["line"] for part in reversed(back) for line in part.lines] == wanted
    if upto > 10_000:
        assert min(len(parts), len(counts), len(back)) > 2
