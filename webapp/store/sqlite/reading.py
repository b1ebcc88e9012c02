"""How lines are found again: by number, by time, from the end; every answer bounded."""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter

from ...journal.batch import Batch
from ...journal.parts import Gap, Levels, Part, Span
from .rows import unpack_keys

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
    return [
        Span(first, last, low, high, (last - first + 1 - debug - info - warning - error, debug, info, warning, error))
        for first, last, low, high, debug, info, warning, error in rows
    ]


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
    step = -(-len(rows) // max(1, parts))
    grouped = [rows[start : start + step] for start in range(0, len(rows), max(1, step))]
    return [
        Part(
            group[0][0], group[-1][1], min(row[2] for row in group), max(row[3] for row in group),
            sum(row[4] for row in group), sum(row[5] for row in group),
        )
        for group in grouped
    ]  # fmt: skip


def seen(db: sqlite3.Connection, start_ms: int, end_ms: int) -> dict[int, int]:
    counts: Counter[int] = Counter()
    rows = db.execute(
        "SELECT low_ms, high_ms, times, keys FROM trace WHERE high_ms >= ? AND low_ms < ?", (start_ms, end_ms)
    )
    for low, high, raw_times, raw_keys in rows:
        keys = unpack_keys(raw_keys, len(raw_times) // 8)
        if low >= start_ms and high < end_ms:
            counts.update(keys)
            continue
        times: array[int] = array("q")
        times.frombytes(raw_times)
        counts.update(key for key, time in zip(keys, times, strict=True) if start_ms <= time < end_ms)
    counts.pop(0, None)
    return counts


def short_keys(db: sqlite3.Connection) -> bool:
    """Whether the journal was begun by a version whose keys had 64 bits: its later lines get such keys too."""
    row = db.execute("SELECT length(keys) = length(times) FROM trace ORDER BY first LIMIT 1").fetchone()
    return bool(row and row[0])
