"""How lines are found again: by number, by time, from the end; every answer bounded. Each statement starts from the
job's row, so that it sees one state even while the lines are being thrown away."""

from __future__ import annotations

from typing import Any

from ...journal.batch import SEPARATOR, Batch
from ...journal.keys import counted
from ...journal.parts import Gap, Levels, Part, Span, grouped, span
from .database import PostgresDatabase
from .patience import LONG_SECONDS

UNSIGNED = (1 << 64) - 1
_ENDLESS = (1 << 63) - 1
_ROWS = 256  # looked at in one go
_OF_JOB = "FROM jobtail.journal j JOIN jobtail.batch b USING (data) WHERE j.job = %s"
_BODY = "b.first, b.last, b.lines, b.marks, b.times, b.longest, b.epoch, j.epoch"
# Batches that hold a line of a level, by its code in `levels.LEVELS`.
_HOLDS = ("b.last - b.first >= debug + info + warning + error", "debug > 0", "info > 0", "warning > 0", "error > 0")


def _holding(levels: Levels) -> str:
    return "" if levels is None else f" AND ({' OR '.join(_HOLDS[code] for code in sorted(levels)) or 'FALSE'})"


def read(db: PostgresDatabase, job: str, after: int, most_bytes: int, upto: int | None, levels: Levels) -> list[Batch]:
    if upto is not None and after >= upto:
        return []
    last = _ENDLESS if upto is None else upto
    batches: list[Batch] = []
    size, start = 0, after + 1
    while True:
        # The row that holds line `start` begins at or before it.
        rows = db.read(
            f"SELECT * FROM (SELECT {_BODY}, sum(b.bytes) OVER (ORDER BY b.first) - b.bytes AS before {_OF_JOB}"
            " AND b.first >= coalesce((SELECT max(c.first) FROM jobtail.batch c WHERE c.data = j.data"
            f" AND c.first <= %s), 0) AND b.last >= %s AND b.first <= %s{_holding(levels)}"
            f" ORDER BY b.first LIMIT {_ROWS}) AS found WHERE before < %s ORDER BY first",
            (job, start, start, last, most_bytes - size),
        )
        for row in rows:
            batch = made(row)
            batches.append(batch.part(max(batch.first, after + 1), min(batch.last, last)))
            size += len(batch.lines)
        if size >= most_bytes or len(rows) < _ROWS:
            return batches
        start = rows[-1][1] + 1


def read_back(db: PostgresDatabase, job: str, before: int, most_bytes: int, levels: Levels) -> list[Batch]:
    rows = db.read(
        f"SELECT * FROM (SELECT {_BODY}, sum(b.bytes) OVER (ORDER BY b.first DESC) - b.bytes AS before {_OF_JOB}"
        f" AND b.first < %s{_holding(levels)} ORDER BY b.first DESC LIMIT %s) AS found"
        " WHERE before < %s ORDER BY first",
        (job, before, max(_ROWS, most_bytes >> 12), most_bytes),
    )
    return [batch.part(batch.first, min(batch.last, before - 1)) for batch in map(made, rows)]


def made(row: tuple[Any, ...]) -> Batch:
    first, last, lines, marks, times, longest, written, epoch = row[:8]
    return Batch(first, last, renamed(lines, written, epoch), marks, times, longest)


def renamed(lines: bytes, written: str, epoch: str) -> bytes:
    """Lines that were written under an earlier epoch, with the journal's present one in their ids: see `claims.py`."""
    if written == epoch:
        return lines
    old, new = f'{{"id":"{written}-'.encode(), f'{{"id":"{epoch}-'.encode()
    return SEPARATOR.join([new + line.removeprefix(old) for line in lines.split(SEPARATOR)])


def spans(db: PostgresDatabase, job: str, after: int) -> list[Span]:
    rows = db.read(
        f"SELECT first, last, low_ms, b.high_ms, debug, info, warning, error {_OF_JOB} AND last > %s ORDER BY first",
        (job, after),
        seconds=LONG_SECONDS,
    )
    return [span(*row) for row in rows]


def line_at(db: PostgresDatabase, job: str, since_ms: int) -> int:
    rows = db.read(
        "SELECT coalesce((SELECT first FROM jobtail.batch b WHERE b.data = j.data AND b.peak_ms >= %s"
        " ORDER BY b.peak_ms, first LIMIT 1), j.last_line + 1) FROM jobtail.journal j WHERE j.job = %s",
        (since_ms, job),
    )
    return int(rows[0][0]) if rows else 1


def gaps(db: PostgresDatabase, job: str, after: int, upto: int) -> list[Gap]:
    rows = db.read(
        "SELECT after_line, reason, count FROM jobtail.journal j JOIN jobtail.gap g USING (data)"
        " WHERE j.job = %s AND after_line >= %s AND after_line < %s ORDER BY after_line",
        (job, after, upto),
    )
    return [Gap(*row) for row in rows]


def overview(db: PostgresDatabase, job: str, parts: int) -> list[Part]:
    rows = db.read(
        f"SELECT first, last, low_ms, b.high_ms, warning, error {_OF_JOB} ORDER BY first", (job,), seconds=LONG_SECONDS
    )
    return grouped(rows, parts)


def first_and_last_ms(db: PostgresDatabase, job: str) -> tuple[int, int] | None:
    low, high = db.read(f"SELECT min(low_ms), max(b.high_ms) {_OF_JOB}", (job,), seconds=LONG_SECONDS)[0]
    return None if low is None else (low, high)


def seen(db: PostgresDatabase, job: str, start_ms: int, end_ms: int) -> dict[int, int]:
    rows = db.read(
        "SELECT low_ms, t.high_ms, times, keys FROM jobtail.journal j JOIN jobtail.trace t USING (data)"
        " WHERE j.job = %s AND t.high_ms >= %s AND low_ms < %s",
        (job, start_ms, end_ms),
    )
    return counted(rows, start_ms, end_ms)


def seen_untimed(db: PostgresDatabase, job: str) -> dict[int, int]:
    rows = db.read("SELECT key, n FROM jobtail.journal JOIN jobtail.untimed USING (data) WHERE job = %s", (job,))
    return {key & UNSIGNED: n for key, n in rows}
