"""The sink of this machine: the journal and the catalog of our own data folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import JournalError, LeaseLost
from ..journal.redact import Redactor
from ..journal.text import Text
from ..settings import Settings
from ..store.base import Journal, Writer
from ..store.open import open_store
from .catalog import Catalog
from .job import Job, now_ms, status_of
from .lock import RunnerLock
from .sink import Beat, Place, Unfinished

LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0
HEARTBEAT_SECONDS = 1.0
# For the last words of a run whose lines could not all be written.
LEAVE_SECONDS = 3.0


class JournalLines:
    """Implements `sink.LineSink`. `open_journal` is called on the recorder's thread, again while it fails."""

    holds_up = True

    def __init__(self, open_journal: Callable[[], Journal]) -> None:
        self._open_journal = open_journal
        self._journal: Journal | None = None
        self._writer: Writer | None = None
        self._renew_at = 0.0

    def ready(self, *, unsure: bool) -> Place:
        """The journal and its lease. Nobody else may have the lease while this process lives."""
        if self._journal is None:
            self._journal = self._open_journal()
        if self._writer is None or unsure:
            failed = self._writer is not None
            self._writer = self._resumed(self._journal)
            if failed:
                self._writer.renew()  # what can be read may not be writable yet
        elif time.monotonic() >= self._renew_at:
            self._writer.renew()
        else:
            return self._place
        self._renew_at = time.monotonic() + RENEW_SECONDS
        return self._place

    def _resumed(self, journal: Journal) -> Writer:
        """A writer that has looked at what the journal holds: after a failure that may be more than we think, or
        less."""
        writer = self._writer or journal.claim(LEASE_SECONDS, take_over=True)
        try:
            state = writer.resume()
        except LeaseLost:  # begun anew, or taken in while we slept
            writer = journal.claim(LEASE_SECONDS, take_over=True)
            state = writer.resume()
        if state.finished:
            # We slept, were given up, and somebody closed the journal in our name.
            writer.reopen()
        return writer

    @property
    def _own(self) -> Writer:
        if self._writer is None:
            raise JournalError("there is no journal")
        return self._writer

    @property
    def _place(self) -> Place:
        return self._own.fence.epoch, self._own.last_line

    def put(self, lines: Sequence[Text], unfinished: Unfinished) -> Place:
        self._own.append(list(lines), mark_late=False, partial=None if unfinished is None else dict(unfinished))
        return self._place

    def miss(self, reason: str, count: int | None) -> None:
        self._own.add_gap(self._own.last_line, reason, count)

    def set_status(self, status: Mapping[str, Any]) -> None:
        self._own.set_status(dict(status))

    def show(self, unfinished: Unfinished) -> None:
        self._own.set_partial(None if unfinished is None else dict(unfinished))

    def end(self, status: Mapping[str, Any], complete: bool) -> None:
        self.ready(unsure=True)
        self._own.finish(complete, dict(status))
        self._own.release()


class JournalSink(JournalLines):
    """Implements `sink.Sink`. JournalError where the data folder can't be used."""

    def __init__(self, settings: Settings, redactor: Redactor, job: str) -> None:
        self._store = open_store(settings, redactor)
        super().__init__(lambda: self._store.journals.open(job))
        self._catalog = Catalog(self._store, settings.data_dir)
        self._lock = RunnerLock(settings.data_dir, job)
        self._beat_at = 0.0
        self._pid = 0

    def begin(self, job: Job) -> None:
        try:
            self._lock.hold()
        except OSError as error:
            raise JournalError(f"it can't be made: {error.strerror}", self._lock.path) from error
        self._catalog.put(job)

    def close(self) -> None:
        self._lock.release()
        self._store.close()

    def beat(self, job: Job) -> Beat:
        revived = False
        if self._pid != job.pid:
            self._catalog.started(job.id, job.pid)
            self._pid = job.pid
        if time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + HEARTBEAT_SECONDS
            revived = self._catalog.heartbeat(job)
        return Beat(self._catalog.cancel_asked(job.id), revived)

    def ask_cancel(self, job: Job, who: str) -> None:
        self._catalog.request_cancel(job.id, who)
        self._catalog.record_cancel(job.id, who, now_ms())

    def finish(self, job: Job, complete: bool) -> None:
        self._catalog.ended(job)
        self.end(status_of(job).model_dump(mode="json"), complete)

    def leave(self, job: Job) -> None:
        self._store.hurry(LEAVE_SECONDS)
        self._catalog.ended(job)
