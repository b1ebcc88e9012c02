"""How lines are found again: by number, by time, from the end; every answer bounded."""

from __future__ import annotations

import sqlite3

from ...journal.batch import Batch
from ...journal.keys import counted
from ...journal.parts import Gap, Levels, Part, Span, grouped, span

UNSIGNED = (1 << 64) - 1
_ENDLESS = (1 << 63) - 1
_BODY = "SELECT b.first, b.last, body.lines, body.marks, body.times, b.longest FROM batch b JOIN body USING (first)"
# Batches that hold a line of a level, by its code in `levels.LEVELS`.
_HOLDS = ("b.last - b.first >= debug + info + warning + error", "debug > 0", "info > 0", "warning > 0", "error > 0")


def _holding(levels: Levels) -> str:
    return "" if levels is None else f" AND ({' OR '.join(_HOLDS[code] for code in sorted(levels)) or 'FALSE'})"


def read(db: sqlite3.Connection, after: int, most_bytes: int, upto: int | None, levels: Levels) -> list[Batch]:
    if upto is not None and after >= upto:
        return []
    found = db.execute("SELECT first FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1", (after + 1,)).fetchone()
    batches: list[Batch] = []
    size = 0
    for row in db.execute(
        f"{_BODY} WHERE b.first BETWEEN ? AND ?{_holding(levels)} ORDER BY b.first",
        (found[0] if found else 0, _ENDLESS if upto is None else upto),
    ):
        batch = Batch(*row)
        if batch.last <= after:
            continue
        if batch.first <= after or (upto is not None and batch.last > upto):
            batch = batch.part(after + 1, batch.last if upto is None else upto)
        batches.append(batch)
        size += len(batch.lines)
        if size >= most_bytes:
            break
    return batches


def read_back(db: sqlite3.Connection, before: int, most_bytes: int, levels: Levels) -> list[Batch]:
    batches: list[Batch] = []
    size = 0
    for row in db.execute(f"{_BODY} WHERE b.first < ?{_holding(levels)} ORDER BY b.first DESC", (before,)):
        batch = Batch(*row)
        batches.append(batch.part(batch.first, before - 1))
        size += len(batch.lines)
        if size >= most_bytes:
            break
    return batches[::-1]


def spans(db: sqlite3.Connection, after: int) -> list[Span]:
    rows = db.execute(
        "SELECT first, last, low_ms, high_ms, debug, info, warning, error FROM batch WHERE last > ? ORDER BY first",
        (after,),
    )
    return [span(*row) for row in rows]


def line_at(db: sqlite3.Connection, since_ms: int) -> int:
    row = db.execute(
        "SELECT first FROM batch WHERE peak_ms >= ? ORDER BY peak_ms, first LIMIT 1", (since_ms,)
    ).fetchone()
    if row:
        return int(row[0])
    return int(db.execute("SELECT last_line + 1 FROM state").fetchone()[0])


def gaps(db: sqlite3.Connection, after: int, upto: int) -> list[Gap]:
    rows = db.execute(
        "SELECT after_line, reason, count FROM gap WHERE after_line >= ? AND after_line < ? ORDER BY after_line",
        (after, upto),
    )
    return [Gap(*row) for row in rows]


def overview(db: sqlite3.Connection, parts: int) -> list[Part]:
    rows = db.execute("SELECT first, last, low_ms, high_ms, warning, error FROM batch ORDER BY first").fetchall()
    return grouped(rows, parts)


def seen(db: sqlite3.Connection, start_ms: int, end_ms: int) -> dict[int, int]:
    rows = db.execute(
        "SELECT low_ms, high_ms, times, keys FROM trace WHERE high_ms >= ? AND low_ms < ?", (start_ms, end_ms)
    )
    return counted(rows, start_ms, end_ms)


def short_keys(db: sqlite3.Connection) -> bool:
    """Whether the journal was begun by a version whose keys had 64 bits: its later lines get such keys too."""
    row = db.execute("SELECT length(keys) = length(times) FROM trace ORDER BY first LIMIT 1").fetchone()
    return bool(row and row[0])
