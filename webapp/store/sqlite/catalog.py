"""The embedded engine's jobs, who cancelled what, and who watches what, in `jobtail.sqlite3`.

`serve` and any number of `run` have it open at once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from ..job import CANCELING, RUNNING, Cancellation, Job
from .clock import Clock
from .database import SqliteDatabase


class SqliteCatalog:
    """Implements `store.base.Catalog`."""

    def __init__(self, database: SqliteDatabase, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def now_ms(self) -> int:
        return self._clock.wall_ms()

    def put(self, job: Job) -> None:
        values = asdict(job) | {"command": json.dumps(job.command), "lost": int(job.lost)}
        values["state_ms"] = job.state_ms or job.created_ms
        columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        with self._db.writing() as db:
            db.execute(f"INSERT OR REPLACE INTO job ({columns}) VALUES ({marks})", values)

    def get(self, job: str) -> Job | None:
        row = self._db.row("SELECT * FROM job WHERE id = ?", (job,))
        return None if row is None else _job(row)

    def newest(self, n: int, skip: int = 0) -> list[Job]:
        order = "ORDER BY created_ms DESC, id DESC LIMIT ? OFFSET ?"
        return [_job(row) for row in self._db.rows(f"SELECT * FROM job {order}", (n, skip))]

    def started(self, job: str, pid: int) -> None:
        with self._db.writing() as db:
            db.execute("UPDATE job SET pid = ? WHERE id = ?", (pid, job))

    def heartbeat(self, job: str) -> bool | None:
        at_ms = self.now_ms()
        with self._db.writing() as db:
            if not db.execute("UPDATE job SET heartbeat_ms = ? WHERE id = ?", (at_ms, job)).rowcount:
                return None
            revived = db.execute(
                "UPDATE job SET lost = 0, detail = '', state_ms = ?,"
                " state = CASE WHEN cancel_ms IS NULL THEN ? ELSE ? END WHERE id = ? AND lost",
                (at_ms, RUNNING, CANCELING, job),
            )
            return revived.rowcount > 0

    def ended(self, job: str, state: str, exit_code: int | None, detail: str) -> bool:
        at_ms = self.now_ms()
        with self._db.writing() as db:
            found = db.execute(
                "UPDATE job SET state = ?, state_ms = ?, heartbeat_ms = ?, exit_code = ?, detail = ?,"
                " lost = 0 WHERE id = ?",
                (state, at_ms, at_ms, exit_code, detail, job),
            )
            return found.rowcount > 0

    def lost(self, job: Job) -> None:
        with self._db.writing() as db:
            db.execute(
                "UPDATE job SET state = ?, state_ms = ?, detail = ?, lost = 1 WHERE id = ? AND heartbeat_ms = ?",
                (job.state, job.state_ms, job.detail, job.id, job.heartbeat_ms),
            )

    def request_cancel(self, job: str, who: str) -> None:
        at_ms = self.now_ms()
        with self._db.writing() as db:
            db.execute(
                "UPDATE job SET cancel_ms = ?, cancel_who = ?, state = ?, state_ms = ?"
                " WHERE id = ? AND cancel_ms IS NULL AND state = ?",
                (at_ms, who, CANCELING, at_ms, job, RUNNING),
            )

    def cancel_asked(self, job: str) -> str | None:
        row = self._db.row("SELECT cancel_who FROM job WHERE id = ? AND cancel_ms IS NOT NULL", (job,))
        return None if row is None else str(row[0])

    def forget(self, jobs: Iterable[str]) -> None:
        with self._db.writing() as db:
            for job in jobs:
                db.execute("DELETE FROM job WHERE id = ? AND state NOT IN (?, ?)", (job, RUNNING, CANCELING))


class SqliteCancellations:
    """Implements `store.base.Cancellations`."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._db = database

    def record(self, cancellation: Cancellation) -> None:
        with self._db.writing() as db:
            db.execute("INSERT INTO cancellation VALUES (:job, :who, :at_ms, :address, :share)", asdict(cancellation))

    def of_job(self, job: str) -> list[Cancellation]:
        rows = self._db.rows("SELECT * FROM cancellation WHERE job = ? ORDER BY at_ms, rowid", (job,))
        return [Cancellation(*row) for row in rows]


class SqlitePresence:
    """Implements `store.base.Presence`. `database`: one that waits for no disk, since nothing of it has to last."""

    def __init__(self, database: SqliteDatabase, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def announce(self, process: str, viewers: Mapping[str, int], seconds: float) -> None:
        boot, now = self._clock.boot, self._clock.seconds()
        with self._db.writing() as db:
            db.execute("DELETE FROM presence WHERE process = ? OR until < ? OR boot != ?", (process, now, boot))
            rows = [(process, job, count, boot, now + seconds) for job, count in viewers.items() if count]
            db.executemany("INSERT INTO presence VALUES (?, ?, ?, ?, ?)", rows)

    def counts(self, jobs: Iterable[str]) -> dict[str, int]:
        asked = set(jobs)
        rows = self._db.rows(
            "SELECT job, sum(viewers) FROM presence WHERE until >= ? AND boot = ? GROUP BY job",
            (self._clock.seconds(), self._clock.boot),
        )
        return {job: count for job, count in rows if job in asked}


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    return Job(**values | {"command": tuple(json.loads(values["command"])), "lost": bool(values["lost"])})
