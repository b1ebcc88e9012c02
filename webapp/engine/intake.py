"""Takes in what runners on other machines report: the service writes these jobs' journals for them.

One process at a time holds a job's lease: the one that its requests reach. Where they reach another, that one takes
the lease over, and the fence keeps the first from writing. What is answered with success is on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ..errors import (
    BegunAnew,
    Busy,
    Conflict,
    DamagedJournal,
    Denied,
    JobNotFound,
    JournalError,
    LeaseLost,
    LineMoved,
    StaleProducer,
)  # fmt: skip
from ..journal.line import Entry
from ..journal.text import Text
from ..store.base import Journal, ProducerBatch, Store, Writer
from ..store.report import Report
from ..threads import Pool
from .catalog import Catalog
from .job import Job, now_ms, status_of

T = TypeVar("T")
LEASE_SECONDS = 5.0
BEAT_SECONDS = 1.0
CHECK_SECONDS = 1.0  # how long it is believed who reports a job
IDLE_SECONDS = 30.0
THREADS = 4
# Requests of one job that wait for each other, and requests with lines in hand, of all jobs.
MOST_WAITING = 4
MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who says that it writes this job: see `Report`."""

    producer: str
    epoch: int


@dataclass(slots=True)
class Delivery:
    """What one request brings. `texts`: in the order of their times where `ordered`. `entries`: the same for lines
    that are not plain text. `shows`: whether it says what stands after the last newline, `partial`. `missing`: reason
    and count of lines that never came."""

    texts: list[Text] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    ordered: bool = True
    shows: bool = False
    partial: dict[str, Any] | None = None
    missing: tuple[str, int | None] | None = None

    @property
    def lines(self) -> int:
        return sum(text.count for text in self.texts) + len(self.entries)

    def given(self, after_ms: int) -> list[Entry] | list[Text]:
        """As texts where nothing of it can be late."""
        if self.texts and self.ordered and self.texts[0].timestamp >= after_ms:
            return self.texts
        return [
            *self.entries,
            *(Entry(text.timestamp, line, text.extra) for text in self.texts for line in text.messages()),
        ]


@dataclass(frozen=True, slots=True)
class Taken:
    """`new`: False for a batch that was there already. `epoch`, `line`: where the journal ends. `cancelled_by`: who
    asked for the job's end ("" for nobody in particular), None while nobody does."""

    new: bool
    epoch: str
    line: int
    cancelled_by: str | None


@dataclass(frozen=True, slots=True)
class End:
    state: str
    exit_code: int | None
    detail: str
    complete: bool


@dataclass(slots=True)
class Lane:
    """What is known of one job, and whose turn it is with it."""

    job: str
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    journal: Journal | None = None
    writer: Writer | None = None
    report: Report | None = None
    checked_at: float = 0.0
    beat_at: float = 0.0
    used_at: float = 0.0
    high_ms: int = -1
    state_written: str = ""
    cancelled_by: str | None = None


