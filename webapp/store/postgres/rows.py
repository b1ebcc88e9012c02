"""How new lines become rows, as columns of arrays: one statement adds them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...journal.batch import MAX_LINES, Batch
from ...journal.encoding import Written
from ...journal.keys import pack_keys, signed

# A row that holds less is merged with its neighbours after a while.
SMALL_BYTES = 16 << 10
BATCH = (
    "first", "last", "low_ms", "high_ms", "peak_ms", "longest", "bytes", "debug", "info", "warning", "error",
    "epoch", "marks", "times", "lines",
)  # fmt: skip
_TYPES = ("bigint",) * 5 + ("integer",) * 6 + ("text",) + ("bytea",) * 3
TRACE = ("first", "low_ms", "high_ms", "times", "keys")
_TRACE_TYPES = ("bigint",) * 3 + ("bytea",) * 2


def _adding(table: str, columns: Sequence[str], types: Sequence[str]) -> str:
    """Adds rows of `head`'s job, given as one array a column."""
    arrays = ", ".join(f"%({table}_{name})s::{kind}[]" for name, kind in zip(columns, types, strict=True))
    names = ", ".join(columns)
    return (
        f"INSERT INTO jobtail.{table} (data, {names}) SELECT head.data, added.*"
        f" FROM head, unnest({arrays}) AS added ({names})"
    )


ADD_BATCHES = _adding("batch", BATCH, _TYPES)
ADD_TRACE = _adding("trace", TRACE, _TRACE_TYPES)
ADD_UNTIMED = (
    "INSERT INTO jobtail.untimed (data, key, n) SELECT head.data, added.key, count(*)::integer"
    " FROM head, unnest(%(untimed)s::bigint[]) AS added (key) GROUP BY 1, 2"
    " ON CONFLICT (data, key) DO UPDATE SET n = jobtail.untimed.n + excluded.n"
)


def small(batch: Batch) -> bool:
    return len(batch) < MAX_LINES and len(batch.lines) < SMALL_BYTES


def columns(batches: Sequence[Batch], epoch: str, peak_ms: int) -> tuple[dict[str, list[Any]], int]:
    """The values of `ADD_BATCHES`, and the greatest timestamp up to the last of them."""
    rows = []
    for batch in batches:
        times = batch.timestamps()
        peak_ms = max(peak_ms, max(times))
        rows.append((
            batch.first, batch.last, min(times), max(times), peak_ms, batch.longest, len(batch.lines), *batch.loud(),
            epoch, batch.marks, batch.times, batch.lines,
        ))  # fmt: skip
    return {f"batch_{name}": list(column) for name, column in zip(BATCH, zip(*rows, strict=True), strict=True)}, peak_ms


def trace(written: Written) -> dict[str, list[Any]]:
    """The values of `ADD_TRACE` and `ADD_UNTIMED`."""
    rows = []
    if written.keys:
        for batch in written.batches:
            times = batch.timestamps()
            rows.append((batch.first, min(times), max(times), batch.times, pack_keys(written.keys_of(batch))))
    held = list(zip(*rows, strict=True)) if rows else [()] * len(TRACE)
    values: dict[str, list[Any]] = {f"trace_{name}": list(column) for name, column in zip(TRACE, held, strict=True)}
    return values | {"untimed": list(map(signed, written.untimed))}
