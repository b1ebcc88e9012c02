"""The shared links that were made, and the sign-ins that were ended, in `jobtail.sqlite3` of the data folder.

Synchronous; any thread may call it. JournalError when the disk does not do as told.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import Conflict
from ..store.share import Link
from ..store.sqlite.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS share (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    first_line INTEGER,
    last_line INTEGER,
    can_cancel INTEGER NOT NULL,
    note TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    revoked_ms INTEGER,
    used_ms INTEGER
);
CREATE INDEX IF NOT EXISTS share_job ON share (job, made_ms);
CREATE TABLE IF NOT EXISTS ended_session (id TEXT PRIMARY KEY, ends_ms INTEGER NOT NULL);
"""

MAX_LIVE = 500  # links of one job that work at once
KEPT_MS = 30 * 86_400_000  # an ended link stays in the list that long
BELIEVED_SECONDS = 1.0
USED_EVERY_SECONDS = 30.0
MAX_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    link: Link
    note: str
    made_by: str
    made_ms: int
    revoked_ms: int | None
    used_ms: int | None

    def works(self, now_ms: int) -> bool:
        return self.revoked_ms is None and now_ms < self.link.ends_ms


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Shares:
    """Asks the file about an id at most once a second: another process may have revoked it."""

    def __init__(self, path: Path) -> None:
        self._writer = Database(path, SCHEMA)
        self._reader = Database(path, SCHEMA)  # so that a look never waits for a write
        self._links: dict[str, tuple[float, bool]] = {}
        self._sessions: dict[str, tuple[float, bool]] = {}
        self._used: dict[str, float] = {}

    def close(self) -> None:
        self._writer.close()
        self._reader.close()

    # --- shares

    def add(self, link: Link, note: str, made_by: str) -> Share:
        """Conflict when the job has MAX_LIVE links that work."""
        now = now_ms()
        first, last = link.lines or (None, None)
        with self._writer.writing() as db:
            db.execute("DELETE FROM share WHERE ends_ms < ?", (now - KEPT_MS,))
            live = db.execute(
                "SELECT count(*) FROM share WHERE job = ? AND revoked_ms IS NULL AND ends_ms > ?", (link.job, now)
            ).fetchone()[0]
            if live >= MAX_LIVE:
                raise Conflict(f"the job {link.job!r} has {live} links already: revoke some first")
            db.execute(
                "INSERT INTO share VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (link.id, link.job, first, last, link.can_cancel, note, made_by, now, link.ends_ms),
            )
        return Share(link, note, made_by, now, None, None)

    def of_job(self, job: str) -> list[Share]:
        """Newest first; ended and revoked ones too."""
        rows = self._reader.rows("SELECT * FROM share WHERE job = ? ORDER BY made_ms DESC, rowid DESC", (job,))
        return [_share(dict(row)) for row in rows]

    def get(self, share: str) -> Share | None:
        row = self._reader.row("SELECT * FROM share WHERE id = ?", (share,))
        return None if row is None else _share(dict(row))

    def revoke(self, job: str, share: str) -> bool:
        """False where this job never had such a link. Revoking again changes nothing."""
        with self._writer.writing() as db:
            found = db.execute(
                "UPDATE share SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ? AND job = ?", (now_ms(), share, job)
            ).rowcount
        self._links.pop(share, None)
        return found > 0

    def revoked(self, share: str) -> bool:
        """True for an id that we do not know, too: a lost list must not bring revoked links back."""
        return self._believed(
            self._links, share, "SELECT 1 FROM share WHERE id = ? AND revoked_ms IS NULL", missing=True
        )

    def unnoted(self, share: str) -> bool:
        """Whether the link's last use is old enough to be noted anew: a look a request would be a write a request."""
        return time.monotonic() - self._used.get(share, -USED_EVERY_SECONDS) >= USED_EVERY_SECONDS

    def used(self, share: str) -> None:
        if len(self._used) > MAX_KNOWN:
            self._used.clear()
        self._used[share] = time.monotonic()
        with self._writer.writing() as db:
            db.execute("UPDATE share SET used_ms = ? WHERE id = ?", (now_ms(), share))

    # --- sessions

    def end_session(self, session: str, ends_ms: int) -> None:
        """Signed out: the cookie works no more, wherever a copy of it is."""
        with self._writer.writing() as db:
            db.execute("DELETE FROM ended_session WHERE ends_ms < ?", (now_ms(),))
            db.execute("INSERT OR IGNORE INTO ended_session VALUES (?, ?)", (session, ends_ms))
        self._sessions.pop(session, None)

    def session_ended(self, session: str) -> bool:
        return self._believed(self._sessions, session, "SELECT 1 FROM ended_session WHERE id = ?", missing=False)

    def _believed(self, known: dict[str, tuple[float, bool]], key: str, sql: str, *, missing: bool) -> bool:
        """`missing` where the query finds no row, else its opposite; as of a second ago at most."""
        now = time.monotonic()
        at, value = known.get(key, (-1e9, False))
        if now - at < BELIEVED_SECONDS:
            return value
        value = (self._reader.row(sql, (key,)) is None) is missing
        if len(known) >= MAX_KNOWN:
            known.clear()
        known[key] = (now, value)
        return value


def new_id() -> str:
    return secrets.token_hex(8)


def _share(row: dict[str, object]) -> Share:
    lines = None if row["first_line"] is None else (_int(row["first_line"]), _int(row["last_line"]))
    link = Link(str(row["id"]), str(row["job"]), _int(row["ends_ms"]), bool(row["can_cancel"]), lines)
    revoked, used = row["revoked_ms"], row["used_ms"]
    return Share(
        link,
        str(row["note"]),
        str(row["made_by"]),
        _int(row["made_ms"]),
        None if revoked is None else _int(revoked),
        None if used is None else _int(used),
    )


def _int(value: object) -> int:
    return int(str(value))
