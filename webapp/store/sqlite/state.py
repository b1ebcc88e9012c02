"""The one row in `state`: what is known of a job's journal as a whole."""

from __future__ import annotations

import sqlite3

import orjson

from ...journal.state import State

COLUMNS = (
    "epoch, last_line, trimmed_to, high_ms, status, upstream, finished, complete, revision, holder, held_until, out_ms"
)


def load_state(db: sqlite3.Connection) -> State:
    row = db.execute(f"SELECT {COLUMNS} FROM state").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("the journal has no state row")
    epoch, last_line, trimmed_to, high_ms, status, upstream, finished, complete, revision, *others = row
    return State(
        epoch, last_line, trimmed_to, high_ms,
        orjson.loads(status) if status else None, orjson.loads(upstream) if upstream else None,
        bool(finished), None if complete is None else bool(complete), revision, *others,
    )  # fmt: skip