class Intake:
    """All methods may raise JournalError: it could not be done now, and the sender tries again."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._lanes: dict[str, Lane] = {}
        self.pool = Pool("reports", THREADS)
        self._at_once = 0

    def close(self) -> None:
        self.pool.close()
        for lane in self._lanes.values():
            self._let_go(lane)
        self._lanes.clear()

    # --- what routes call

    async def begin(self, job: Job, report: Report, *, granted: bool) -> tuple[bool, Taken]:
        """From now on the job is known, and earlier runs of the producer may not write any more. `granted`: the caller
        has begun it before. Returns whether it is new. Conflict where it belongs to another; StaleProducer."""
        return await self._in_turn(job.id, lambda lane: self._begin(lane, job, report, granted))

    async def feed(self, job: str, sender: Reporter, seq: int | None, delivery: Delivery) -> Taken:
        """JobNotFound; Conflict where it has ended; StaleProducer, ProducerGap."""
        return await self._in_turn(job, lambda lane: self._feed(lane, sender, seq, delivery))

    async def beat(self, job: str, sender: Reporter) -> str | None:
        """The runner is alive. Returns who asked for the job's end."""
        return await self._in_turn(job, lambda lane: self._beaten(lane, sender))

    async def end(self, job: str, sender: Reporter, end: End) -> Job:
        return await self._in_turn(job, lambda lane: self._end(lane, sender, end))

    async def parsed(self, parse: Callable[[], T]) -> T:
        """Work on a body, on the threads that such work has."""
        return await self.pool.run(parse)

    @contextlib.asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """For one body. Busy where too many are held."""
        if self._at_once >= MOST_AT_ONCE:
            raise Busy("too many runners bring lines at this moment", 1)
        self._at_once += 1
        try:
            yield
        finally:
            self._at_once -= 1

    async def _in_turn(self, job: str, work: Callable[[Lane], T]) -> T:
        lane = self._lanes.get(job)
        if lane is None:
            await self._drop_idle()
            lane = self._lanes.setdefault(job, Lane(job))
        if lane.waiting >= MOST_WAITING:
            raise Busy(f"{MOST_WAITING} requests of {job!r} wait already", 1)
        lane.waiting += 1
        try:
            async with lane.turn:
                lane.used_at = time.monotonic()
                return await self.parsed(lambda: self._again(lane, work))
        finally:
            lane.waiting -= 1

    async def _drop_idle(self) -> None:
        now = time.monotonic()
        for job, lane in list(self._lanes.items()):
            if not lane.waiting and now - lane.used_at > IDLE_SECONDS:
                del self._lanes[job]
                await self.parsed(lambda lane=lane: self._let_go(lane))  # type: ignore[misc]

    def _let_go(self, lane: Lane) -> None:
        with contextlib.suppress(JournalError):
            if lane.writer is not None:
                lane.writer.release()
        lane.writer = None
        if lane.journal is not None:
            self._store.journals.release(lane.job)
            lane.journal = None

    # --- on a thread, one at a time for a job

    def _again(self, lane: Lane, work: Callable[[Lane], T]) -> T:
        """Repeated once where another process wrote in between, or somebody threw the lines away."""
        try:
            return work(lane)
        except (BegunAnew, DamagedJournal, LeaseLost, LineMoved):
            lane.writer = None
            return work(lane)
        except JournalError:
            lane.writer = None
            raise

    def _begin(self, lane: Lane, job: Job, report: Report, granted: bool) -> tuple[bool, Taken]:
        known = self._catalog.get(job.id)
        if not granted and self._store.reports.get(job.id) is None and (
            known is not None or self._store.journals.known(job.id)
        ):  # fmt: skip
            raise Conflict(f"there is a job {job.id!r} already: choose another id")
        lane.report = self._store.reports.begin(report)
        lane.checked_at = time.monotonic()
        if lane.report.producer != report.producer:
            raise Conflict(f"there is a job {job.id!r} already, which another runner began: choose another id")
        if lane.report.epoch > report.epoch:
            raise StaleProducer(f"epoch {report.epoch} of this producer is over", epoch=lane.report.epoch)
        if known is None:
            self._catalog.put(job)
        lane.writer = None  # the lease is taken anew: what an earlier run still sends to another process fails
        writer = self._writer(lane, ended=True)
        self._beat(lane, always=True)
        return known is None, Taken(True, writer.fence.epoch, writer.last_line, lane.cancelled_by)

    def _feed(self, lane: Lane, sender: Reporter, seq: int | None, delivery: Delivery) -> Taken:
        writer = self._writing(lane, sender)
        if _over(self._found(lane)):
            raise _closed(lane.job)
        self._beat(lane)
        if delivery.missing is not None:
            reason, count = delivery.missing
            writer.add_gap(writer.last_line, reason, count)
        new = True
        if delivery.lines and seq is not None:
            given = delivery.given(lane.high_ms)
            producer = ProducerBatch(sender.producer, sender.epoch, seq)
            before = writer.last_line
            writer.append(given, mark_late=isinstance(given[0], Entry), partial=delivery.partial, producer=producer)
            new = writer.last_line > before
            lane.high_ms = max(lane.high_ms, *(each.timestamp for each in given))
        elif delivery.shows:
            writer.set_partial(delivery.partial)
        return Taken(new, writer.fence.epoch, writer.last_line, lane.cancelled_by)

    def _beaten(self, lane: Lane, sender: Reporter) -> str | None:
        self._check(lane, sender)
        self._beat(lane, always=True)
        return lane.cancelled_by

    def _end(self, lane: Lane, sender: Reporter, end: End) -> Job:
        self._check(lane, sender)
        job = self._found(lane)
        if not _over(job):
            self._writing(lane, sender)
            at = now_ms()
            job = replace(
                job, state=end.state, state_ms=at, heartbeat_ms=at, exit_code=end.exit_code, detail=end.detail,
                lost=False,
            )  # fmt: skip
            self._catalog.ended(job)
        # Also where that was written before: another process may have had the lease when the log was to be closed.
        writer = self._writer(lane, ended=True)
        if lane.journal is not None and not lane.journal.state().finished:
            writer.finish(end.complete, status_of(job).model_dump(mode="json"))
        self._let_go(lane)
        return job

    # --- its parts

    def _found(self, lane: Lane) -> Job:
        job = self._catalog.get(lane.job)
        if job is None:
            raise JobNotFound(lane.job)
        return job

    def _check(self, lane: Lane, sender: Reporter) -> None:
        """JobNotFound, Denied or StaleProducer where the sender does not report this job."""
        if lane.report is None or lane.writer is None or time.monotonic() - lane.checked_at > CHECK_SECONDS:
            lane.report = self._store.reports.get(lane.job)
            lane.checked_at = time.monotonic()
        report = lane.report
        if report is None:
            raise JobNotFound(lane.job)
        if report.producer != sender.producer:
            raise Denied("another runner reports that job")
        if sender.epoch < report.epoch:
            raise StaleProducer(f"epoch {sender.epoch} of this producer is over", epoch=report.epoch)
        if sender.epoch > report.epoch:
            raise Conflict(f"epoch {sender.epoch} of this producer has not begun: PUT the job first")

    def _writing(self, lane: Lane, sender: Reporter) -> Writer:
        self._check(lane, sender)
        writer = self._writer(lane)
        self._check(lane, sender)  # by what was known when the lease was taken
        return writer

    def _writer(self, lane: Lane, *, ended: bool = False) -> Writer:
        """The one for this job's journal, which goes on after all where its runner had been given up. Conflict where
        the job has ended, unless `ended`."""
        if lane.writer is None:
            lane.journal = lane.journal or self._store.journals.open(lane.job)
            writer = lane.journal.claim(LEASE_SECONDS, take_over=True)
            finished = writer.resume().finished
            # Looked at once the lease is ours: whoever ends the job elsewhere either has written that by now, or finds
            # the lease gone when it closes the log, and takes it back.
            over = _over(self._found(lane))
            if over and not ended:
                writer.release()
                raise _closed(lane.job)
            if finished and not over:
                writer.reopen()
            ends = lane.journal.first_and_last_ms()
            lane.high_ms = ends[1] if ends else -1
            # The lease was taken after the last check: a later run may have begun in between.
            lane.report = self._store.reports.get(lane.job) or lane.report
            lane.writer = writer
        return lane.writer

    def _beat(self, lane: Lane, *, always: bool = False) -> None:
        now = time.monotonic()
        if not always and now - lane.beat_at < BEAT_SECONDS:
            return
        job = self._found(lane)
        if _over(job):
            return
        revived = self._catalog.heartbeat(job)
        if revived:
            lane.state_written, job = "", self._found(lane)
        lane.cancelled_by = self._catalog.cancel_asked(lane.job) if job.cancel_ms is not None else None
        if lane.state_written != job.state:
            with contextlib.suppress(Conflict):  # it has ended in between: the process that ended it writes that
                self._writer(lane).set_status(status_of(job).model_dump(mode="json"))
            lane.state_written = job.state
        lane.beat_at = now


def _over(job: Job) -> bool:
    """It has ended, and not only because its runner was silent."""
    return job.ended and not job.lost


def _closed(job: str) -> Conflict:
    return Conflict(f"the job {job!r} has ended: nothing can be added to it")
