"""Generated histories against a plain model: whatever an upstream emits and however its answers fail, the journal ends
with exactly its entries, or says that it does not. HISTORIES=1000 runs as many."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.upstream import Job, Raw, dumped, now_ms
from webapp.errors import UpstreamDown, UpstreamError
from webapp.journal.redact import Redactor
from webapp.poller.backoff import Backoff
from webapp.poller.budget import Budget, Hands, RetryBucket
from webapp.poller.fetch import Fetch
from webapp.poller.paging import Probing
from webapp.poller.reader import Reader
from webapp.poller.window import since_ms
from webapp.store.sqlite.journal import SqliteJournal

START = now_ms()
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# One step of a history: what is emitted (how late, how often), or a round (how deep, and how it fails).
emissions = st.tuples(
    st.just("emit"),
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from([0, 0, 0, 0, 30, 800, 5000]), st.sampled_from([1, 1, 1, 2, 3])),
        min_size=1,
        max_size=12,
    ),
)
rounds = st.tuples(
    st.just("round"),
    st.sampled_from([0.1, 0.1, 0.1, 1.0, 600.0, None]),
    st.sampled_from(["", "", "", "down", "half", "html", "numbers"]),
)
odd = st.tuples(st.just("odd"), st.sampled_from(["none", "text", "year", "number", "nan", "deep", "long"]))
DEEP = "[" * 1200 + "]" * 1200


class Told:
    """A source that answers from a Job of the scripted upstream, without a network. `fault`: of the next answer."""

    def __init__(self, job: Job) -> None:
        self.job, self.fault, self.clock, self.skew = job, "", START, 0
        self.disordered = False  # an answer has shown that they are in order of arrival

    @asynccontextmanager
    async def logs(self, job: str, since_ms: int | None) -> AsyncIterator[Any]:
        from webapp.source.base import Answer

        fault, self.fault = self.fault, ""
        if fault == "down":
            raise UpstreamDown("down")
        found = self.job.answer(since_ms)
        times = [entry.get("timestamp") for entry in found if isinstance(entry, dict)]
        self.disordered = self.disordered or (fault == "" and times != sorted(times, key=str))
        body = dumped(found).encode()
        yield Answer(
            self.clock + self.skew, self._chunks({"html": b"<html>", "numbers": b"[1, 2]"}.get(fault, body), fault)
        )

    async def _chunks(self, body: bytes, fault: str) -> AsyncIterator[bytes]:
        if fault == "half":
            yield body[: len(body) // 2]
            raise UpstreamDown("cut")
        for start in range(0, len(body), 700):
            yield body[start : start + 700]


class History:
    def __init__(self, folder: Path, job: Job) -> None:
        self.job, self.told = job, Told(job)
        self.journal = SqliteJournal(folder / "job.sqlite3", "job-1", Redactor(()), 1000)
        budget = Budget(retries=RetryBucket(1e9, 1e9))
        self.lease = SimpleNamespace(writer=self.journal.claim(600), hands=Hands(budget))
        self.reader = Reader(
            self.told, self.journal, budget, self.lease, _nothing, _nothing,  # type: ignore[arg-type]
            window_most=120, probing=Probing(0, 0), backoff=lambda: Backoff(0, 0),
        )  # fmt: skip
        self.count = 0

    def emit(self, entries: list[tuple[int, int, int]]) -> None:
        for ahead, late, times in entries:
            self.count += 1
            self.told.clock += ahead
            message = f"line {self.count}\n" if times == 1 else f"twin {self.count % 3}"
            if self.job.limit_bytes is not None and self.count % 5 == 0:
                message = message.rstrip("\n") + "x" * (self.job.limit_bytes * (self.count % 9) // 9)
            for _ in range(times):
                self.job.log(message, max(0, self.told.clock - late), after=-1)

    def odd(self, kind: str) -> None:
        self.count += 1
        clock = self.told.clock
        self.job.add(
            {
                "none": {"message": f"line {self.count}"},
                "text": {"timestamp": str(clock), "message": f"line {self.count}"},
                "year": {"timestamp": clock + 31_000_000_000, "message": f"line {self.count}"},
                "number": self.count,
                "nan": Raw(f'{{"timestamp": {clock}, "message": "line {self.count}", "x": NaN}}', timestamp=clock,
                           message=f"line {self.count}"),
                "deep": Raw(f'{{"timestamp": {clock}, "message": "line {self.count}", "x": {DEEP}}}', timestamp=clock,
                            message=f"line {self.count}"),
                "long": Raw(f'{{"timestamp": {clock}, "x": {"7" * 5000}, "message": "line {self.count}", "x": 1e999}}',
                            timestamp=clock, message=f"line {self.count}"),
            }[kind]
        )  # fmt: skip

    async def round(self, reach: float | None, fault: str, prove: bool = False) -> Fetch | None:
        self.told.fault = fault
        state = self.lease.writer.resume()
        try:
            since = None if reach is None else since_ms(self.reader.clock.anchor(state), None, reach)
            return await self.reader.fetch(since, prove=prove)
        except UpstreamError:
            return None

    async def end(self) -> Fetch:
        while True:
            fetch = await self.round(None, "", prove=True)
            assert fetch is not None
            if not fetch.new:
                return fetch

    def lines(self) -> Counter[str]:
        batches = self.journal.read(0, most_bytes=1 << 30)
        return Counter(json.loads(line)["message"] for batch in batches for line in batch.split())

    def wanted(self) -> Counter[str]:
        entries = [entry for _, entry in self.job.entries]
        return Counter(e["message"].removesuffix("\n") if isinstance(e, dict) else str(e) for e in entries)


async def _nothing(*_: object) -> None:
    pass


async def play(job: Job, steps: list[Any], *, skew: int = 0) -> tuple[History, Fetch]:
    """To its end, whatever that is. `skew`: of the upstream's Date, in ms."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        history = History(Path(folder), job)
        history.told.skew = skew
        if ("odd", "number") in steps:
            history.emit([(0, 0, 1)])  # an answer without any object is taken for no log
        if job.limit is not None or job.limit_bytes is not None:
            history.reader.limits.crowded = 2  # a limit of a few entries stands here for one of a thousand
        try:
            for step in steps:
                if step[0] == "emit":
                    history.emit(step[1])
                elif step[0] == "odd":
                    history.odd(step[1])
                else:
                    await history.round(step[1], step[2])
            fetch = await history.end()
            history.got = history.lines()  # type: ignore[attr-defined]
            history.gaps = history.journal.gaps(0, 1 << 40)  # type: ignore[attr-defined]
            return history, fetch
        finally:
            history.journal.close()


