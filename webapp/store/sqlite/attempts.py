"""Who tried wrong tokens, for all processes on one data folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..tried import FORGET_SECONDS, MOST, Tried
from .clock import Clock
from .database import SqliteDatabase


class SqliteAttempts:
    """Implements `store.base.Attempts`. `database`: one that waits for no disk, since nothing of it has to last."""

    def __init__(self, database: SqliteDatabase, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def failed(self, kind: str, counts: Mapping[str, int], known: Collection[str]) -> None:
        boot, now = self._clock.boot, self._clock.seconds()
        rows = [(kind, address, count, boot, now, address in known) for address, count in counts.items()]
        with self._db.writing() as db:
            db.execute("DELETE FROM attempt WHERE at < ? OR boot != ?", (now - FORGET_SECONDS, boot))
            db.executemany(
                "INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, address) DO UPDATE SET"
                " failures = failures + excluded.failures, at = excluded.at, known = max(known, excluded.known)",
                rows,
            )
            db.execute(
                "DELETE FROM attempt WHERE at <= (SELECT at FROM attempt ORDER BY at DESC LIMIT 1 OFFSET ?)", (MOST,)
            )

    def succeeded(self, kind: str, addresses: Collection[str]) -> None:
        with self._db.writing() as db:
            db.executemany(
                "UPDATE attempt SET failures = 0, known = 1 WHERE kind = ? AND address = ?",
                [(kind, address) for address in addresses],
            )

    def of(self, kind: str, addresses: Collection[str]) -> dict[str, Tried]:
        boot, now = self._clock.boot, self._clock.seconds()
        found: dict[str, Tried] = {}
        for address in addresses:
            row = self._db.row(
                "SELECT failures, at, known FROM attempt WHERE kind = ? AND address = ? AND boot = ? AND at >= ?",
                (kind, address, boot, now - FORGET_SECONDS),
            )
            if row is not None:
                found[address] = Tried(row[0], max(0.0, now - row[1]), bool(row[2]))
        return found
