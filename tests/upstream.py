"""A scripted upstream that speaks the Fused wire on loopback, faults and all; as a fixture, and as a program:

python -m tests.upstream --port 8585 --rate 50 --seconds 600
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROUTES = ("status", "logs", "cancel", "list", "config", "storage")
_REASONS = {200: "OK", 302: "Found", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Raw(dict[str, Any]):
    """An entry, a row or a status that goes out as this very text, strict JSON or not; its `timestamp` is known."""

    def __init__(self, text: str, **known: Any) -> None:
        super().__init__(known)
        self.text = text


def dumped(value: Any) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, list):
        return f"[{', '.join(map(dumped, value))}]"
    return json.dumps(value)


@dataclass
class Job:
    """`limit`: most entries in an answer, the `oldest` or `newest` of them; `limit_bytes`: most bytes of it, but one
    entry at least. `inclusive`: what `since_ms` means. `order`: of an answer, by timestamp where there is none."""

    id: str
    status: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    limit_bytes: int | None = None
    keeps: str = "oldest"
    inclusive: bool = True
    order: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None = None
    entries: list[tuple[float, Any]] = field(default_factory=list)  # when it can be seen (monotonic), and what
    config: dict[str, Any] = field(default_factory=lambda: {"name": "job", "steps": [{"type": "udf", "name": "udf"}]})

    def __post_init__(self) -> None:
        self.status = {
            "job_id": self.id, "job_name": f"name of {self.id}", "instance_id": "i-1", "instance_type": "m5.large",
            "status": "running", "terminal_status": False, "job_status": "Running", "finished_job_status": False,
            "total_tasks": 1, "finished_tasks": 0, **self.status,
        }  # fmt: skip

    def log(self, message: str, timestamp: Any = None, *, after: float = 0.0, **more: Any) -> None:
        """One entry. `after`: so many seconds from now it can be seen."""
        entry = {"timestamp": now_ms() if timestamp is None else timestamp, "message": message, **more}
        self.entries.append((time.monotonic() + after, entry))

    def add(self, *entries: Any) -> None:
        """Entries as they are, of any JSON value."""
        self.entries += [(0.0, entry) for entry in entries]

    def lines(self, first: int, last: int, at: int, step: int = 1) -> None:
        """Numbered lines, `step` ms apart from `at` on."""
        self.add(*({"timestamp": at + (n - first) * step, "message": f"line {n}\n"} for n in range(first, last + 1)))

    def finish(self, job_status: str = "Done") -> None:
        self.status |= {
            "status": "terminated", "terminal_status": True, "job_status": job_status, "finished_job_status": True,
        }  # fmt: skip

    def visible(self) -> list[Any]:
        now = time.monotonic()
        return [entry for at, entry in list(self.entries) if at <= now]

    def answer(self, since: int | None) -> list[Any]:
        found = self.visible()
        if since is not None:
            found = [entry for entry in found if _after(entry, since, self.inclusive)]
        found = self.order(found) if self.order else sorted(found, key=_time)
        if self.limit is not None:
            found = found[: self.limit] if self.keeps == "oldest" else found[-self.limit :]
        if self.limit_bytes is not None:
            sizes = accumulate(len(dumped(entry)) + 2 for entry in found)
            found = found[: max(1, sum(1 for size in sizes if size <= self.limit_bytes))]
        return found


def _time(entry: Any) -> float:
    value = entry.get("timestamp") if isinstance(entry, dict) else None
    return value if isinstance(value, int | float) else 0


def _after(entry: Any, since: int, inclusive: bool) -> bool:
    value = entry.get("timestamp") if isinstance(entry, dict) else None
    if not isinstance(value, int | float):
        return True
    return value >= since if inclusive else value > since


@dataclass
class Fault:
    """`kind`: status (`code`, `headers`, `body`), hang, cut, half, html, object, null, numbers, empty, giant, deep,
    shrunk (half of the entries), drip (a byte a `seconds`)."""

    kind: str
    code: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"detail": "out of order"}'
    seconds: float = 600.0
    size: int = 0


@dataclass
class Chaos:
    """Faults by chance: each request of `routes` fails with probability `rate`, by one of `faults`."""

    seed: int
    rate: float
    faults: tuple[Fault, ...]
    routes: tuple[str, ...] = ("status", "logs")

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def pick(self, route: str) -> Fault | None:
        if route not in self.routes or self.random.random() >= self.rate:
            return None
        return self.random.choice(self.faults)


@dataclass(frozen=True)
class Asked:
    route: str
    job: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float

    @property
    def since(self) -> int | None:
        return int(self.query["since_ms"]) if "since_ms" in self.query else None


@dataclass(frozen=True)
class Reply:
    code: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Upstream:
    """`start()` and `stop()`; between them `url` answers. Everything may be changed while it runs."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.jobs: dict[str, Job] = {}
        self.requests: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.giant_mib = 0  # of giant answers, taken by those who asked
        self.asked: deque[Asked] = deque(maxlen=10_000)
        self.faults: dict[str, deque[Fault]] = {route: deque() for route in ROUTES}
        self.always: dict[str, Fault] = {}
        self.chaos: Chaos | None = None
        self.date_skew = 0.0
        self.dated = True
        self.latency = 0.0
        self.rows: list[Any] = []  # of the list, before the jobs
        self.location: str | None = None
        self.on_request: Callable[[Asked], None] | None = None
        self.port = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/server/v1"

    def job(self, id: str = "job-1", **options: Any) -> Job:
        self.jobs[id] = Job(id, **options)
        return self.jobs[id]

    def fail(self, route: str, kind: str, times: int = 1, **details: Any) -> None:
        """The next `times` requests of a route."""
        self.faults[route].extend(Fault(kind, **details) for _ in range(times))

    # --- running -------------------------------------------------------------------------------------------------

    def start(self, port: int = 0) -> Upstream:
        self.port = port
        self._ready.clear()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the scripted upstream did not start")
        return self

    def stop(self) -> None:
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
            self._loop = None

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:  # type: ignore[arg-type]
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._request(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        await reader.readexactly(int(headers.get("content-length", 0)))
        parts = urlsplit(target)
        route, job = _route(method, parts.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        asked = Asked(route, job, query, headers, time.monotonic())
        self.requests[route] += 1
        self.asked.append(asked)
        if self.on_request is not None:
            self.on_request(asked)
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = self._fault(route)
        if fault is None:
            return await self._send(writer, self._reply(asked))
        self.injected[f"{route}: {fault.kind}{f' {fault.code}' if fault.kind == 'status' else ''}"] += 1
        return await self._break(writer, asked, fault)

    def _fault(self, route: str) -> Fault | None:
        if self.faults.get(route):
            return self.faults[route].popleft()
        if route in self.always:
            return self.always[route]
        return self.chaos.pick(route) if self.chaos is not None else None

    # --- answers -------------------------------------------------------------------------------------------------

    def _reply(self, asked: Asked) -> Reply:
        if asked.route == "storage":
            return _json(self.jobs[asked.job].config) if asked.job in self.jobs else _json({"detail": "gone"}, 404)
        if self.token and asked.headers.get("authorization", "").split(" ")[-1] != self.token:
            return _json({"detail": "who are you?"}, 401)
        if asked.route == "list":
            skip, limit = int(asked.query.get("skip", 0)), int(asked.query.get("limit", 25))
            rows = [*self.rows, *(_record(job) for job in reversed(self.jobs.values()))]
            return _json(rows[skip : skip + limit])
        job = self.jobs.get(asked.job)
        if job is None:
            return _json({"detail": f"no job {asked.job}"}, 404)
        if asked.route == "logs":
            return _json(job.answer(asked.since))
        if asked.route == "cancel":
            job.finish("Canceled")
        if asked.route == "config":
            here = f"http://127.0.0.1:{self.port}/storage/{asked.job}?signature=abc"
            return Reply(302, b"", {"location": self.location or here})
        return _json(job.status)

    async def _send(self, writer: asyncio.StreamWriter, reply: Reply, most: int | None = None) -> bool:
        """False where the connection is over. `most`: breaks off after so many bytes of the body."""
        headers = {"content-type": "application/json", "content-length": str(len(reply.body)), **reply.headers}
        if self.dated:
            headers.setdefault("date", formatdate(time.time() + self.date_skew, usegmt=True))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.code} {_REASONS.get(reply.code, 'Error')}\r\n{lines}\r\n".encode())
        body = reply.body if most is None else reply.body[:most]
        for start in range(0, len(body), 1 << 20):
            writer.write(body[start : start + (1 << 20)])
            await writer.drain()
        await writer.drain()
        if most is not None:
            await asyncio.sleep(0.02)  # what was written is read before the reset comes
        return most is None

    async def _break(self, writer: asyncio.StreamWriter, asked: Asked, fault: Fault) -> bool:
        if fault.kind == "status":
            return await self._send(writer, Reply(fault.code, fault.body, fault.headers))
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
            return False
        if fault.kind == "giant":
            return await self._giant(writer, fault.size)
        if fault.kind == "drip":
            return await self._drip(writer, fault.seconds)
        good = self._reply(asked)
        if fault.kind == "shrunk":
            return await self._send(writer, self._shrunk(asked) or good)
        if fault.kind == "cut":
            return await self._send(writer, good, len(good.body) * 2 // 3)
        if fault.kind == "half":
            return await self._send(writer, Reply(200, good.body[: len(good.body) // 2]))
        bodies = {
            "html": b"<html><body>502 Bad Gateway</body></html>", "object": b"{}", "null": b"null", "empty": b"",
            "numbers": b"[1, 2, 3]", "deep": b'[{"timestamp": 1, "message": "m", "x": ' + b"[" * 100_000,
        }  # fmt: skip
        return await self._send(writer, Reply(200, bodies[fault.kind]))

    def _shrunk(self, asked: Asked) -> Reply | None:
        job = self.jobs.get(asked.job) if asked.route == "logs" else None
        if job is None:
            return None
        found = job.answer(asked.since)
        return _json(found[: len(found) // 2])

    async def _drip(self, writer: asyncio.StreamWriter, seconds: float) -> bool:
        """An answer that comes byte by byte and never ends."""
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n[")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(seconds)

    async def _giant(self, writer: asyncio.StreamWriter, size: int) -> bool:
        """One entry that does not end for `size` bytes."""
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + b'[{"timestamp": 1, "message": "')
        for _ in range(0, size, 1 << 20):
            writer.write(b"x" * (1 << 20))
            await writer.drain()
            self.giant_mib += 1
        return False


def _route(method: str, path: str) -> tuple[str, str]:
    parts = [part for part in path.split("/") if part][2:]
    match [method, *parts]:
        case ["GET", "run", "by-id", job]:
            return "status", job
        case ["POST", "run", "by-id", job, "cancel"]:
            return "cancel", job
        case ["GET", "logs", job]:
            return "logs", job
        case ["GET", "job", "self"]:
            return "list", ""
        case ["GET", "job", "by-id", job, "config"]:
            return "config", job
    parts = [part for part in path.split("/") if part]
    return ("storage", parts[1]) if parts[:1] == ["storage"] else ("unknown", "")


def _json(value: Any, code: int = 200) -> Reply:
    return Reply(code, dumped(value).encode())


def _record(job: Job) -> dict[str, Any]:
    return {
        "id": job.id, "user_id": "u-1", "creation_date": "2026-01-01T00:00:00Z", "job_status": job.status["job_status"],
        "job_status_date": None, "instance_id": "i-1", "instance_type": "m5.large", "execution_environment_id": "e-1",
    }  # fmt: skip


@contextmanager
def upstream(**options: Any) -> Iterator[Upstream]:
    server = Upstream(**options).start()
    try:
        yield server
    finally:
        server.stop()


def messages(entries: Iterable[Any]) -> list[str]:
    return [entry["message"] for entry in entries]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8585)
    parser.add_argument("--job", default="job-1")
    parser.add_argument("--rate", type=float, default=10.0, help="lines a second")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--chaos", type=float, default=0.0, help="part of the requests that fail")
    options = parser.parse_args()
    server = Upstream().start(options.port)
    if options.chaos:
        server.chaos = Chaos(1, options.chaos, (Fault("status"), Fault("cut"), Fault("half"), Fault("html")))
    job = server.job(options.job)
    print(f"{server.url} answers for {options.job}", flush=True)
    began = time.monotonic()
    count = 0
    while (passed := time.monotonic() - began) < options.seconds:
        while count < passed * options.rate:
            count += 1
            job.log(f"line {count}\n")
        time.sleep(0.02)
    job.finish()
    threading.Event().wait()


if __name__ == "__main__":
    main()
