"""What the writers of every store decide alike: what is encoded, what a second try finds, why a write is refused."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import Any, Protocol

import orjson

from ..counts import counts
from ..errors import BegunAnew, LeaseLost, LineMoved, OutcomeUnknown
from ..journal.batch import Batch
from ..journal.encoding import Encoder
from ..journal.line import Entry
from ..journal.memory import Memory
from ..journal.redact import Redactor
from ..journal.state import State
from ..journal.status import blanked, same
from ..journal.text import Text, TextEncoder, encoder
from .base import Fence, ProducerBatch
from .counted import appended

# A timestamp further ahead than this is some clock's fault: what comes after it is not called late for its sake.
FUTURE_MS = 300_000
Prepared = Encoder | TextEncoder


class WrittenJournal(Protocol):
    """What a writer asks of its journal."""

    job: str
    redactor: Redactor
    beat_ms: int

    def state(self) -> State: ...
    def read(self, after: int, *, most_bytes: int, upto: int | None) -> list[Batch]: ...


class JournalWriter(ABC):
    """Implements most of `store.base.Writer`; a store does the writing. `seconds`: how long the lease lasts unrenewed.
    """

    def __init__(self, journal: WrittenJournal, fence: Fence, last_line: int, seconds: float) -> None:
        self.fence = fence
        self.last_line = last_line
        self._seconds = seconds
        self._lines_of = journal
        self._unknown: Prepared | None = None  # whether what it encoded was appended is not known
        self._memory = Memory()  # of the lines before, for what goes on over several
        self._lock = threading.RLock()

    # --- what a store does ---------------------------------------------------------------------------------------

    @abstractmethod
    def _reread(self) -> tuple[State, int]:
        """The journal's state, and the token of its newest lease."""

    @abstractmethod
    def _append(
        self, prepared: Prepared, mark_late: bool, partial: str | None, producer: ProducerBatch | None
    ) -> list[Batch] | None:
        """One transaction. None where the producer's batch is there already."""

    @abstractmethod
    def _change(self, **columns: object) -> None:
        """Sets columns of the journal's state."""

    @abstractmethod
    def _add_gap(self, after_line: int, reason: str, count: int | None) -> None: ...

    # --- what all decide -----------------------------------------------------------------------------------------

    def resume(self) -> State:
        with self._lock:
            state, token = self._reread()
            if token != self.fence.token:
                raise self._lost(state.holder)
            self._unknown = None
            self.fence = Fence(state.epoch, token)
            self.last_line = state.last_line
            return state

    def append(
        self,
        entries: list[Entry] | list[Text],
        *,
        mark_late: bool = True,
        partial: dict[str, Any] | None = None,
        producer: ProducerBatch | None = None,
    ) -> list[Batch]:
        if not entries:
            return []
        with self._lock:
            if self._unknown is not None and (found := self._landed(entries)):
                return found
            began = time.monotonic()
            prepared = encoder(self._lines_of.redactor, entries, self._memory)
            try:
                batches = self._append(prepared, mark_late, self._json(partial), producer)
            except OutcomeUnknown:
                self._unknown = prepared
                raise
            if batches is None:
                return []
            self._unknown, self._memory = None, prepared.memory
            appended(batches, began)
            return batches

    def _landed(self, entries: list[Entry] | list[Text]) -> list[Batch]:
        """What these entries became, where the commit whose outcome was not known did write them."""
        before, asked = self.last_line, self._unknown
        state = self.resume()
        if state.last_line == before:
            return []
        if asked is None or entries != asked.entries or state.last_line != before + asked.count:
            self.last_line = before
            raise self._moved(state.last_line)
        self._memory = asked.memory
        return self._lines_of.read(before, most_bytes=1 << 62, upto=state.last_line)

    def add_gap(self, after_line: int, reason: str, count: int | None) -> None:
        counts.add("gaps_total", reason=reason)
        self._add_gap(after_line, reason, count)

    def set_status(self, status: dict[str, Any]) -> None:
        status = self._blanked(status)
        if not same(self._lines_of.state().status, status):
            self._change(status=orjson.dumps(status).decode())

    def set_upstream(self, upstream: dict[str, Any]) -> None:
        upstream = self._lines_of.redactor.value(upstream)
        if self._lines_of.state().upstream != upstream:
            self._change(upstream=orjson.dumps(upstream).decode())

    def set_partial(self, partial: dict[str, Any] | None) -> None:
        self._change(partial=self._json(partial))

    def finish(self, complete: bool, status: dict[str, Any] | None = None) -> None:
        last = {} if status is None else {"status": self._json(self._blanked(status))}
        self._change(finished=True, complete=complete, partial=None, **last)

    def reopen(self) -> None:
        self._change(finished=False, complete=None)

    # --- why a write is refused ----------------------------------------------------------------------------------

    def _lost(self, holder: str) -> LeaseLost:
        return LeaseLost(f"the journal of {self._lines_of.job!r} is now written by {holder or 'another'}")

    def _moved(self, last_line: int) -> LineMoved:
        return LineMoved(f"the journal of {self._lines_of.job!r} ends at line {last_line}, not at {self.last_line}")

    def _refusal(self, token: int, holder: str, epoch: str, last_line: int) -> LeaseLost | BegunAnew | LineMoved | None:
        """What of the journal is not as this writer left it."""
        if token != self.fence.token:
            return self._lost(holder)
        if epoch != self.fence.epoch:
            return BegunAnew(f"the journal of {self._lines_of.job!r} was begun anew")
        return self._moved(last_line) if last_line != self.last_line else None

    # --- what is kept as JSON ------------------------------------------------------------------------------------

    def _blanked(self, status: dict[str, Any]) -> dict[str, Any]:
        return blanked(status, self._lines_of.redactor, self._lines_of.job)

    def _json(self, value: dict[str, Any] | None) -> str | None:
        return None if value is None else orjson.dumps(self._lines_of.redactor.value(value)).decode()
