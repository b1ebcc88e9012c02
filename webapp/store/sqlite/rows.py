"""How new lines become rows of a job's file, within the transaction that appends them."""

from __future__ import annotations

import sqlite3

from ...journal.batch import MAX_LINES, SEPARATOR, Batch
from ...journal.encoding import Written
from ...journal.keys import pack_keys, signed
from ..base import ProducerBatch
from ..producing import is_new

# The last row is written again while it is smaller: a page of the file is written anyhow, and a slow job's log
# would otherwise be a row a line.
TAIL_BYTES = 16 << 10


def store_written(written: Written, db: sqlite3.Connection, partial: str | None, now_ms: int) -> None:
    if written.keys:
        for batch in written.batches:
            _store_trace(db, batch, pack_keys(written.keys_of(batch)))
    for key in written.untimed:
        db.execute("INSERT INTO untimed VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET n = n + 1", (signed(key),))
    peak = _peak_before(db)
    for batch in written.batches:
        peak = _store_batch(db, batch, peak)
    db.execute(
        "UPDATE state SET last_line = ?, high_ms = ?, out_ms = ?, sample_beat = ?, sample_loud = ?,"
        " partial = ?, changed_ms = ?, revision = revision + 1",
        (
            written.last_line, written.high_ms, written.out_ms, written.sample.beat, written.sample.loud,
            partial, now_ms,
        ),
    )  # fmt: skip


def _peak_before(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT peak_ms FROM batch ORDER BY first DESC LIMIT 1").fetchone()
    return row[0] if row else -1


def _store_trace(db: sqlite3.Connection, batch: Batch, keys: bytes) -> None:
    times = batch.timestamps()
    low, high = min(times), max(times)
    tail = db.execute("SELECT first, low_ms, high_ms, times, keys FROM trace ORDER BY first DESC LIMIT 1").fetchone()
    # A row must stay narrow in time, or it would be read for every window that it touches.
    if (
        tail
        and len(tail[3]) + len(batch.times) <= 8 * MAX_LINES
        and max(high, tail[2]) - min(low, tail[1]) <= 60_000
        and len(tail[4]) == 2 * len(tail[3])
    ):
        db.execute(
            "UPDATE trace SET low_ms = ?, high_ms = ?, times = ?, keys = ? WHERE first = ?",
            (min(low, tail[1]), max(high, tail[2]), tail[3] + batch.times, tail[4] + keys, tail[0]),
        )
    else:
        db.execute("INSERT INTO trace VALUES (?, ?, ?, ?, ?)", (batch.first, low, high, batch.times, keys))


def _store_batch(db: sqlite3.Connection, batch: Batch, peak: int) -> int:
    tail = db.execute("SELECT first, last, low_ms, high_ms, bytes FROM batch ORDER BY first DESC LIMIT 1").fetchone()
    times = batch.timestamps()
    low, high = min(times), max(times)
    peak = max(peak, high)
    loud = batch.loud()
    if tail and tail[4] + len(batch.lines) <= TAIL_BYTES and batch.last - tail[0] < MAX_LINES:
        db.execute(
            "UPDATE batch SET last = ?, low_ms = ?, high_ms = ?, peak_ms = ?, longest = max(longest, ?), bytes = ?,"
            " debug = debug + ?, info = info + ?, warning = warning + ?, error = error + ? WHERE first = ?",
            (
                batch.last, min(low, tail[2]), max(high, tail[3]), peak, batch.longest,
                tail[4] + len(SEPARATOR) + len(batch.lines), *loud, tail[0],
            ),
        )  # fmt: skip
        marks, old_times, lines = db.execute(
            "SELECT marks, times, lines FROM body WHERE first = ?", tail[:1]
        ).fetchone()
        db.execute(
            "UPDATE body SET marks = ?, times = ?, lines = ? WHERE first = ?",
            (marks + batch.marks, old_times + batch.times, lines + SEPARATOR + batch.lines, tail[0]),
        )
        return peak
    db.execute(
        "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (batch.first, batch.last, low, high, peak, batch.longest, len(batch.lines), *loud),
    )
    db.execute("INSERT INTO body VALUES (?, ?, ?, ?)", (batch.first, batch.marks, batch.times, batch.lines))
    return peak


def new_batch(db: sqlite3.Connection, producer: ProducerBatch) -> bool:
    """Keeps that this batch of the producer is written; False where it was before. StaleProducer, ProducerGap."""
    known = db.execute("SELECT epoch, seq FROM producer WHERE id = ?", (producer.id,)).fetchone()
    if not is_new(producer, known):
        return False
    db.execute("INSERT OR REPLACE INTO producer VALUES (?, ?, ?)", (producer.id, producer.epoch, producer.seq))
    return True
