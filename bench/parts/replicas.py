"""What a PostgreSQL that replicas share costs whoever watches, beside SQLite in the same run; and how much of it is
dead rows after a week's writing."""

from __future__ import annotations

import contextlib
import http.client
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from load import Viewers
from process import until
from servers import Jobtail, Upstream
from table import Row

ROOT = Path(__file__).parent.parent.parent
BEAT = 0.1
VIEWERS, RATE = 1000, 1000
WORD = "zanzibar"


@contextlib.contextmanager
def databases(**options: str) -> Iterator[Any]:
    sys.path.insert(0, str(ROOT))
    from tests.postgres import cluster

    # With what a commit costs, as the file has it.
    with cluster(fsync="on", **options) as server:
        yield server


class Arrivals(threading.Thread):
    """When each line of a job came to a viewer, by its id, on the monotonic clock."""

    def __init__(self, port: int, job: str, seconds: float) -> None:
        super().__init__(daemon=True)
        self.at: dict[str, float] = {}
        self._where = port, f"/api/jobs/{job}/events?format=batch&sample_logs=false&refresh_seconds={BEAT}&tail=0"
        self._until = time.monotonic() + seconds
        self.start()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._where[0], timeout=60)
        connection.request("GET", self._where[1])
        answer = connection.getresponse()
        while time.monotonic() < self._until and (line := answer.readline()):
            if line.startswith(b'data: [{"id"'):
                now = time.monotonic()
                self.at |= {each["id"]: now for each in json.loads(line[6:])}
        connection.close()


def measure(quick: bool) -> list[Row]:
    seconds = 5.0 if quick else 20.0
    with databases() as server, Upstream() as upstream:
        settings = {"refresh_seconds": str(BEAT)}
        url = server.database("bench")
        with (
            Jobtail(upstream, database_url=url, **settings) as one,
            Jobtail(upstream, database_url=url, **settings) as other,
            Jobtail(upstream, **settings) as alone,
        ):
            return [
                delay(upstream, one, other, seconds),
                watched(upstream, one, alone, seconds),
                *long_log(one, alone, 100_000 if quick else 1_000_000),
            ]


def delay(upstream: Upstream, one: Jobtail, other: Jobtail, seconds: float) -> Row:
    """`one` looks first, so that it polls."""
    job = "b-0-1-50"
    one.json(f"/api/jobs/{job}")
    upstream.control("start")
    here = Arrivals(one.port, job, seconds + 3)
    until(lambda: bool(here.at), "lines at the replica that polls")
    there = Arrivals(other.port, job, seconds)
    here.join()
    there.join()
    upstream.control("stop")
    added = [(there.at[name] - here.at[name]) * 1000 for name in there.at if name in here.at]
    slow = statistics.quantiles(added, n=20)[-1]
    return Row(
        "from a viewer of the replica that polls to one of another: p95 under 100 ms",
        f"p50 {statistics.median(added):.0f} ms, p95 {slow:.0f} ms, {len(added)} lines",
        met=slow < 100,
    )


def watched(upstream: Upstream, shared: Jobtail, alone: Jobtail, seconds: float) -> Row:
    job = f"b-0-2-{RATE}"
    path = f"/api/jobs/{job}/events?format=batch&sample_logs=false&refresh_seconds={BEAT}&tail=0"
    for server in (shared, alone):
        server.json(f"/api/jobs/{job}")
    upstream.control("start")  # the upstream writes the jobs that it has been asked for
    shares: dict[str, list[float]] = {"PostgreSQL": [], "SQLite": []}
    for _ in range(2):  # in turn: what else the machine does is then done to both
        for name, server in (("PostgreSQL", shared), ("SQLite", alone)):
            with Viewers(server.port, path, VIEWERS) as viewers:
                viewers.wait()
                time.sleep(2)
                viewers.mark()
                before, began = server.cpu(), time.monotonic()
                time.sleep(seconds / 2)
                shares[name].append((server.cpu() - before) / (time.monotonic() - began))
                got = viewers.mark()
                if got["lines"] < 0.9 * RATE * VIEWERS * got["seconds"]:
                    raise RuntimeError(f"{name}: the viewers were not given their lines: {got}")
            time.sleep(3)
    upstream.control("stop")
    ours, theirs = (statistics.mean(shares[name]) for name in ("PostgreSQL", "SQLite"))
    return Row(
        f"{VIEWERS:,} viewers × {RATE:,} lines/s: processor time of a replica, at most 15 % above SQLite's",
        f"{ours:.3f} of a core", f"SQLite {theirs:.3f}", f"{ours / theirs:.2f}", ours <= 1.15 * theirs,
    )  # fmt: skip


