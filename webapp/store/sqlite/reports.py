"""Who reports which job, in `jobtail.sqlite3`."""

from __future__ import annotations

from collections.abc import Iterable

from ..report import Report
from .database import SqliteDatabase

_REPORT = "SELECT job, producer, epoch, begun_by FROM report WHERE job = ?"


class SqliteReports:
    """Implements `store.base.Reports`."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._db = database

    def begin(self, report: Report) -> Report:
        with self._db.writing() as db:
            db.execute(
                "INSERT INTO report VALUES (?, ?, ?, ?) ON CONFLICT (job)"
                " DO UPDATE SET epoch = max(epoch, excluded.epoch) WHERE producer = excluded.producer",
                (report.job, report.producer, report.epoch, report.begun_by),
            )
            row = db.execute(
                "SELECT job, producer, epoch, begun_by FROM report WHERE job = ?", (report.job,)
            ).fetchone()
        return Report(*row)

    def get(self, job: str) -> Report | None:
        row = self._db.row(_REPORT, (job,))
        return None if row is None else Report(*row)

    def forget(self, jobs: Iterable[str]) -> None:
        with self._db.writing() as db:
            db.executemany("DELETE FROM report WHERE job = ?", [(job,) for job in jobs])
