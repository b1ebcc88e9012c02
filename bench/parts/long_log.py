"""Goals 5, 6 and 8: a log of ten million lines, taken in, read anywhere, searched, and followed."""

from __future__ import annotations

import http.client
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import orjson
from generator import Job
from load import Viewers
from process import LOAD_CPU, forget_peak, peak_bytes, pinned, until
from servers import Jobtail, Upstream
from table import Row

from parts.backlog import last_line

DENSITY = 10  # entries a second: the ten minutes that are swept hold as many in a short log as in a long one


class LongLog:
    """The log in a journal, loaded by the service itself from its upstream; shared by the parts that need one."""

    shared: LongLog | None = None

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.job = f"b-{lines}-{DENSITY}-{DENSITY}"
        self.folder = Path(tempfile.mkdtemp(prefix="jobtail-long-"))
        self.upstream = Upstream()
        self.server = Jobtail(self.upstream, self.folder)
        base = self.server.memory("Rss")
        forget_peak(self.server.pid)
        cpu, began = self.server.cpu(), time.monotonic()
        self.server.json(f"/api/jobs/{self.job}")
        until(lambda: last_line(self.server, self.job) >= lines, "the log is in the journal", 600, every=0.2)
        self.seconds = time.monotonic() - began
        self.cpu = self.server.cpu() - cpu
        self.grown = peak_bytes(self.server.pid) - base

    @classmethod
    def get(cls, quick: bool) -> LongLog:
        if cls.shared is None:
            cls.shared = LongLog(1_000_000 if quick else 10_000_000)
        return cls.shared

    def close(self) -> None:
        self.server.close()
        self.upstream.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def bytes(self) -> int:
        """Of all lines, as the journal holds them."""
        for file in self.folder.glob("jobs/*.sqlite3"):
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
                held, last = db.execute("SELECT sum(bytes), max(last) FROM batch").fetchone()
            if last >= self.lines:
                return int(held)
        raise RuntimeError("no such journal")


def forget() -> None:
    if LongLog.shared is not None:
        LongLog.shared.close()
        LongLog.shared = None


def intake(quick: bool) -> list[Row]:
    log = LongLog.get(quick)
    job = Job(log.job, int(time.time() * 1000))
    answer = b"[" + job.old(0, 200_000) + b"]"
    began = time.process_time()
    orjson.loads(answer)
    parsing = 200_000 / (time.process_time() - began)
    rate = log.lines / log.cpu
    return [
        Row(
            f"6. {log.lines:,} lines from the upstream's answer to the journal: at least 200,000/s on one core",
            f"{rate:,.0f} lines/s of CPU ({1e6 / rate:.2f} µs a line), {log.lines / log.seconds:,.0f} by the clock",
            f"orjson.loads alone {parsing:,.0f}",
            f"{rate / parsing:.2f}",
            rate >= 200_000,
        ),
        Row(
            "6. memory bounded whatever the answer's size",
            f"{log.grown / 2**20:.0f} MiB at most, answer {len(answer) / 200_000 * log.lines / 2**20:,.0f} MiB",
            "",
            "",
            log.grown < 400 * 2**20,
        ),
    ]


def timed(log: LongLog, path: str, rounds: int, least: int) -> tuple[float, float]:
    """Milliseconds of a request on a kept connection: median and 95th percentile."""
    connection = http.client.HTTPConnection("127.0.0.1", log.server.port)
    taken = []
    for turn in range(rounds + 2):
        began = time.perf_counter()
        connection.request("GET", path.replace("{turn}", str(turn)))
        answer = connection.getresponse()
        body = answer.read()
        if turn >= 2:
            taken.append((time.perf_counter() - began) * 1000)
        if answer.status != 200 or body.count(b'"timestamp"') < least:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    connection.close()
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def opened(log: LongLog) -> float:
    """Milliseconds until a browser has what the job's page shows: page, status, the last 500 lines."""
    began = time.perf_counter()
    for path in (f"/jobs/{log.job}", f"/api/jobs/{log.job}"):
        status, _ = log.server.request("GET", path)
        if status != 200:
            raise RuntimeError(f"{path}: {status}")
    connection = http.client.HTTPConnection("127.0.0.1", log.server.port, timeout=20)
    connection.request("GET", f"/api/jobs/{log.job}/events?format=batch&sample_logs=false&tail=500")
    answer = connection.getresponse()
    held = b""
    while held.count(b'"timestamp"') < 500:
        held += answer.read1(1 << 20)
    taken = (time.perf_counter() - began) * 1000
    connection.close()
    return taken


