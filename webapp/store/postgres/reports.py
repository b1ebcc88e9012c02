"""Who reports which job."""

from __future__ import annotations

from collections.abc import Iterable

from ..report import Report
from .database import PostgresDatabase
from .tables import stored


class PostgresReports:
    """Implements `store.base.Reports`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def begin(self, report: Report) -> Report:
        self._db.write(
            "INSERT INTO jobtail.report AS known VALUES (%s, %s, %s, %s) ON CONFLICT (job)"
            " DO UPDATE SET epoch = greatest(known.epoch, excluded.epoch) WHERE known.producer = excluded.producer",
            (report.job, report.producer, report.epoch, stored(report.begun_by)),
        )
        return self.get(report.job) or report

    def get(self, job: str) -> Report | None:
        rows = self._db.read("SELECT job, producer, epoch, begun_by FROM jobtail.report WHERE job = %s", (job,))
        return Report(*rows[0]) if rows else None

    def forget(self, jobs: Iterable[str]) -> None:
        self._db.write("DELETE FROM jobtail.report WHERE job = ANY(%s)", (list(jobs),))
