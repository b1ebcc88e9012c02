"""Everything at once: an upstream that fails in every way, viewers that drop, services that are killed.

The oracle is that of the Kafka tests of Jepsen: the upstream emits numbered lines; at the end every viewer must hold
each of them once and in order. `tests/test_torture.py` runs it for seconds, `bench/soak.py` for as long as one likes.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.paced import Paced
from tests.sse import Event, EventStream, lines_of
from tests.upstream import Chaos, Fault, Job, Raw, Upstream, now_ms
from webapp.journal.redact import Redactor
from webapp.store.base import Journals
from webapp.store.sqlite.journals import SqliteJournals

OpenJournals = Callable[[], Journals]
FAULTS = (
    Fault("status", 500),
    Fault("status", 503, {"retry-after": "1"}),
    Fault("status", 429, {"retry-after": "1"}),
    Fault("hang", seconds=5),
    *(Fault(kind) for kind in ("cut", "cut", "half", "html", "object", "null", "numbers", "empty", "deep", "shrunk")),
)
Disturbance = Callable[[threading.Event], None]
LEASE_SECONDS = 1.0  # of `tests.paced`
# What an upstream does with a long log. Where it can hide entries for good, they may be lost, but not in silence.
SHAPES: tuple[dict[str, Any], ...] = (
    {}, {}, {"limit": 40}, {"limit": 200}, {"limit": 1000}, {"limit_bytes": 1 << 12}, {"limit_bytes": 1 << 16},
    {"order": list}, {"order": list, "limit": 100},
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """`seconds`: how long each job emits. `rate`: lines a second and job. `chaos`: part of the requests that fail.
    `kill_every`: seconds between two deaths of a service, about; 0: none. `services`: on one data folder."""

    seed: int
    seconds: float = 6.0
    jobs: int = 2
    viewers: int = 6
    rate: float = 150.0
    chaos: float = 0.15
    kill_every: float = 2.0
    services: int = 1


@dataclass
class Outcome:
    faults: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    lines: int = 0
    viewers: int = 0


class Emitter(threading.Thread):
    """Numbered lines, some late, some twice; then the job ends, with a few lines still to be seen."""

    def __init__(self, job: Job, plan: Plan, chance: random.Random, faults: Counter[str]) -> None:
        super().__init__(daemon=True)
        self.job, self.plan, self.chance, self.faults = job, plan, chance, faults
        self.at = self.same = 0
        self.ahead = chance.choice((0, 0, 0, 7_200_000, 50_000_000))
        if self.ahead:
            faults[f"jobs whose clock is {self.ahead // 3_600_000} h ahead"] += 1

    def _now(self) -> int:
        """The time, but for no more than a few lines: a millisecond fuller than a limit leaves a gap."""
        at = max(now_ms() + self.ahead, self.at)
        self.same = self.same + 1 if at == self.at else 0
        if self.same >= 5:
            at, self.same = at + 1, 0
        self.at = at
        return at

    def run(self) -> None:
        began, count = time.monotonic(), 0
        while (passed := time.monotonic() - began) < self.plan.seconds:
            while count < passed * self.plan.rate:
                count += 1
                self._emit(count)
            time.sleep(self.chance.uniform(0.005, 0.05))
        self.job.finish(self.chance.choice(("Done", "Failed", "Canceled")))
        for _ in range(self.chance.randrange(6)):
            count += 1
            self.job.log(f"line {count}", self._now(), after=self.chance.uniform(0, 0.3))
            self.faults["entries after the end"] += 1

    def _emit(self, count: int) -> None:
        chance, at = self.chance, self._now()
        kind = chance.random()
        if kind < 0.05:
            self.job.log(f"line {count}", at - chance.randrange(3000), after=chance.uniform(0, 0.5))
            self.faults["late entries"] += 1
        elif kind < 0.08:
            for _ in range(chance.choice((2, 3))):
                self.job.log(f"twin {count}", at)
            self.faults["twins"] += 1
        elif kind < 0.085:
            self.job.log(f"line {count}", at + 86_400_000)
            self.faults["entries from the future"] += 1
        elif kind < 0.09 and self.job.limit is None:
            # The scripted upstream puts them first in every answer, so that a limit would leave no room.
            self.job.add({"message": f"line {count}"}, {"timestamp": str(at), "message": f"line {count}b"})
            self.faults["odd timestamps"] += 1
        elif kind < 0.1:
            self._odd(count, at)
        elif kind < 0.11 and self.job.limit_bytes is not None:
            self.job.log(f"line {count} " + "x" * int(self.job.limit_bytes * chance.uniform(0.1, 0.45)), at)
            self.faults["long lines"] += 1
        else:
            self.job.log(f"line {count}\n", at, worker=chance.randrange(9))

    def _odd(self, count: int, at: int) -> None:
        """Entries that are no strict JSON, or that few parsers take."""
        value = self.chance.choice(("NaN", "-Infinity", "1180591620717411303424", "9" * 400, "[" * 300 + "]" * 300))
        text = f'{{"timestamp": {at}, "message": "line {count}", "x": {value}}}'
        self.job.add(Raw(text, timestamp=at, message=f"line {count}"))
        self.faults["odd JSON"] += 1


class Viewer(threading.Thread):
    """Reads a job to its end; drops at random and comes back by its last id."""

    def __init__(
        self, job: Job, urls: Callable[[], list[str]], chance: random.Random, faults: Counter[str], seconds: float
    ) -> None:
        super().__init__(daemon=True)
        self.job, self.urls, self.chance, self.faults = job, urls, chance, faults
        self.form = chance.choice(("line", "batch"))
        self.sampled = chance.random() < 0.2
        self.deadline = time.monotonic() + seconds
        self.lines: list[dict[str, Any]] = []
        self.omitted = self.pending = 0
        self.last = ""
        self.done: dict[str, Any] | None = None
        self.trouble = ""

    def run(self) -> None:
        while self.done is None and not self.trouble:
            if time.monotonic() > self.deadline:
                self.trouble = f"no end after {len(self.lines)} lines, at {self.last!r}"
                return
            try:
                self._connect()
            except (OSError, ValueError, AssertionError, IndexError) as error:
                self.faults[f"connections broken ({type(error).__name__})"] += 1
                time.sleep(self.chance.uniform(0.05, 0.3))

    def _connect(self) -> None:
        query = f"format={self.form}&sample_logs={'true' if self.sampled else 'false'}&refresh_seconds=0.1"
        url = f"{self.chance.choice(self.urls())}/api/jobs/{self.job.id}/events?{query}"
        headers = {"Last-Event-ID": self.last} if self.last else {}
        self.pending = 0
        until = time.monotonic() + self.chance.uniform(0.05, 3)
        drops = self.chance.random() < 0.7
        with EventStream(url, headers=headers, timeout=10) as stream:
            if stream.status == 204:
                self.trouble = "204 without a done"
                return
            if stream.status != 200:
                raise ValueError(stream.status)
            for event in stream:
                self._take(event)
                if self.done is not None:
                    return
                if drops and time.monotonic() > until:
                    self.faults["connections dropped by viewers"] += 1
                    return
                if time.monotonic() > self.deadline:
                    return

    def _take(self, event: Event) -> None:
        if event.name == "reset":
            self.faults["resets"] += 1
            self.lines, self.omitted, self.pending, self.last = [], 0, 0, ""
        elif event.name == "omitted":
            self.pending += event.data["count"]
        elif event.name == "bye":
            self.faults["byes"] += 1
        elif event.name == "done":
            if event.data["reason"] != "finished":
                self.trouble = f"ended as {event.data['reason']}"
            self.done = event.data
        self.lines += lines_of([event])
        if event.id:
            self.last = event.id
            self.omitted += self.pending
            self.pending = 0


class Killer(threading.Thread):
    """Ends services at random, mostly without warning, and starts them again on their port."""

    def __init__(self, services: list[Paced], plan: Plan, chance: random.Random, faults: Counter[str]) -> None:
        super().__init__(daemon=True)
        self.services, self.plan, self.chance, self.faults = services, plan, chance, faults
        self.over = threading.Event()

    def run(self) -> None:
        while self.plan.kill_every and not self.over.wait(self.chance.uniform(0.5, 1.5) * self.plan.kill_every):
            service = self.chance.choice(self.services)
            if self.chance.random() < 0.75:
                service.kill()
                self.faults["services killed (SIGKILL)"] += 1
            else:
                service.stop()
                self.faults["services stopped (SIGTERM)"] += 1
            self.over.wait(self.chance.uniform(0, 0.5))
            service.start()


def torture(
    plan: Plan,
    journals: OpenJournals,
    upstream: Upstream,
    services: list[Paced],
    *,
    killed: list[Paced] | None = None,
    disturbances: Sequence[Callable[[threading.Event], None]] = (),
) -> Outcome:
    """One turn on services that run already. All that went wrong stands in `problems`. `journals`: opens what the
    services keep. `killed`: which of them are killed, if not all. `disturbances`: what else
    happens meanwhile, each in a thread, until its event is set."""
    chance = random.Random(plan.seed)
    outcome = Outcome()
    upstream.chaos = Chaos(plan.seed, plan.chaos, FAULTS)
    before = Counter(upstream.injected)
    jobs = []
    upstream.date_skew = chance.choice((0.0, 0.0, -3600.0))
    if upstream.date_skew:
        outcome.faults["turns with a Date that a cache kept for an hour"] += 1
    for number in range(plan.jobs):
        shape = chance.choice(SHAPES)
        job = upstream.job(f"job-{plan.seed}-{number}", inclusive=chance.random() < 0.5, **shape)
        outcome.faults[f"jobs with {described(job)}"] += 1
        jobs.append(job)
    emitters = [Emitter(job, plan, random.Random(chance.random()), outcome.faults) for job in jobs]
    urls: Callable[[], list[str]] = lambda: [service.url for service in services]  # noqa: E731
    # A log of which entries may be hidden is read three times at its end, page by page, and each page may fail.
    patience = plan.seconds + 90 + 600 * plan.chaos
    viewers = [
        Viewer(job, urls, random.Random(chance.random()), outcome.faults, patience)
        for job in jobs
        for _ in range(plan.viewers)
    ]
    killer = Killer(services if killed is None else killed, plan, random.Random(chance.random()), outcome.faults)
    others = [threading.Thread(target=disturb, args=(killer.over,), daemon=True) for disturb in disturbances]
    for thread in [*emitters, *viewers, killer, *others]:
        thread.start()
    for emitter in emitters:
        emitter.join()
    # The end of a job takes seconds of one service's life, more where a fetch of the whole has to be asked often: where
    # none lives as long there is no end, and that would be no fault.
    killer.over.wait(3 * plan.kill_every)
    killer.over.set()
    for thread in [killer, *others]:
        thread.join()
    for viewer in viewers:
        viewer.join()
    upstream.chaos = None
    outcome.faults.update(Counter(upstream.injected) - before)
    for job in jobs:
        judge(job, [viewer for viewer in viewers if viewer.job is job], journals, outcome)
        upstream.jobs.pop(job.id)
    return outcome


def judge(job: Job, viewers: list[Viewer], journals: OpenJournals, outcome: Outcome) -> None:
    """The journal against the upstream, and every viewer against the journal."""
    say = outcome.problems.append
    lines = stored(journals, job.id)
    wanted = Counter(entry["message"].removesuffix("\n") for _, entry in job.entries)
    got = Counter(line["message"] for line in lines)
    hides = job.limit_bytes is not None or (job.limit is not None and job.order is not None)
    called_complete = any(viewer.done is not None and viewer.done["complete"] for viewer in viewers)
    if wanted != got and (got - wanted or called_complete or not hides):
        say(f"{job.id} ({described(job)}): lost {list((wanted - got).items())[:5]}, doubled "
            f"{list((got - wanted).items())[:5]} of {len(lines)}")  # fmt: skip
    if [line["line"] for line in lines] != list(range(1, len(lines) + 1)):
        say(f"{job.id}: the journal's numbers are not 1 to {len(lines)}")
    for viewer in viewers:
        who = f"{job.id}: a viewer ({viewer.form}, {'sampled' if viewer.sampled else 'all'})"
        outcome.viewers += 1
        if viewer.trouble or viewer.done is None:
            say(f"{who}: {viewer.trouble or 'no end'}")
            continue
        if not viewer.done["complete"] and not hides:
            say(f"{who}: complete is {viewer.done['complete']}")
        ids = [line["line"] for line in viewer.lines]
        if viewer.sampled:
            if len(ids) + viewer.omitted != viewer.done["lines"] or ids != sorted(set(ids)):
                say(f"{who}: {len(ids)} lines + {viewer.omitted} omitted are not {viewer.done['lines']}")
        elif viewer.lines != lines:
            first = next((n for n, (a, b) in enumerate(zip(viewer.lines, lines, strict=False)) if a != b), len(ids))
            told = f"{len(ids)} of {len(lines)} lines, complete: {viewer.done['complete']}"
            say(f"{who}: {told}; they differ from line {first + 1} on")
    outcome.lines += len(lines)


def described(job: Job) -> str:
    limit = f"a limit of {job.limit} entries" if job.limit else "no limit"
    if job.limit_bytes:
        limit = f"a limit of {job.limit_bytes} bytes"
    return limit + (", in order of arrival" if job.order else "")


def pausing(services: list[Paced], seed: int, faults: Counter[str] | None = None) -> Disturbance:
    """Stops one after another for longer than a lease, and lets it go on."""
    chance = random.Random(seed)

    def pause(over: threading.Event) -> None:
        while not over.wait(chance.uniform(0.3, 1.0)):
            process = chance.choice(services).process
            process.send_signal(signal.SIGSTOP)
            over.wait(2.5 * LEASE_SECONDS)
            process.send_signal(signal.SIGCONT)
            if faults is not None:
                faults["services stopped and continued"] += 1

    return pause


def restoring(folder: Path, upstream: Upstream, seed: int, faults: Counter[str]) -> Disturbance:
    """Saves journals of the jobs under way, and puts the copies in their place some time later."""
    chance = random.Random(seed)
    path_of = SqliteJournals(folder, Redactor(()), beat_ms=100).path

    def restore(over: threading.Event) -> None:
        while not over.wait(chance.uniform(0.5, 1.5)):
            found = [path for job in list(upstream.jobs) if (path := path_of(job)).exists()]
            if not found:
                continue
            path = chance.choice(found)
            copy = folder / f"{path.name}.copy"
            with suppress(sqlite3.Error), sqlite3.connect(path, timeout=2) as db, sqlite3.connect(copy) as target:
                db.backup(target)
            if copy.exists() and not over.wait(chance.uniform(0.5, 1.5)):
                for left in (f"{path}-wal", f"{path}-shm"):
                    Path(left).unlink(missing_ok=True)
                os.replace(copy, path)
                faults["journals put back from a copy"] += 1
            copy.unlink(missing_ok=True)

    return restore


def in_folder(folder: Path) -> OpenJournals:
    """The journals of a data folder."""
    return lambda: SqliteJournals(folder, Redactor(()), beat_ms=100)


def stored(journals: OpenJournals, job: str) -> list[dict[str, Any]]:
    opened = journals()
    try:
        batches = opened.open(job).read(0, most_bytes=1 << 40)
        return [json.loads(line) for batch in batches for line in batch.split()]
    finally:
        with suppress(Exception):
            opened.close()


def start(folder: Path, upstream: Upstream, count: int, **settings: object) -> list[Paced]:
    """So many services on one data folder, or with other `settings` on what they name."""
    services = [
        Paced({"data_dir": folder, "upstream_url": upstream.url, "refresh_seconds": 0.1, **settings})
        for _ in range(count)
    ]
    for service in services:
        service.start()
    return services
