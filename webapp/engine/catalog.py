"""The embedded engine's jobs, and who cancelled what, in `jobtail.sqlite3` of the data folder.

`serve` and any number of `run` have it open at once. Synchronous; any thread may call it. Every method may
raise JournalError, when the disk does not do as told.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..store.sqlite.database import Database
from .job import CANCELING, FAILED, LOST, RUNNING, Job, now_ms, silent
from .lock import RunnerLock

PROVED_SECONDS = 1.0  # how long a write proves that another would go well
SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    command TEXT NOT NULL,
    cwd TEXT NOT NULL,
    host TEXT NOT NULL,
    user TEXT NOT NULL,
    python TEXT NOT NULL,
    pid INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    heartbeat_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    state_ms INTEGER NOT NULL,
    exit_code INTEGER,
    detail TEXT NOT NULL DEFAULT '',
    cancel_ms INTEGER,
    cancel_who TEXT NOT NULL DEFAULT '',
    lost INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS job_created ON job (created_ms DESC, id DESC);
CREATE TABLE IF NOT EXISTS proof (only INTEGER PRIMARY KEY CHECK (only = 1), at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cancellation (
    job TEXT NOT NULL,
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    share TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS cancellation_job ON cancellation (job, at_ms);
"""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Who asked for a job's end, when (ms), from which address, and by which share (empty: an owner)."""

    job: str
    who: str
    at_ms: int
    address: str
    share: str


class Catalog:
    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self._db = Database(path, SCHEMA)
        self._proved = -PROVED_SECONDS

    def close(self) -> None:
        self._db.close()

    def writable(self) -> None:
        """JournalError where nothing can be written: asked at the start and by `/readyz`. What was written a second ago
        need not be written again."""
        now = time.monotonic()
        if now < self._proved + PROVED_SECONDS:
            return
        with self._db.writing() as db:
            db.execute("INSERT OR REPLACE INTO proof (only, at_ms) VALUES (1, ?)", (int(time.time() * 1000),))
        self._proved = now

    # --- jobs

    def create(self, job: Job) -> None:
        values = asdict(job) | {"command": json.dumps(job.command), "lost": int(job.lost)}
        values["state_ms"] = job.state_ms or job.created_ms
        columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        with self._db.writing() as db:
            db.execute(f"INSERT INTO job ({columns}) VALUES ({marks})", values)

    def get(self, job: str) -> Job | None:
        """The job; where its runner was found to be lost, as such, and that is written down."""
        row = self._db.row("SELECT * FROM job WHERE id = ?", (job,))
        return None if row is None else self._looked_after(_job(row))

    def newest(self, n: int, skip: int = 0) -> list[Job]:
        """Newest first."""
        order = "ORDER BY created_ms DESC, id DESC LIMIT ? OFFSET ?"
        rows = self._db.rows(f"SELECT * FROM job {order}", (n, skip))
        return [self._looked_after(_job(row)) for row in rows]

    def started(self, job: str, pid: int) -> None:
        with self._db.writing() as db:
            db.execute("UPDATE job SET pid = ? WHERE id = ?", (pid, job))

    def heartbeat(self, job: str, at_ms: int | None = None) -> bool:
        """The runner lives. True: it had been taken for lost meanwhile, and runs again."""
        with self._db.writing() as db:
            db.execute("UPDATE job SET heartbeat_ms = ? WHERE id = ?", (at_ms or now_ms(), job))
            return self._revive(db, job, at_ms or now_ms())

    def _revive(self, db: sqlite3.Connection, job: str, at_ms: int) -> bool:
        revived = db.execute(
            "UPDATE job SET lost = 0, detail = '', state_ms = ?,"
            " state = CASE WHEN cancel_ms IS NULL THEN ? ELSE ? END WHERE id = ? AND lost",
            (at_ms, RUNNING, CANCELING, job),
        )
        return revived.rowcount > 0

    def ended(self, job: str, state: str, exit_code: int | None, detail: str = "") -> None:
        at = now_ms()
        with self._db.writing() as db:
            db.execute(
                "UPDATE job SET state = ?, state_ms = ?, heartbeat_ms = ?, exit_code = ?, detail = ?,"
                " lost = 0 WHERE id = ?",
                (state, at, at, exit_code, detail, job),
            )

    def request_cancel(self, job: str, who: str = "") -> Job | None:
        """Asks the job's runner to end it. The first request is kept; one that has ended stays as it is."""
        current = self.get(job)
        if current is not None and not current.ended:
            with self._db.writing() as db:
                db.execute(
                    "UPDATE job SET cancel_ms = ?, cancel_who = ?, state = ?, state_ms = ?"
                    " WHERE id = ? AND cancel_ms IS NULL AND state = ?",
                    (now_ms(), who, CANCELING, now_ms(), job, RUNNING),
                )
        return self.get(job)

    def cancel_asked(self, job: str) -> str | None:
        """Who wants the job's end ("" for nobody in particular); None while nobody does."""
        row = self._db.row("SELECT cancel_who FROM job WHERE id = ? AND cancel_ms IS NOT NULL", (job,))
        return None if row is None else str(row[0])

    def forget(self, jobs: Iterable[str]) -> None:
        """Drops ended jobs, whose journals are gone."""
        with self._db.writing() as db:
            for job in jobs:
                db.execute("DELETE FROM job WHERE id = ? AND state NOT IN (?, ?)", (job, RUNNING, CANCELING))

    def _looked_after(self, job: Job) -> Job:
        at = now_ms()
        if not silent(job, at) or RunnerLock(self.folder, job.id).held():
            return job
        lost = replace(job, state=FAILED, state_ms=at, detail=LOST, lost=True)
        with self._db.writing() as db:
            db.execute(
                "UPDATE job SET state = ?, state_ms = ?, detail = ?, lost = 1 WHERE id = ? AND heartbeat_ms = ?",
                (lost.state, lost.state_ms, lost.detail, job.id, job.heartbeat_ms),
            )
        RunnerLock(self.folder, job.id).release()
        return lost

    # --- who cancelled what

    def record_cancel(self, job: str, who: str, at_ms: int, address: str = "", share: str | None = None) -> None:
        values = (job, who, at_ms, address, share or "")
        with self._db.writing() as db:
            db.execute("INSERT INTO cancellation VALUES (?, ?, ?, ?, ?)", values)

    def cancels(self, job: str) -> list[Cancellation]:
        """Oldest first."""
        rows = self._db.rows("SELECT * FROM cancellation WHERE job = ? ORDER BY at_ms, rowid", (job,))
        return [Cancellation(*row) for row in rows]


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    return Job(**values | {"command": tuple(json.loads(values["command"])), "lost": bool(values["lost"])})
