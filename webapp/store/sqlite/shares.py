"""The shared links that were made, in `jobtail.sqlite3`. What was revoked stays so if an older copy is put back."""

from __future__ import annotations

import sqlite3

from ...errors import Conflict
from ..share import KEPT_MS, Link, StoredShare
from .database import SqliteDatabase
from .ended import Ended


class SqliteShares:
    """Implements `store.base.Shares`. `reader`: a connection of its own, so that a look never waits for a write."""

    def __init__(self, writer: SqliteDatabase, reader: SqliteDatabase, ended: Ended) -> None:
        self._writer = writer
        self._reader = reader
        self._ended = ended

    def add(self, link: Link, note: str, made_by: str, at_ms: int, *, most: int) -> StoredShare:
        first, last = link.lines or (None, None)
        with self._writer.writing() as db:
            db.execute("DELETE FROM share WHERE ends_ms < ?", (at_ms - KEPT_MS,))
            live = db.execute(
                "SELECT count(*) FROM share WHERE job = ? AND revoked_ms IS NULL AND ends_ms > ?", (link.job, at_ms)
            ).fetchone()[0]
            if live >= most:
                raise Conflict(f"the job {link.job!r} has {live} links already: revoke some first")
            db.execute(
                "INSERT INTO share VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (link.id, link.job, first, last, link.can_cancel, note, made_by, at_ms, link.ends_ms),
            )
        return StoredShare(link, note, made_by, at_ms, None, None)

    def of_job(self, job: str) -> list[StoredShare]:
        rows = self._reader.rows("SELECT * FROM share WHERE job = ? ORDER BY made_ms DESC, rowid DESC", (job,))
        return [self._share(row) for row in rows]

    def get(self, share: str) -> StoredShare | None:
        row = self._reader.row("SELECT * FROM share WHERE id = ?", (share,))
        return None if row is None else self._share(row)

    def revoke(self, job: str, share: str, at_ms: int) -> bool:
        with self._writer.writing() as db:
            found = db.execute(
                "UPDATE share SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ? AND job = ? RETURNING ends_ms",
                (at_ms, share, job),
            ).fetchone()
        if found is not None:
            self._ended.add(share, at_ms, found[0])
        return found is not None

    def revoked(self, share: str) -> bool:
        if self._ended.at(share) is not None:
            return True
        return self._reader.row("SELECT 1 FROM share WHERE id = ? AND revoked_ms IS NULL", (share,)) is None

    def used(self, share: str, at_ms: int) -> None:
        with self._writer.writing() as db:
            db.execute("UPDATE share SET used_ms = ? WHERE id = ?", (at_ms, share))

    def _share(self, row: sqlite3.Row) -> StoredShare:
        lines = None if row["first_line"] is None else (row["first_line"], row["last_line"])
        link = Link(row["id"], row["job"], row["ends_ms"], bool(row["can_cancel"]), lines)
        revoked_ms = self._ended.at(link.id) if row["revoked_ms"] is None else row["revoked_ms"]
        return StoredShare(link, row["note"], row["made_by"], row["made_ms"], revoked_ms, row["used_ms"])


class SqliteSessions:
    """Implements `store.base.Sessions`."""

    def __init__(self, writer: SqliteDatabase, reader: SqliteDatabase, ended: Ended) -> None:
        self._writer = writer
        self._reader = reader
        self._ended = ended

    def end(self, session: str, ends_ms: int, at_ms: int) -> None:
        with self._writer.writing() as db:
            db.execute("DELETE FROM ended_session WHERE ends_ms < ?", (at_ms,))
            db.execute("INSERT OR IGNORE INTO ended_session VALUES (?, ?)", (session, ends_ms))
        self._ended.add(session, at_ms, ends_ms)

    def ended(self, session: str) -> bool:
        if self._ended.at(session) is not None:
            return True
        return self._reader.row("SELECT 1 FROM ended_session WHERE id = ?", (session,)) is not None
