"""What spans jobs: the embedded engine's jobs, cancellations, links, sign-ins that ended, who watches what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from ...errors import Conflict
from ..job import CANCELING, RUNNING, Cancellation, Job
from ..share import KEPT_MS, Link, StoredShare
from .database import PostgresDatabase

NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_COLUMNS = [field.name for field in fields(Job)]
_NAMES = ", ".join(f'"{name}"' for name in _COLUMNS)


def stored(value: Any) -> Any:
    """A text as PostgreSQL takes it: without NUL."""
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value


class PostgresCatalog:
    """Implements `store.base.Catalog`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def now_ms(self) -> int:
        return int(self._db.read(f"SELECT {NOW_MS}")[0][0])

    def put(self, job: Job) -> None:
        values = asdict(job) | {"command": json.dumps(job.command), "state_ms": job.state_ms or job.created_ms}
        marks = ", ".join(f"%({name})s" for name in _COLUMNS)
        kept = ", ".join(f'"{name}" = excluded."{name}"' for name in _COLUMNS if name != "id")
        self._db.write(
            f"INSERT INTO jobtail.job ({_NAMES}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {kept}",
            {name: stored(value) for name, value in values.items()},
        )

    def get(self, job: str) -> Job | None:
        rows = self._db.read(f"SELECT {_NAMES} FROM jobtail.job WHERE id = %s", (job,))
        return _job(rows[0]) if rows else None

    def newest(self, n: int, skip: int = 0) -> list[Job]:
        order = "ORDER BY created_ms DESC, id DESC LIMIT %s OFFSET %s"
        return [_job(row) for row in self._db.read(f"SELECT {_NAMES} FROM jobtail.job {order}", (n, skip))]

    def started(self, job: str, pid: int) -> None:
        self._db.write("UPDATE jobtail.job SET pid = %s WHERE id = %s", (pid, job))

    def heartbeat(self, job: str) -> bool | None:
        rows = self._db.write(
            f"WITH was AS (SELECT id, lost FROM jobtail.job WHERE id = %(job)s FOR UPDATE)"
            f" UPDATE jobtail.job j SET heartbeat_ms = {NOW_MS}, lost = false,"
            f" state_ms = CASE WHEN was.lost THEN {NOW_MS} ELSE state_ms END,"
            " detail = CASE WHEN was.lost THEN '' ELSE detail END, state = CASE WHEN NOT was.lost THEN state"
            " WHEN cancel_ms IS NULL THEN %(running)s ELSE %(canceling)s END FROM was WHERE j.id = was.id"
            " RETURNING was.lost",
            {"job": job, "running": RUNNING, "canceling": CANCELING},
        )
        return bool(rows[0][0]) if rows else None

    def ended(self, job: str, state: str, exit_code: int | None, detail: str) -> bool:
        rows = self._db.write(
            f"UPDATE jobtail.job SET state = %s, state_ms = {NOW_MS}, heartbeat_ms = {NOW_MS}, exit_code = %s,"
            " detail = %s, lost = false WHERE id = %s RETURNING 1",
            (state, exit_code, stored(detail), job),
        )
        return bool(rows)

    def lost(self, job: Job) -> None:
        self._db.write(
            "UPDATE jobtail.job SET state = %s, state_ms = %s, detail = %s, lost = true"
            " WHERE id = %s AND heartbeat_ms = %s",
            (job.state, job.state_ms, stored(job.detail), job.id, job.heartbeat_ms),
        )

    def request_cancel(self, job: str, who: str) -> None:
        self._db.write(
            f"UPDATE jobtail.job SET cancel_ms = {NOW_MS}, cancel_who = %s, state = %s, state_ms = {NOW_MS}"
            " WHERE id = %s AND cancel_ms IS NULL AND state = %s",
            (stored(who), CANCELING, job, RUNNING),
        )

    def cancel_asked(self, job: str) -> str | None:
        rows = self._db.read("SELECT cancel_who FROM jobtail.job WHERE id = %s AND cancel_ms IS NOT NULL", (job,))
        return str(rows[0][0]) if rows else None

    def forget(self, jobs: Iterable[str]) -> None:
        self._db.write(
            "DELETE FROM jobtail.job WHERE id = ANY(%s) AND state NOT IN (%s, %s)", (list(jobs), RUNNING, CANCELING)
        )


