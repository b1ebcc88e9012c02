"""A data folder that an earlier version wrote is taken over with all that it holds.

`folder0.sql` is what the code of before wrote into `jobtail.sqlite3`, when that file bore no version.
"""

from __future__ import annotations

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from webapp.journal.redact import Redactor
from webapp.store.report import Report
from webapp.store.sqlite.database import VERSION
from webapp.store.sqlite.store import SqliteStore


def written(folder: Path) -> Path:
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "jobtail.sqlite3")) as db:
        db.executescript((Path(__file__).parent / "folder0.sql").read_text())
    return folder


def version_of(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "jobtail.sqlite3")) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_what_a_folder_of_an_earlier_version_holds_is_all_there(tmp_path: Path) -> None:
    folder = written(tmp_path / "data")
    assert version_of(folder) == 0
    store = SqliteStore(folder, Redactor(()))
    try:
        job = store.catalog.get("a-job")
        assert job is not None and job.command == ("echo", "hi") and store.catalog.newest(5) == [job]
        assert [found.who for found in store.cancellations.of_job("a-job")] == ["ada"]
        assert not store.shares.revoked("a-share") and store.shares.revoked("gone")
        assert {found.link.id: found.link.lines for found in store.shares.of_job("a-job")} == {
            "a-share": (3, 5), "gone": None,
        }  # fmt: skip
        assert store.sessions.ended("signed-out")
        assert store.reports.begin(Report("new", "ci.p1", 1)).producer == "ci.p1"
        store.attempts.failed("token", {"a": 1}, set())
    finally:
        store.close()
    assert version_of(folder) == VERSION


def test_several_processes_take_it_over_at_once(tmp_path: Path) -> None:
    folder = written(tmp_path / "data")

    def start(_: int) -> int:
        store = SqliteStore(folder, Redactor(()))
        try:
            return len(store.catalog.newest(5))
        finally:
            store.close()

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(start, range(6))) == [1] * 6
