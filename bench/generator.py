"""An upstream that speaks the Fused job wire, as fast as Python can: entries are made from blocks of bytes.

    python bench/generator.py PORT [CPU]

The id of a job says what it does: `b-HISTORY-DENSITY-RATE-WIDTH` has HISTORY entries, DENSITY a second, that end when
the generator started, and once `POST /control/start` was called writes RATE entries a second, of WIDTH bytes (120
where it is left out). `POST /control/stop` ends
every job. `GET /control/counts` answers how many requests of each kind and job there were since it was last asked.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from typing import cast
from urllib.parse import parse_qs, urlsplit

import uvloop

# What a batch job writes: 100 bytes or so, a level in most lines, an error now and then.
MESSAGES = (
    "2026-11-24 03:40:%02d,117 INFO worker.tiles Read partition %06d of overture buildings, 48211 rows in it",
    "2026-11-24 03:40:%02d,304 INFO worker.tiles Joined partition %06d with the census, 3 columns kept of 17",
    "2026-11-24 03:40:%02d,551 DEBUG worker.cache Hit for tile %06d of zoom level 12, 118 KiB, age 44 s, kept",
    "partition %06d: wrote part-%02d.parquet, 1.4 MB, 0.31 s, and moved on to the next one in the queue",
    "2026-11-24 03:40:%02d,812 WARNING worker.io Slow answer for part %06d, 2.4 s, trying the second mirror",
)
RARE = "2026-11-24 03:40:59,999 ERROR worker.tiles The zanzibar of this log: no such partition, 0 rows, skipped"
WIDTH = 120  # bytes of a live message
BLOCK = 1000  # entries that are made together
LIVE = (
    b"step %09d of this job is done: tile read, joined, simplified and written to part-0001.parquet in 0.31 s,"
    b" and the next one follows"
)


def message(index: int) -> str:
    if index % 5_000_000 == 4_321_000:
        return RARE
    text = MESSAGES[index % 5]
    return text % ((index % 97, index) if index % 5 == 3 else (index % 60, index % 1_000_000))


def live_message(index: int, width: int = WIDTH) -> bytes:
    return (LIVE % index)[:width]


class Job:
    """Entries by their number, from 0: history first, then live ones."""

    def __init__(self, name: str, born_ms: int) -> None:
        self.history, self.density, self.rate, self.width = map(int, [*name.split("-")[1:], WIDTH][:4])
        self.born_ms = born_ms
        self.started_ms: int | None = None
        self.stopped_ms: int | None = None
        self._live: list[bytes] = []

    def start(self) -> None:
        self.started_ms = self.started_ms or int(time.time() * 1000)

    @property
    def live(self) -> int:
        """How many live entries there are by now."""
        if self.started_ms is None:
            return 0
        until = self.stopped_ms or int(time.time() * 1000)
        return max(0, (until - self.started_ms) * self.rate // 1000)

    def pieces(self, since_ms: int | None) -> tuple[int, int, int, int]:
        """Ranges of history and of live entries with `timestamp >= since_ms`."""
        live = self.live
        if since_ms is None:
            return 0, self.history, 0, live
        first = self.history - max(0, (self.born_ms - since_ms) * self.density // 1000 + 1)
        start = 0
        if self.started_ms is not None and since_ms > self.started_ms:
            start = -(-(since_ms - self.started_ms) * self.rate // 1000)
        return max(0, first), self.history, min(start, live), live

    def old(self, first: int, last: int) -> bytes:
        return b",".join([
            b'{"timestamp":%d,"message":"%s\\n"}'
            % (self.born_ms - (self.history - index) * 1000 // self.density, message(index).encode())
            for index in range(first, last)
        ])  # fmt: skip

    def new(self, first: int, last: int) -> bytes:
        while len(self._live) < last:
            index = len(self._live)
            stamp = (self.started_ms or 0) + index * 1000 // self.rate
            self._live.append(b'{"timestamp":%d,"message":"%s\\n"}' % (stamp, live_message(index, self.width)))
        return b",".join(self._live[first:last])

    def status(self, name: str) -> bytes:
        over = self.stopped_ms is not None
        return json.dumps({
            "job_id": name, "job_name": "bench", "instance_id": "i-1", "instance_type": "m5.large",
            "status": "terminated" if over else "running", "terminal_status": over, "last_heartbeat": None,
            "job_status": "Done" if over else "Running", "job_status_date": None, "finished_job_status": over,
            "total_tasks": 1, "finished_tasks": int(over),
        }).encode()  # fmt: skip


class Generator:
    def __init__(self) -> None:
        self.born_ms = int(time.time() * 1000)
        self.jobs: dict[str, Job] = {}
        self.counts: Counter[str] = Counter()

    def job(self, name: str) -> Job:
        if name not in self.jobs:
            self.jobs[name] = Job(name, self.born_ms)
        return self.jobs[name]

    def answer(self, target: str) -> tuple[bytes, Job | None, tuple[int, int, int, int]]:
        """The whole body, or the job and the ranges of its entries."""
        address = urlsplit(target)
        parts = address.path.strip("/").split("/")
        nothing = (0, 0, 0, 0)
        if parts[0] == "control":
            return self.control(parts[1]), None, nothing
        if parts[:2] == ["run", "by-id"]:
            self.counts[f"status {parts[2]}"] += 1
            return self.job(parts[2]).status(parts[2]), None, nothing
        if parts[0] == "logs":
            self.counts[f"logs {parts[1]}"] += 1
            since = parse_qs(address.query).get("since_ms")
            job = self.job(parts[1])
            pieces = job.pieces(int(since[0]) if since else None)
            self.counts[f"entries {parts[1]}"] += pieces[1] - pieces[0] + pieces[3] - pieces[2]
            return b"", job, pieces
        self.counts["other"] += 1
        return b"[]", None, nothing

    def control(self, what: str) -> bytes:
        counts = dict(self.counts)
        if what == "counts":
            self.counts.clear()
        for job in self.jobs.values():
            if what == "start":
                job.start()
            elif what == "stop":
                job.stopped_ms = job.stopped_ms or int(time.time() * 1000)
        live = {name: job.live for name, job in self.jobs.items()}
        return json.dumps({**counts, "live": live}).encode()


class Connection(asyncio.Protocol):
    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.data = b""
        self.writable = asyncio.Event()
        self.writable.set()
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def connection_lost(self, error: Exception | None) -> None:
        for task in self.tasks:
            task.cancel()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head, self.data = self.data[:end], self.data[end + 4 :]
            self.respond(head.split(b" ", 2)[1].decode())

    def respond(self, target: str) -> None:
        body, job, (first, last, start, end) = self.generator.answer(target)
        if job is None:
            self.transport.write(self.head(b"Content-Length: %d" % len(body)) + body)
        elif last - first <= 10 * BLOCK:
            body = b"[%s]" % b",".join(filter(None, (job.old(first, last), job.new(start, end))))
            self.transport.write(self.head(b"Content-Length: %d" % len(body)) + body)
        else:
            task = asyncio.get_running_loop().create_task(self.stream(job, first, last, start, end))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    @staticmethod
    def head(length: bytes) -> bytes:
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\n%s\r\n\r\n" % (date, length)

    async def stream(self, job: Job, first: int, last: int, start: int, end: int) -> None:
        self.transport.write(self.head(b"Transfer-Encoding: chunked"))
        comma = b"["
        for at in range(first, last, BLOCK):
            await self.writable.wait()
            self.chunk(comma + job.old(at, min(at + BLOCK, last)))
            comma = b","
            await asyncio.sleep(0)
        tail = job.new(start, end)
        self.chunk((comma + tail if tail else b"") + b"]")
        self.transport.write(b"0\r\n\r\n")

    def chunk(self, data: bytes) -> None:
        self.transport.write(b"%x\r\n%s\r\n" % (len(data), data))


async def main(port: int) -> None:
    generator = Generator()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(generator), "127.0.0.1", port)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        os.sched_setaffinity(0, {int(sys.argv[2])})
    uvloop.run(main(int(sys.argv[1])))