def random_access(quick: bool) -> list[Row]:
    log = LongLog.get(quick)
    logs = f"/api/jobs/{log.job}/logs"
    middle = log.lines // 2
    stamp = log.server.json(f"{logs}?from_line={middle}&limit=1")[0]["timestamp"]
    wanted = {
        "the last 500": f"{logs}?tail=500",
        "500 from the middle": f"{logs}?from_line={middle // 100}{{turn}}00&limit=500".replace("00{turn}", "{turn}"),
        "500 at a given time": f"{logs}?since_ms={stamp}&limit=500",
    }
    rows = []
    for name, path in wanted.items():
        median, slow = timed(log, path, 40, 500)
        rows.append(
            Row(f"5. of {log.lines:,} lines: {name} under 20 ms", f"{median:.1f} ms, p95 {slow:.1f}", "", "", slow < 20)
        )
    page = statistics.median(opened(log) for _ in range(7))
    rows.append(Row("5. the job page's data under 100 ms", f"{page:.0f} ms", "", "", page < 100))
    return rows


def searched(log: LongLog, query: str) -> tuple[float, int]:
    """Seconds for the whole log, and how many lines were found."""
    found, after, began = 0, "", time.perf_counter()
    while True:
        answer = log.server.json(f"/api/jobs/{log.job}/search?{query}&limit=1000{after}")
        found += len(answer["lines"])
        if answer["complete"]:
            return time.perf_counter() - began, found
        after = f"&after={answer['scanned_to']}"


def search(quick: bool) -> list[Row]:
    log = LongLog.get(quick)
    size = log.bytes()
    with tempfile.NamedTemporaryFile() as file:
        file.write(log.server.request("GET", f"/api/jobs/{log.job}/logs?format=ndjson&limit=500000&tail=500000")[1])
        file.flush()
        part = Path(file.name).stat().st_size
        command = pinned(LOAD_CPU, ["grep", "-c", "zanzibar", file.name])
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            subprocess.run(command, capture_output=True, check=False)
            taken.append(time.perf_counter() - began)
    grep = part / min(taken)
    rows = []
    for name, query in (
        ("a rare word", "q=zanzibar"),
        ("a regular expression", f"regex=true&q={quote('zanz[a-i]b.r')}"),
    ):
        runs = [searched(log, query) for _ in range(3)]
        rate = size / min(seconds for seconds, _ in runs)
        rows.append(
            Row(
                f"5. search for {name} at 0.7 GB/s of log",
                f"{rate / 1e9:.2f} GB/s, {size / 1e9:.2f} GB, {runs[0][1]} found",
                f"grep {grep / 1e9:.2f} GB/s, one file in memory",
                f"{rate / grep:.2f}",
                rate >= 0.7e9 and runs[0][1] == max(1, (log.lines + 678_999) // 5_000_000),
            )
        )
    return rows


def growth(quick: bool) -> list[Row]:
    """Two services, one with the long log and one with a short log, both followed by a viewer for a minute."""
    log = LongLog.get(quick)
    short = f"b-10000-{DENSITY}-{DENSITY}"
    seconds = 15 if quick else 60
    log.server.close()
    with Jobtail(log.upstream, log.folder) as large, Jobtail(log.upstream) as small:
        paths = [f"/api/jobs/{job}/events?format=batch&sample_logs=false&tail=10" for job in (log.job, short)]
        small.json(f"/api/jobs/{short}")
        until(lambda: last_line(small, short) >= 10_000, "the short log is there")
        with Viewers(large.port, paths[0], 1) as one, Viewers(small.port, paths[1], 1) as other:
            one.wait(), other.wait()
            log.upstream.control("start")
            time.sleep(10)
            before = large.cpu(), small.cpu()
            log.upstream.control("counts")
            time.sleep(seconds)
            spent = large.cpu() - before[0], small.cpu() - before[1]
            rounds = log.upstream.control("counts")
            got = one.mark()["lines"], other.mark()["lines"]
    log.server = Jobtail(log.upstream, log.folder)
    asked = [rounds.get(f"logs {job}", 0) for job in (log.job, short)]
    each = [cpu / max(1, count) * 1000 for cpu, count in zip(spent, asked, strict=True)]
    return [
        Row(
            f"8. a round costs the same on {log.lines:,} lines as on 10,000",
            f"{each[0]:.1f} ms of CPU a round, {asked[0]} rounds, {got[0]} lines delivered",
            f"10,000 lines: {each[1]:.1f} ms, {asked[1]} rounds, {got[1]} lines",
            f"{each[0] / each[1]:.2f}",
            each[0] < 1.3 * each[1],
        )
    ]
