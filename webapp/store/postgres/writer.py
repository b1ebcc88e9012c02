"""The one who may write a journal. Each write is one statement that checks the fence and does the rest only then."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple, Protocol

from ...errors import JournalError, LeaseLost
from ...journal.batch import Batch
from ...journal.state import State
from ..base import Fence, ProducerBatch
from ..producing import is_new
from ..writing import FUTURE_MS, JournalWriter, Prepared, WrittenJournal
from . import compaction, rows
from .claims import CONFIRMED, FENCED, TIMELINE
from .database import PostgresDatabase

log = logging.getLogger("jobtail.store")
_APPEND = (
    "WITH head AS (UPDATE jobtail.journal SET last_line = %(last)s, high_ms = %(high)s, out_ms = %(out)s,"
    " peak_ms = %(peak)s, sample_beat = %(beat)s, sample_loud = %(loud)s, loose = %(loose)s,"
    " bytes = bytes + %(size)s, partial = %(partial)s, revision = revision + 1, changed = clock_timestamp(),"
    f" confirmed = {CONFIRMED} WHERE {FENCED} RETURNING data, revision),"
    f" added AS ({rows.ADD_BATCHES}), traced AS ({rows.ADD_TRACE}), counted AS ({rows.ADD_UNTIMED})"
    " SELECT revision FROM head"
)


class Tail(NamedTuple):
    """What the next append has to know of the lines before. `loose`: how many small rows stand at the end."""

    high_ms: int
    out_ms: int
    peak_ms: int
    beat: int
    loud: int
    loose: int


class PostgresWritable(WrittenJournal, Protocol):
    """What this writer asks of its journal besides."""

    database: PostgresDatabase

    def fenced(self) -> tuple[State, int, Tail]: ...
    def holder(self) -> str: ...
    def now_ms(self) -> int: ...
    def wrote(self, revision: int) -> None: ...


class PostgresWriter(JournalWriter):
    """Each write is one statement that checks the fence."""

    def __init__(self, journal: PostgresWritable, fence: Fence, last_line: int, tail: Tail, seconds: float) -> None:
        super().__init__(journal, fence, last_line, seconds)
        self._tail = tail
        self._journal = journal
        self._db = journal.database

    def _fenced(self) -> dict[str, Any]:
        return {
            "job": self._journal.job, "token": self.fence.token, "epoch": self.fence.epoch, "before": self.last_line,
        }  # fmt: skip

    # --- the lease -----------------------------------------------------------------------------------------------

    def _reread(self) -> tuple[State, int]:
        state, token, self._tail = self._journal.fenced()
        return state, token

    def renew(self) -> None:
        held = self._db.write(
            "UPDATE jobtail.journal SET held_until = clock_timestamp() + %(seconds)s * interval '1 second'"
            f" WHERE job = %(job)s AND token = %(token)s AND timeline = {TIMELINE} RETURNING 1",
            self._fenced() | {"seconds": self._seconds},
        )
        if not held:
            raise self._lost(self._journal.holder())

    def release(self) -> None:
        self._db.write(
            "UPDATE jobtail.journal SET holder = '', held_until = '-infinity'"
            " WHERE job = %(job)s AND token = %(token)s",
            self._fenced(),
        )

    def _why(self) -> JournalError:
        """What kept a write from being done."""
        state, token, _ = self._journal.fenced()
        refusal = self._refusal(token, state.holder, state.epoch, state.last_line)
        failed_over = f"the database of {self._journal.job!r} has failed over: the lease has to be taken again"
        return refusal or LeaseLost(failed_over)

    # --- writing -------------------------------------------------------------------------------------------------

    def _append(
        self, prepared: Prepared, mark_late: bool, partial: str | None, producer: ProducerBatch | None
    ) -> list[Batch] | None:
        journal, tail = self._journal, self._tail
        row = (self.fence.epoch, self.last_line, tail.high_ms, tail.out_ms, tail.beat, tail.loud)
        written = prepared.number(row, journal.beat_ms, mark_late, journal.now_ms() + FUTURE_MS)
        columns, peak = rows.columns(written.batches, self.fence.epoch, tail.peak_ms)
        after = Tail(
            written.high_ms, written.out_ms, peak, written.sample.beat, written.sample.loud,
            tail.loose + sum(map(rows.small, written.batches)),
        )  # fmt: skip
        values = self._fenced() | columns | rows.trace(written) | {
            "last": written.last_line, "high": after.high_ms, "out": after.out_ms, "peak": after.peak_ms,
            "beat": after.beat, "loud": after.loud, "loose": after.loose, "partial": partial,
            "size": sum(len(batch.lines) for batch in written.batches),
        }  # fmt: skip
        if producer is None:
            done = self._db.write(_APPEND, values)
        else:
            found = self._db.transaction(lambda connection: self._append_for(connection, producer, values))
            if found is None:
                return None
            done = found
        if not done:
            raise self._why()
        journal.wrote(done[0][0])
        self.last_line, self._tail = written.last_line, after
        self._compact()
        return written.batches

    def _append_for(
        self, connection: Any, producer: ProducerBatch, values: dict[str, Any]
    ) -> list[tuple[Any, ...]] | None:
        """None where the batch is there already. The job's row is locked first, as by every write."""
        head = connection.execute(f"SELECT data FROM jobtail.journal WHERE {FENCED} FOR UPDATE", values).fetchone()
        if head is None:
            return []
        known = connection.execute(
            "SELECT epoch, seq FROM jobtail.producer WHERE data = %s AND id = %s", (head[0], producer.id)
        ).fetchone()
        if not is_new(producer, known):
            return None
        connection.execute(
            "INSERT INTO jobtail.producer VALUES (%s, %s, %s, %s) ON CONFLICT (data, id)"
            " DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq",
            (head[0], producer.id, producer.epoch, producer.seq),
        )
        return list(connection.execute(_APPEND, values).fetchall())

    def _compact(self) -> None:
        if self._tail.loose < compaction.LOOSE:
            return
        try:
            fenced, loose = self._fenced(), self._tail.loose
            left = self._db.transaction(lambda connection: compaction.merge(connection, fenced, loose))
        except JournalError as error:
            log.info("the rows of %s are merged later: %s", self._journal.job, error)
            return
        if left is not None:
            self._tail = self._tail._replace(loose=left)

    def _change(self, **columns: object) -> None:
        changes = ", ".join(f"{name} = %({name})s" for name in columns)
        with self._lock:
            done = self._db.write(
                f"UPDATE jobtail.journal SET {changes}, revision = revision + 1 WHERE {FENCED} RETURNING revision",
                self._fenced() | columns,
            )
            if not done:
                raise self._why()
            self._journal.wrote(done[0][0])

    def _add_gap(self, after_line: int, reason: str, count: int | None) -> None:
        with self._lock:
            done = self._db.write(
                f"WITH head AS (UPDATE jobtail.journal SET revision = revision + 1 WHERE {FENCED}"
                " RETURNING data, revision),"
                " added AS (INSERT INTO jobtail.gap SELECT data, %(after)s, %(reason)s, %(count)s FROM head"
                " ON CONFLICT DO NOTHING) SELECT revision FROM head",
                self._fenced() | {"after": after_line, "reason": reason, "count": count},
            )
            if not done:
                raise self._why()
            self._journal.wrote(done[0][0])