class PostgresCancellations:
    """Implements `store.base.Cancellations`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def record(self, cancellation: Cancellation) -> None:
        self._db.write(
            "INSERT INTO jobtail.cancellation (job, who, at_ms, address, share)"
            " VALUES (%(job)s, %(who)s, %(at_ms)s, %(address)s, %(share)s)",
            {name: stored(value) for name, value in asdict(cancellation).items()},
        )

    def of_job(self, job: str) -> list[Cancellation]:
        rows = self._db.read(
            "SELECT job, who, at_ms, address, share FROM jobtail.cancellation WHERE job = %s ORDER BY at_ms, number",
            (job,),
        )
        return [Cancellation(*row) for row in rows]


class PostgresShares:
    """Implements `store.base.Shares`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def add(self, link: Link, note: str, made_by: str, at_ms: int, *, most: int) -> StoredShare:
        self._db.transaction(lambda connection: self._added(connection, link, note, made_by, at_ms, most))
        return StoredShare(link, note, made_by, at_ms, None, None)

    @staticmethod
    def _added(connection: Any, link: Link, note: str, made_by: str, at_ms: int, most: int) -> None:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('jobtail.share.' || %s, 0))", (link.job,))
        connection.execute("DELETE FROM jobtail.share WHERE ends_ms < %s", (at_ms - KEPT_MS,))
        (live,) = connection.execute(
            "SELECT count(*) FROM jobtail.share WHERE job = %s AND revoked_ms IS NULL AND ends_ms > %s",
            (link.job, at_ms),
        ).fetchone()
        if live >= most:
            raise Conflict(f"the job {link.job!r} has {live} links already: revoke some first")
        first, last = link.lines or (None, None)
        connection.execute(
            "INSERT INTO jobtail.share (id, job, first_line, last_line, can_cancel, note, made_by, made_ms, ends_ms)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (link.id, link.job, first, last, link.can_cancel, stored(note), stored(made_by), at_ms, link.ends_ms),
        )

    def of_job(self, job: str) -> list[StoredShare]:
        rows = self._db.read(f"{_SHARE} WHERE job = %s ORDER BY made_ms DESC, number DESC", (job,))
        return [_share(row) for row in rows]

    def get(self, share: str) -> StoredShare | None:
        rows = self._db.read(f"{_SHARE} WHERE id = %s", (share,))
        return _share(rows[0]) if rows else None

    def revoke(self, job: str, share: str, at_ms: int) -> bool:
        rows = self._db.write(
            "UPDATE jobtail.share SET revoked_ms = coalesce(revoked_ms, %s) WHERE id = %s AND job = %s RETURNING 1",
            (at_ms, share, job),
        )
        return bool(rows)

    def revoked(self, share: str) -> bool:
        return not self._db.read("SELECT 1 FROM jobtail.share WHERE id = %s AND revoked_ms IS NULL", (share,))

    def used(self, share: str, at_ms: int) -> None:
        self._db.write("UPDATE jobtail.share SET used_ms = %s WHERE id = %s", (at_ms, share))


_SHARE = (
    "SELECT id, job, ends_ms, can_cancel, first_line, last_line, note, made_by, made_ms, revoked_ms, used_ms"
    " FROM jobtail.share"
)


def _share(row: tuple[Any, ...]) -> StoredShare:
    share, job, ends_ms, can_cancel, first, last, *rest = row
    return StoredShare(Link(share, job, ends_ms, can_cancel, None if first is None else (first, last)), *rest)


class PostgresSessions:
    """Implements `store.base.Sessions`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def end(self, session: str, ends_ms: int, at_ms: int) -> None:
        self._db.write(
            "WITH old AS (DELETE FROM jobtail.ended_session WHERE ends_ms < %s)"
            " INSERT INTO jobtail.ended_session VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (at_ms, session, ends_ms),
        )

    def ended(self, session: str) -> bool:
        return bool(self._db.read("SELECT 1 FROM jobtail.ended_session WHERE id = %s", (session,)))


class PostgresPresence:
    """Implements `store.base.Presence`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def announce(self, process: str, viewers: Mapping[str, int], seconds: float) -> None:
        counts = {job: count for job, count in viewers.items() if count}
        self._db.write(
            "WITH gone AS (DELETE FROM jobtail.presence WHERE until < clock_timestamp()"
            " OR (process = %(process)s AND job <> ALL(%(jobs)s)))"
            " INSERT INTO jobtail.presence SELECT %(process)s, job, viewers, clock_timestamp() + %(seconds)s * interval"
            " '1 second' FROM unnest(%(jobs)s::text[], %(counts)s::integer[]) AS announced (job, viewers)"
            " ON CONFLICT (process, job) DO UPDATE SET viewers = excluded.viewers, until = excluded.until",
            {"process": process, "jobs": list(counts), "counts": list(counts.values()), "seconds": seconds},
        )

    def counts(self, jobs: Iterable[str]) -> dict[str, int]:
        rows = self._db.read(
            "SELECT job, sum(viewers)::integer FROM jobtail.presence WHERE job = ANY(%s) AND until >= clock_timestamp()"
            " GROUP BY job", (list(jobs),)
        )  # fmt: skip
        return {str(job): int(count) for job, count in rows}


def _job(row: tuple[Any, ...]) -> Job:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Job(**values | {"command": tuple(json.loads(values["command"]))})
