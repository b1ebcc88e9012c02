"""What is known of a job's journal as a whole: its one row in `state`."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import orjson

COLUMNS = (
    "epoch, last_line, trimmed_to, high_ms, status, upstream, finished, complete, revision, holder, held_until, out_ms"
)


@dataclass(frozen=True, slots=True)
class State:
    """`high_ms`: greatest timestamp of any line, -1 for none. `status`: a RunStatus as JSON, None before the
    first. `upstream`: the data of the `upstream` event. `finished`: nothing more is expected. `complete`: reconciled
    with the source's whole log; None before the end. `revision` grows with every change. `held_until`: s, wall clock.
    `out_ms`: as `high_ms`, but for timestamps that lay in the future when they came."""

    epoch: str
    last_line: int
    trimmed_to: int
    high_ms: int
    status: dict[str, Any] | None
    upstream: dict[str, Any] | None
    finished: bool
    complete: bool | None
    revision: int
    holder: str
    held_until: float
    out_ms: int = -1


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
