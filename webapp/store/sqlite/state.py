"""The one row in `state`: what is known of a job's journal as a whole, and who has its lease."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from ...journal.state import State
from .clock import Clock, StoredLease

COLUMNS = (
    "epoch, last_line, trimmed_to, high_ms, status, upstream, finished, complete, revision, out_ms, partial,"
    " token, holder, held_boot, held_until, held_for"
)


def load_fenced(db: sqlite3.Connection, clock: Clock) -> tuple[State, int]:
    """The state, and the token of the newest lease, as of one moment."""
    row = one(db, COLUMNS)
    epoch, last_line, trimmed_to, high_ms, status, upstream, finished, complete, revision, out_ms, partial = row[:11]
    lease = StoredLease(*row[12:])
    state = State(
        epoch, last_line, trimmed_to, high_ms, _loaded(status), _loaded(upstream), bool(finished),
        None if complete is None else bool(complete), revision, lease.left(clock) > 0, lease.holder, out_ms,
        _loaded(partial),
    )  # fmt: skip
    return state, row[11]


def load_lease(db: sqlite3.Connection) -> StoredLease:
    return StoredLease(*one(db, "holder, held_boot, held_until, held_for"))


def one(db: sqlite3.Connection, columns: str) -> tuple[Any, ...]:
    try:
        row: tuple[Any, ...] | None = db.execute(f"SELECT {columns} FROM state").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        row = None  # a file that was cut off, or whose WAL was taken away
    if row is None:
        raise _NoState("the journal has no state row")
    return row


class _NoState(sqlite3.DatabaseError):
    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _loaded(text: str | None) -> dict[str, Any] | None:
    value: dict[str, Any] | None = orjson.loads(text) if text else None
    return value
