"""Many runners in one process, as `docs/push.md` describes them: PORT RUNNERS LINES_A_SECOND SECONDS CPU.

Each writes so many lines a second, sends what has come since with the pauses of `jobtail run --to`, and a heartbeat a
second. Prints, as JSON, how many lines were taken and how long a line waited until the service had it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
import time
import uuid
from typing import Any

PACE_SECONDS, PACE_TIMES = (0.1, 2.0), 4.0  # of `push/sender.py`
PACK_BYTES = 1024
TEXT = "step {} of the training: loss 0.1234, 5678 samples a second\n"


class Runner:
    def __init__(self, port: int, number: int, rate: int) -> None:
        self.port, self.rate = port, rate
        self.job = f"bench-{number}-{uuid.uuid4().hex}"
        self.grant = ""
        self.sent = self.requests = 0
        self.waits: list[float] = []
        self.lock = asyncio.Lock()

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, method: str, path: str, body: Any, seq: int | None = None) -> dict[str, Any]:
        content, extra = json.dumps(body).encode(), ""
        if len(content) > PACK_BYTES:
            content, extra = gzip.compress(content, 1), "Content-Encoding: gzip\r\n"
        extra += f"Authorization: Bearer {self.grant}\r\n" if self.grant else ""
        extra += f"Producer-Seq: {seq}\r\n" if seq is not None else ""
        head = (
            f"{method} /api/jobs/{self.job}{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
            f"Producer-Id: {self.job}\r\nProducer-Epoch: 0\r\n{extra}\r\n"
        )
        async with self.lock:
            while True:
                try:
                    self.writer.write(head.encode() + content)
                    status, wait, answer = await self.answer()
                except (OSError, asyncio.IncompleteReadError):  # idle for too long: the same again counts once
                    await self.connect()
                    continue
                self.requests += 1
                if status not in (429, 503):
                    break
                await asyncio.sleep(wait)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        found: dict[str, Any] = json.loads(answer or b"{}")
        return found

    async def answer(self) -> tuple[int, float, bytes]:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        named = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body = await self.reader.readexactly(int(named.get("content-length", 0)))
        return int(lines[0].split()[1]), float(named.get("retry-after", 1)), body

    async def begin(self) -> None:
        await self.connect()
        self.grant = (await self.ask("PUT", "", {"name": self.job}))["grant"]

    async def run(self, began: float, seconds: float) -> None:
        heart, seq, total = asyncio.create_task(self.beat()), 0, int(self.rate * seconds)
        while self.sent < total:
            written = min(total, int(self.rate * (time.monotonic() - began)))
            if written == self.sent:
                await asyncio.sleep(1 / self.rate)
                continue
            at = int(time.time() * 1000)
            lines = [
                {"timestamp": at, "message": TEXT.format(n), "stream": "stdout"} for n in range(self.sent, written)
            ]
            asked = time.monotonic()
            await self.ask("POST", "/lines", {"lines": lines}, seq)
            now = time.monotonic()
            self.waits += [now - began - n / self.rate for n in range(self.sent, written)]
            self.sent, seq = written, seq + 1
            await asyncio.sleep(min(PACE_SECONDS[1], max(PACE_SECONDS[0], PACE_TIMES * (now - asked))))
        async with self.lock:  # none of its requests is under way
            heart.cancel()

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self.ask("POST", "/heartbeat", {})


async def main(port: int, count: int, rate: int, seconds: float) -> None:
    runners = [Runner(port, number, rate) for number in range(count)]
    for runner in runners:
        await runner.begin()
    print("begun", flush=True)
    began = time.monotonic()
    await asyncio.gather(*(runner.run(began, seconds) for runner in runners))
    took = time.monotonic() - began
    waits = sorted(wait for runner in runners for wait in runner.waits)
    found = {
        "seconds": took, "lines": sum(runner.sent for runner in runners),
        "requests": sum(runner.requests for runner in runners),
        "p50": waits[len(waits) // 2], "p95": waits[len(waits) * 95 // 100], "p99": waits[len(waits) * 99 // 100],
    }  # fmt: skip
    print(json.dumps(found), flush=True)
    sys.stdin.readline()  # the CPU of the service is looked at before the jobs end
    for runner in runners:
        await runner.ask("POST", "/end", {"exit_code": 0})


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[5])})
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