def long_log(shared: Jobtail, alone: Jobtail, lines: int) -> Iterator[Row]:
    job = f"b-{lines}-1000-0"
    for server in (shared, alone):
        server.json(f"/api/jobs/{job}")
        at = f"/api/jobs/{job}/logs?tail=1"
        until(lambda: server.json(at)[-1:] and server.json(at)[0]["line"] >= lines, "the log", 600, 1.0)  # noqa: B023
    whole = {server: timed(server, f"/api/jobs/{job}/logs?format=ndjson&limit={lines}") for server in (shared, alone)}
    ours, theirs = lines / whole[shared], lines / whole[alone]
    yield Row(
        f"a backlog of {lines:,} lines by HTTP, lines/s",
        f"{ours:,.0f}",
        f"SQLite {theirs:,.0f}",
        f"{ours / theirs:.2f}",
    )
    for what in ("the first time", "again"):
        took = {server: searched(server, job) for server in (shared, alone)}
        yield Row(
            f"search of {lines:,} lines for a rare word, {what}: seconds", f"{took[shared]:.2f}",
            f"SQLite {took[alone]:.2f}", f"{took[shared] / took[alone]:.2f}",
        )  # fmt: skip


def timed(server: Jobtail, path: str) -> float:
    began = time.monotonic()
    status, _ = server.request("GET", path)
    assert status == 200, status
    return time.monotonic() - began


def searched(server: Jobtail, job: str) -> float:
    began, after = time.monotonic(), ""
    while True:
        answer = server.json(f"/api/jobs/{job}/search?q={WORD}&limit=1000{after}")
        if answer["complete"]:
            return time.monotonic() - began
        after = f"&after={answer['scanned_to']}"


def bloat(quick: bool) -> list[Row]:
    """Jobs that write a line at a time, are finished, trimmed and forgotten, as fast as one writer can, while
    autovacuum looks every 10 s instead of every minute: a week's writing comes in minutes."""
    seconds = 20.0 if quick else 200.0
    with databases(autovacuum_naptime="10s") as server:
        from webapp.journal.line import Entry
        from webapp.journal.redact import Redactor
        from webapp.store.postgres.store import PostgresStore

        url = server.database("bench")
        store = PostgresStore(url, Redactor(()))
        began, appends, jobs, live = time.monotonic(), 0, 0, []
        try:
            while time.monotonic() - began < seconds:
                jobs += 1
                journal = store.journals.open(f"job-{jobs}")
                writer = journal.claim(60)
                for n in range(500):
                    writer.append(
                        [Entry(1_700_000_000_000 + n, f"line {n} of a slow job, as long as most are", None, n)]
                    )
                    appends += 1
                writer.finish(True)
                writer.release()
                live.append(journal)
                if len(live) > 20:
                    live.pop(0).forget()
                if jobs % 3 == 0:
                    journal.trim(250)
        finally:
            store.close()
        rows = server.execute(
            "SELECT relname, n_live_tup, n_dead_tup, autovacuum_count, pg_total_relation_size(relid)"
            " FROM pg_stat_user_tables WHERE schemaname = 'jobtail' AND relname IN ('journal', 'batch', 'trace')"
            " ORDER BY relname", "bench",
        )  # fmt: skip
        # What the same rows take where they are written anew.
        server.execute("VACUUM FULL", "bench")
        packed = dict(server.execute("SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables", "bench"))
        return [
            Row(
                f"table {name} after {appends:,} appends of {jobs} jobs",
                f"{size >> 10:,} KiB, {alive:,} live and {dead:,} dead rows, {times} autovacuums",
                f"packed {packed[name] >> 10:,} KiB", f"{size / packed[name]:.2f}",
            )
            for name, alive, dead, times, size in rows
        ]  # fmt: skip
