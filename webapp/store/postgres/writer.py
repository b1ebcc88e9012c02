"""The one who may write a journal. Each write is one statement that checks the fence and does the rest only then."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, NamedTuple, Protocol

import orjson

from ...counts import counts
from ...errors import BegunAnew, JournalError, LeaseLost, LineMoved, OutcomeUnknown
from ...journal.batch import Batch
from ...journal.encoding import Encoder
from ...journal.line import Entry
from ...journal.memory import Memory
from ...journal.redact import Redactor
from ...journal.state import State
from ...journal.status import blanked, same
from ...journal.text import Text, TextEncoder, encoder
from ..base import Fence, Producer
from ..counted import appended
from ..producing import is_new
from . import compaction, rows
from .claims import CONFIRMED, FENCED, TIMELINE
from .database import Database

log = logging.getLogger("jobtail.store")
# A timestamp further ahead than this is some clock's fault: what comes after it is not called late for its sake.
FUTURE_MS = 300_000
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


class Written(Protocol):
    """What a writer asks of its journal."""

    job: str
    redactor: Redactor
    beat_ms: int
    database: Database

    def fenced(self) -> tuple[State, int, Tail]: ...
    def state(self) -> State: ...
    def holder(self) -> str: ...
    def now_ms(self) -> int: ...
    def wrote(self, revision: int) -> None: ...
    def read(self, after: int, *, most_bytes: int, upto: int | None) -> list[Batch]: ...


class PostgresWriter:
    """Implements `store.base.Writer`. `seconds`: how long the lease lasts unrenewed."""

    def __init__(self, journal: Written, fence: Fence, last_line: int, tail: Tail, seconds: float) -> None:
        self.fence = fence
        self.last_line = last_line
        self._tail = tail
        self._journal = journal
        self._db = journal.database
        self._seconds = seconds
        self._unknown: Encoder | TextEncoder | None = None  # whether what it encoded was appended is not known
        self._memory = Memory()  # of the lines before, for what goes on over several
        self._lock = threading.RLock()

    def _fenced(self) -> dict[str, Any]:
        return {
            "job": self._journal.job, "token": self.fence.token, "epoch": self.fence.epoch, "before": self.last_line,
        }  # fmt: skip

    # --- the lease -----------------------------------------------------------------------------------------------

    def resume(self) -> State:
        with self._lock:
            state, token, tail = self._journal.fenced()
            if token != self.fence.token:
                raise self._lost(state.holder)
            self._unknown = None
            self.fence = Fence(state.epoch, self.fence.token)
            self.last_line, self._tail = state.last_line, tail
            return state

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

    def _lost(self, holder: str) -> LeaseLost:
        return LeaseLost(f"the journal of {self._journal.job!r} is now written by {holder or 'another'}")

    def _why(self) -> JournalError:
        """What kept a write from being done."""
        state, token, _ = self._journal.fenced()
        job = self._journal.job
        if token != self.fence.token:
            return self._lost(state.holder)
        if state.epoch != self.fence.epoch:
            return BegunAnew(f"the journal of {job!r} was begun anew")
        if state.last_line != self.last_line:
            return LineMoved(f"the journal of {job!r} ends at line {state.last_line}, not at {self.last_line}")
        return LeaseLost(f"the database of {job!r} has failed over: the lease has to be taken again")

    # --- writing -------------------------------------------------------------------------------------------------

    def append(
        self,
        entries: list[Entry] | list[Text],
        *,
        mark_late: bool = True,
        partial: dict[str, Any] | None = None,
        producer: Producer | None = None,
    ) -> list[Batch]:
        if not entries:
            return []
        with self._lock:
            began = time.monotonic()
            if self._unknown is not None and (found := self._landed(entries)):
                return found
            prepared = encoder(self._journal.redactor, entries, self._memory)
            try:
                batches = self._append(prepared, mark_late, self._json(partial), producer)
            except OutcomeUnknown:
                self._unknown = prepared
                raise
            self._unknown, self._memory = None, prepared.memory
            appended(batches, began)
            self._compact()
            return batches

    def _append(
        self, prepared: Encoder | TextEncoder, mark_late: bool, partial: str | None, producer: Producer | None
    ) -> list[Batch]:
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
                return []
            done = found
        if not done:
            raise self._why()
        journal.wrote(done[0][0])
        self.last_line, self._tail = written.last_line, after
        return written.batches

    def _append_for(self, connection: Any, producer: Producer, values: dict[str, Any]) -> list[tuple[Any, ...]] | None:
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

    def _landed(self, entries: list[Entry] | list[Text]) -> list[Batch]:
        """What these entries became, where the commit whose outcome was not known did write them."""
        before, asked = self.last_line, self._unknown
        state = self.resume()
        if state.last_line == before:
            return []
        if asked is None or entries != asked.entries or state.last_line != before + asked.count:
            self.last_line = before
            raise LineMoved(f"the journal of {self._journal.job!r} ends at line {state.last_line}, not at {before}")
        self._memory = asked.memory
        return self._journal.read(before, most_bytes=1 << 62, upto=state.last_line)

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

    def _set(self, changes: str, **values: Any) -> None:
        with self._lock:
            done = self._db.write(
                f"UPDATE jobtail.journal SET {changes}, revision = revision + 1 WHERE {FENCED} RETURNING revision",
                self._fenced() | values,
            )
            if not done:
                raise self._why()
            self._journal.wrote(done[0][0])

    def add_gap(self, after_line: int, reason: str, count: int | None) -> None:
        counts.add("gaps_total", reason=reason)
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

    def set_status(self, status: dict[str, Any]) -> None:
        status = blanked(status, self._journal.redactor, self._journal.job)
        if not same(self._journal.state().status, status):
            self._set("status = %(status)s", status=orjson.dumps(status).decode())

    def set_upstream(self, upstream: dict[str, Any]) -> None:
        upstream = self._journal.redactor.value(upstream)
        if self._journal.state().upstream != upstream:
            self._set("upstream = %(upstream)s", upstream=orjson.dumps(upstream).decode())

    def set_partial(self, partial: dict[str, Any] | None) -> None:
        self._set("partial = %(partial)s", partial=self._json(partial))

    def finish(self, complete: bool, status: dict[str, Any] | None = None) -> None:
        told = None if status is None else self._json(blanked(status, self._journal.redactor, self._journal.job))
        self._set(
            "finished = true, complete = %(complete)s, status = coalesce(%(status)s, status), partial = NULL",
            complete=complete,
            status=told,
        )

    def reopen(self) -> None:
        self._set("finished = false, complete = NULL")

    def _json(self, value: dict[str, Any] | None) -> str | None:
        return None if value is None else orjson.dumps(self._journal.redactor.value(value)).decode()
