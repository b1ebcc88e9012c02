"""Small rows at the end of a journal become one: a slow job's log would otherwise stay a row a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...journal.batch import MAX_BYTES, MAX_LINES, Batch, join
from . import rows
from .claims import FENCED
from .reading import made

LOOSE = 48  # so many small rows are merged
_TRACE_MS = 60_000  # a row must stay narrow in time, or it would be read for every window that it touches


def merge(connection: Any, fenced: dict[str, Any], loose: int) -> int | None:
    """How many small rows are left; None where the fence does not hold any more."""
    head = connection.execute(
        f"SELECT data, epoch FROM jobtail.journal WHERE {FENCED} FOR UPDATE", fenced, binary=True
    ).fetchone()
    if head is None:
        return None
    data, epoch = head
    found = connection.execute(
        "SELECT first, last, lines, marks, times, longest, epoch, %s, peak_ms FROM jobtail.batch WHERE data = %s"
        " ORDER BY first DESC LIMIT %s", (epoch, data, loose), binary=True
    ).fetchall()[::-1]  # fmt: skip
    if not found:
        return 0
    start = found[0][0]
    before = connection.execute(
        "SELECT peak_ms FROM jobtail.batch WHERE data = %s AND first < %s ORDER BY first DESC LIMIT 1", (data, start)
    ).fetchone()
    merged = list(_joined([made(row) for row in found]))
    columns, _ = rows.columns(merged, epoch, before[0] if before else -1)
    traces = list(_traces(connection, data, start))
    for table in ("batch", "trace"):
        connection.execute(f"DELETE FROM jobtail.{table} WHERE data = %s AND first >= %s", (data, start))
    held = list(zip(*traces, strict=True)) if traces else [()] * len(rows.TRACE)
    traced = {f"trace_{name}": list(column) for name, column in zip(rows.TRACE, held, strict=True)}
    connection.execute(
        f"WITH head AS (SELECT %(data)s::bigint AS data), added AS ({rows.ADD_BATCHES}) {rows.ADD_TRACE}",
        columns | traced | {"data": data},
    )
    left = sum(map(rows.small, merged[-1:]))
    connection.execute("UPDATE jobtail.journal SET loose = %(left)s WHERE job = %(job)s", fenced | {"left": left})
    return left


def _joined(batches: Sequence[Batch]) -> Iterator[Batch]:
    group: list[Batch] = []
    lines = size = 0
    for batch in batches:
        if group and (lines + len(batch) > MAX_LINES or size + len(batch.lines) > MAX_BYTES):
            yield join(group)
            group, lines, size = [], 0, 0
        group.append(batch)
        lines += len(batch)
        size += len(batch.lines)
    yield join(group)


def _traces(connection: Any, data: int, start: int) -> Iterator[tuple[int, int, int, bytes, bytes]]:
    found = connection.execute(
        "SELECT first, low_ms, high_ms, times, keys FROM jobtail.trace WHERE data = %s AND first >= %s ORDER BY first",
        (data, start), binary=True,
    ).fetchall()  # fmt: skip
    held: tuple[int, int, int, bytes, bytes] | None = None
    for row in found:
        if held is None:
            held = row
            continue
        low, high = min(held[1], row[1]), max(held[2], row[2])
        if high - low <= _TRACE_MS and len(held[3]) + len(row[3]) <= 8 * MAX_LINES:
            held = (held[0], low, high, held[3] + row[3], held[4] + row[4])
        else:
            yield held
            held = row
    if held is not None:
        yield held