# A thousand take longer than one test may: run those with --timeout=0.
EXAMPLES = int(os.environ.get("HISTORIES", "100"))
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(
    st.lists(emissions | rounds | odd, max_size=14),
    st.booleans(),
    st.sampled_from([None, list, lambda found: found[::-1]]),
    st.sampled_from([0, 0, -7_200_000, -86_400_000, 3_600_000]),
)
def test_the_journal_ends_with_exactly_what_was_emitted(
    steps: list[Any], inclusive: bool, order: Any, skew: int
) -> None:
    job = Job("job-1", inclusive=inclusive, order=order)
    history, fetch = asyncio.run(play(job, steps, skew=skew))
    assert history.got == history.wanted()  # type: ignore[attr-defined]
    assert fetch.complete
    assert history.gaps == []  # type: ignore[attr-defined]


# The log had just as many entries as the limit lets through when it was first read.
EXACTLY = [("emit", [(0, 0, 1), (0, 0, 1), (0, 0, 1), (0, 0, 1), (0, 0, 3), (0, 0, 3), (5, 0, 1)]), ("round", 0.1, "")]


@many
@example(EXACTLY, False, 11, 0)
@given(
    st.lists(emissions | rounds, max_size=14), st.booleans(), st.integers(2, 12), st.sampled_from([0, 0, -7_200_000])
)
def test_an_oldest_first_limit_loses_nothing_in_silence(
    steps: list[Any], inclusive: bool, limit: int, skew: int
) -> None:
    job = Job("job-1", inclusive=inclusive, limit=limit)
    history, fetch = asyncio.run(play(job, steps, skew=skew))
    wanted, got = history.wanted(), history.got  # type: ignore[attr-defined]
    assert not got - wanted
    times = Counter(entry["timestamp"] for _, entry in job.entries)
    full = max(times.values(), default=0) >= limit
    if not full:
        assert got == wanted
    # Where the last ms leaves no room for two lines more, the limit might as well be one on bytes, which hides one.
    room = limit - times[max(times, default=0)] > 1
    if not full and room and max(times, default=0) - min(times, default=0) > 1:
        assert fetch.complete
        assert history.gaps == []  # type: ignore[attr-defined]
    if got != wanted:
        assert not fetch.complete


@many
@given(st.lists(emissions | rounds, max_size=14), st.booleans(), st.integers(2, 12))
def test_a_newest_first_limit_doubles_nothing_and_is_not_called_complete_where_it_took_something(
    steps: list[Any], inclusive: bool, limit: int
) -> None:
    job = Job("job-1", inclusive=inclusive, limit=limit, keeps="newest")
    history, fetch = asyncio.run(play(job, steps))
    wanted, got = history.wanted(), history.got  # type: ignore[attr-defined]
    assert not got - wanted
    if sum(got.values()) > limit:
        assert not fetch.complete


@many
@given(st.lists(emissions | rounds, max_size=14), st.booleans(), st.integers(150, 1500))
def test_a_limit_in_bytes_loses_nothing_in_silence(steps: list[Any], inclusive: bool, limit: int) -> None:
    job = Job("job-1", inclusive=inclusive, limit_bytes=limit)
    history, fetch = asyncio.run(play(job, steps))
    wanted, got = history.wanted(), history.got  # type: ignore[attr-defined]
    assert not got - wanted
    if fetch.complete and got != wanted:
        # Nothing on the wire tells of an entry behind the last one that bears its ms and does not fit into an answer
        # with it. Where a limit has shown, it would have to be longer than all others.
        last = max(entry["timestamp"] for _, entry in job.entries)
        lost = wanted - got
        assert {e["timestamp"] for _, e in job.entries if e["message"].removesuffix("\n") in lost} == {last}
        if len(job.answer(None)) < sum(got.values()):
            assert min(map(len, lost)) > max(map(len, got))


@many
@example([("emit", [(0, 0, 1), (0, 0, 1), (0, 0, 1), (0, 30, 1), (0, 30, 1), (1, 0, 1)])], False, 4)
@given(st.lists(emissions | rounds, max_size=14), st.booleans(), st.integers(2, 12))
def test_a_limit_in_order_of_arrival_doubles_nothing_and_is_not_called_complete_where_that_shows(
    steps: list[Any], inclusive: bool, limit: int
) -> None:
    job = Job("job-1", inclusive=inclusive, limit=limit, order=list)
    history, fetch = asyncio.run(play(job, steps))
    wanted, got = history.wanted(), history.got  # type: ignore[attr-defined]
    assert not got - wanted
    # What came after the cut with an earlier timestamp cannot be asked for, and an upstream that sorts what it has
    # gives just the same answers. But where any answer was in disorder, and one did not hold all, the log is not called
    # complete.
    if got != wanted and history.told.disordered and sum(got.values()) > limit:
        assert not fetch.complete
