"""One PostgreSQL beside one SQLite file: what a shared store costs. Through the store's seam, in one process."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from table import Row

ROOT = Path(__file__).parent.parent.parent
PIECE = 5_000


@contextmanager
def stores() -> Iterator[dict[str, Any]]:
    sys.path.insert(0, str(ROOT))
    from tests.postgres import cluster
    from webapp.journal.redact import Redactor
    from webapp.settings import REDACT
    from webapp.store.postgres.store import PostgresStore
    from webapp.store.sqlite.store import SqliteStore

    redactor = Redactor(REDACT)
    # With what a commit costs, as the file has it.
    with tempfile.TemporaryDirectory() as folder, cluster(fsync="on") as server:
        held = {
            "SQLite": SqliteStore(Path(folder), redactor),
            "PostgreSQL": PostgresStore(server.database("bench"), redactor),
        }
        try:
            yield held
        finally:
            for store in held.values():
                store.close()


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def figures_of(store: Any, one_by_one: list[Any], pieces: list[Any]) -> dict[str, float]:
    """Of a job that writes a line at a time, and of one whose long log comes at once."""
    slow, journal = store.journals.open("slow").claim(600), store.journals.open("long")
    writer, lines, looks = journal.claim(600), sum(map(len, pieces)), len(one_by_one)

    def look() -> None:
        for _ in range(looks):
            store.journals.changes({"long": ("", 0)})

    return {
        "appends/s": len(one_by_one) / seconds(lambda: [slow.append(each) for each in one_by_one]),
        "lines written/s": lines / seconds(lambda: [writer.append(each) for each in pieces]),
        "lines read/s": lines / seconds(lambda: read(journal, lines)),
        "looks for a change/s": looks / seconds(look),
    }


def measure(quick: bool) -> list[Row]:
    from webapp.journal.line import Entry

    lines, appends = (50_000, 200) if quick else (1_000_000, 2_000)
    figures: dict[str, dict[str, float]] = {}

    def entries(first: int, count: int) -> list[Entry]:
        text = "line {} of a job that reads partition {} of the data, in 0.{} s"
        return [
            Entry(1_700_000_000_000 + n, text.format(n, n % 97, n % 1000), None, n) for n in range(first, first + count)
        ]

    with stores() as held:
        for name, store in held.items():
            figures[name] = figures_of(store, [entries(n, 1) for n in range(1, appends + 1)],
                                       [entries(n, PIECE) for n in range(1, lines, PIECE)])  # fmt: skip
    return [
        Row(
            f"PostgreSQL, one small server: {what}",
            f"{figures['PostgreSQL'][what]:,.0f}",
            f"SQLite {figures['SQLite'][what]:,.0f}",
            f"{figures['PostgreSQL'][what] / figures['SQLite'][what]:.2f}",
        )
        for what in figures["SQLite"]
    ]


def read(journal: Any, lines: int) -> None:
    at = 0
    while at < lines:
        at = journal.read(at)[-1].last
