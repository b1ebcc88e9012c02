"""The attackers, each a process: `python -m tests.abuse.attackers KIND`, its options as a line of JSON on its input.

It writes a line of JSON once its attack is under way, goes on until its input ends, and then writes what it has seen.
None of it knows more than what its options hold: addresses, and the headers of a link's holder.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

Options = dict[str, Any]
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
# Nobody's neighbour: what is counted by address is counted for the attacker alone.
SOURCE = ("127.0.0.66", 0) if sys.platform == "linux" else None
# One address has seats for 16 reads and 20 searches; an attacker has more than one address.
SOURCES = [(f"127.0.1.{n}", 0) if SOURCE else None for n in range(1, 9)]


class Told:
    """What the attacker has seen."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._begun = False

    def begin(self, ready: object = True) -> None:
        if not self._begun:
            self._begun = True
            print(json.dumps(ready), flush=True)


async def main() -> None:
    kind, told = sys.argv[1], Told()
    options = json.loads(sys.stdin.readline())
    task = asyncio.create_task(KINDS[kind](options, told))
    over = asyncio.create_task(asyncio.to_thread(_answer_until_the_end, kind))
    await asyncio.wait([task, over], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    print(json.dumps(told.counts), flush=True)
    os._exit(0)  # connections that hang are nobody's concern


def _answer_until_the_end(kind: str) -> None:
    for line in sys.stdin:
        print(json.dumps(COMMANDS[kind](json.loads(line))), flush=True)


@contextlib.asynccontextmanager
async def connected(door: str, source: Any = SOURCE, limit: int = 1 << 16) -> AsyncIterator[Connection]:
    parts = urlsplit(door)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, local_addr=source, limit=limit)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def request(path: str, headers: dict[str, str], method: str = "GET", **more: str) -> bytes:
    given = {"Host": "127.0.0.1", "Content-Length": "0", **headers, **more}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


async def answered(door: str, data: bytes, told: Told, what: str = "", source: Any = SOURCE) -> int:
    """The status of an answer, which is counted; 0 where there was none."""
    status = 0
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError, TimeoutError):
        async with asyncio.timeout(60), connected(door, source) as (reader, writer):
            writer.write(data)
            line = await reader.readuntil(b"\r\n")
            status = int(line.split(b" ")[1])
            await reader.read(1 << 16)
    told.counts[f"{what} {status}".strip()] += 1
    return status


async def all_of(work: list[Awaitable[Any]]) -> None:
    await asyncio.gather(*work)


# --- 1: what comes after the head


async def trailers(options: Options, told: Told) -> None:
    """Forged headers in trailers, and sections that do not end."""
    door, job = options["door"], options["job"]
    head = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n{}\r\n"

    async def forges() -> None:
        for number in itertools.count():
            trailer = f"0\r\nX-User: admin\r\nX-Forwarded-For: 198.51.100.{number % 250}\r\n\r\n".encode()
            share = head.format(f"/api/jobs/{job}/shares", "") + "2\r\n{}\r\n"
            await answered(door, share.encode() + trailer, told, "share")
            form = "token=wrong&next=/"
            login = head.format("/login", "Content-Type: application/x-www-form-urlencoded\r\n")
            await answered(door, f"{login}{len(form):x}\r\n{form}\r\n".encode() + trailer, told, "sign-in")
            if number == 20:
                told.begin()
            await asyncio.sleep(0.05)

    async def floods(endless: bytes) -> None:
        begin = head.format("/login", "").encode()
        while True:
            sent = 0
            with contextlib.suppress(OSError):
                async with connected(door) as (reader, writer):
                    writer.write(begin)
                    gone = asyncio.create_task(reader.read())
                    while not gone.done() and sent < 64 << 20:
                        writer.write(endless)
                        sent += len(endless)
                        await writer.drain()
                        await asyncio.sleep(0)
                    gone.cancel()
            told.counts["floods"] += 1
            told.counts["most bytes of a flood"] = max(told.counts["most bytes of a flood"], sent)
            await asyncio.sleep(0.2)

    kinds = (b"0\r\n" + b"X: " + b"x" * 60_000, b"X: x\r\n" * 10_000, b"1;" + b"x" * 60_000, b"0" * 60_000)
    await all_of([forges(), *(floods(kind) for kind in kinds * 2)])


FORGED = "GET /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User: admin\r\n\r\n"
_POST = "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
_GET = "GET /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
# By name: a request that two readers may take for different ones (RFC 9112, 11.2), the second of which is forged.
SMUGGLED = {
    "both lengths": f"{_POST}Content-Length: {5 + len(FORGED)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{FORGED}",
    "two codings": f"{_POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{FORGED}",
    "no coding": f"{_POST}Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{FORGED}",
    "a tab": f"{_POST}Transfer-Encoding:\x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{FORGED}",
    "a space": f"{_POST}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{FORGED}",
    "a sign": f"{_POST}Content-Length: +5\r\n\r\n0\r\n\r\n{FORGED}",
    "a list": f"{_POST}Content-Length: 5, 5\r\n\r\n0\r\n\r\n{FORGED}",
    "a bare line feed": f"{_POST}Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n{len(FORGED):x}\r\n0\r\n\r\n{FORGED}",
    "a negative chunk": f"{_POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n{FORGED}",
    "HTTP/1.0": f"{_POST.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{FORGED}",
    "an upgrade": f"{_GET.replace('close', 'Upgrade')}Upgrade: h2c\r\n\r\n{FORGED}",
    "a folded header": f"{_GET}X-A: b\r\n X-User: admin\r\n\r\n",
    "a folded name": f"{_GET}X-User:\r\n admin\r\n\r\n",
    "a name and a space": f"{_GET}X-User : admin\r\n\r\n",
    "an underscore": f"{_GET}X_User: admin\r\n\r\n",
    "a bare return": f"{_GET}X-A: b\rX-User: admin\r\n\r\n",
    "a NUL": f"{_GET}X-A: b\x00X-User: admin\r\n\r\n",
    "a tunnel": f"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n{FORGED}",
}  # fmt: skip


async def smuggles(options: Options, told: Told) -> None:
    """Each of these once. What is seen: by name, the statuses of all answers to it."""

    async def sends(name: str, data: bytes) -> None:
        said = b""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(15), connected(options["door"]) as (reader, writer):
                writer.write(data)
                while piece := await reader.read(1 << 16):
                    said += piece
        for status in re.findall(rb"HTTP/1\.[01] (\d\d\d)", said) or [b"closed"]:
            told.counts[f"{name}: {status.decode()}"] += 1

    told.begin()
    await all_of([sends(name, text.encode("latin-1")) for name, text in SMUGGLED.items()])


# --- 2: walks of a log


async def walks(options: Options, told: Told) -> None:
    """100 requests for what is not there, hung up at once, again and again."""
    job, link, part = options["job"], options["link"], options["part"]
    paths = ("logs?q=zzzz", "search?q=zzzz", "events?tail=1&q=zzzz", "logs?tail=1&q=zzzz", "overview?parts=600")
    wanted = [request(f"/api/jobs/{job}/{path}", link) for path in paths]
    wanted += [request(f"/api/jobs/{job}/{path}", part) for path in ("exec-time", "logs?q=zzzz", "search?q=zzzz")]

    async def asks(data: bytes, source: Any) -> None:
        with contextlib.suppress(OSError):
            async with connected(options["door"], source) as (_, writer):
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(0.02)  # so that it has come before the end does
        told.counts["asked"] += 1

    for wave in itertools.count(1):
        await all_of([asks(wanted[n % len(wanted)], SOURCES[n % len(SOURCES)]) for n in range(100)])
        if wave == 2:
            told.begin()
        await asyncio.sleep(0.25)


async def walks_long(options: Options, told: Told) -> None:
    """Through each of these links 40 searches at once that take minutes, and again whenever one is refused."""

    async def asks(data: bytes, source: Any) -> None:
        while True:
            await answered(options["door"], data, told, "", source)
            await asyncio.sleep(0.5)

    path = f"/api/jobs/{options['job']}/logs?tail=1&regex=true&q={quote(options['expression'], safe='')}"
    asked = [request(path, link) for link in options["links"] for _ in range(40)]
    tasks = [asyncio.create_task(asks(data, SOURCES[n % len(SOURCES)])) for n, data in enumerate(asked)]
    for _ in range(20):  # until all have come: who has no seat is told at once
        if told.counts["503"] < 48:
            await asyncio.sleep(0.5)
    told.begin()
    await asyncio.gather(*tasks)


# --- 3: expressions


async def expressions(options: Options, told: Told) -> None:
    """30 connections with expressions that are as much work as is taken, and more; each is a new one."""
    forms = (
        "(.?){170}Q%d", "(.?){900}Q%d", r"(\pL{3}){2}%d", "(a|b|c){300}(x?){300}%d", "((a?){30}){30}%d",
        ".?" * 24 + "Q%d",
    )  # fmt: skip
    routes = ("search?regex=true&", "logs?regex=true&limit=5&", "events?timeout=0&tail=1&regex=true&")
    numbers = itertools.count()

    async def asks(n: int) -> None:
        for number in numbers:
            hard = quote(forms[number % len(forms)] % number, safe="")
            path = f"/api/jobs/{options['job']}/{routes[number % 3]}q={hard}"
            await answered(options["door"], request(path, options["link"]), told, "", SOURCES[n % len(SOURCES)])
            if number > 60:
                told.begin()

    await all_of([asks(n) for n in range(30)])


# --- 4: cancels


async def cancels(options: Options, told: Told) -> None:
    """120 cancels at once through one link, and again whenever one is refused."""
    data = request(f"/api/jobs/{options['job']}/cancel", options["link"], "POST")

    async def asks() -> None:
        while True:
            await answered(options["door"], data, told)
            await asyncio.sleep(0.5)

    tasks = [asyncio.create_task(asks()) for _ in range(120)]
    await asyncio.sleep(1)
    told.begin()
    await asyncio.gather(*tasks)


# --- 5: slow takers and slow givers


async def takes_slowly(options: Options, told: Told) -> None:
    """100 pages of many megabytes, of which 64 KiB are read a second. The holder of a link has as many as it gets."""

    async def takes(data: bytes) -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with connected(options["door"], SOURCES[0], 1 << 14) as (reader, writer):
                    writer.write(data)
                    status = (await reader.readuntil(b"\r\n")).split(b" ")[1].decode()
                    told.counts[status] += 1
                    while status == "200" and await reader.read(1 << 14):
                        told.counts["pieces"] += 1
                        if told.counts["200"] >= options["wanted"]:
                            told.begin()
                        await asyncio.sleep(0.25)
            await asyncio.sleep(1)

    path = f"/api/jobs/{options['job']}/logs?limit=10000"
    await all_of([takes(request(path, headers)) for headers in options["callers"]])


GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
# By name: what is sent at once, and what then comes a byte every two seconds.
DRIPS = {
    "a head": (b"", GET + b"X: " + b"x" * 99),
    "the next head": (GET + b"\r\n", GET + b"X: " + b"x" * 99),
    "empty lines": (GET + b"\r\n", b"\r\n" * 99),
    "a body": (POST + b"Content-Length: 1000\r\n\r\n", b"x" * 99),
    "a body of GET": (GET + b"Content-Length: 1000\r\n\r\n", b"x" * 99),
    "chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 99),
    "an extension": (POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 99),
    "a trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"x" * 99),
}


async def drips(options: Options, told: Told) -> None:
    """A byte now and then, so that no silence is long. What is seen: after how many ms each connection was ended."""

    async def gives(name: str, first: bytes, rest: bytes) -> None:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            async with connected(options["door"]) as (reader, writer):
                writer.write(first)
                ended = asyncio.create_task(reader.read())
                for place in range(len(rest)):
                    if (await asyncio.wait([ended], timeout=2))[0]:
                        break
                    writer.write(rest[place : place + 1])
        told.counts[name] = max(told.counts[name], round((time.monotonic() - began) * 1000))

    tasks = [asyncio.create_task(gives(name, *drip)) for name, drip in DRIPS.items() for _ in range(options["each"])]
    await asyncio.sleep(1)
    told.begin()
    await asyncio.gather(*tasks)


async def holds(options: Options, told: Told) -> None:
    """As many connections as there are, and a new one for each that is ended: some say nothing, some half a head, some
    were answered, some have begun a body; or all of them have."""
    body = POST + b"Content-Length: 1000\r\n\r\n"
    kinds = (body,) if options["form"] == "bodies" else (b"", GET, GET + b"\r\n", body)

    async def opens(first: bytes, source: Any) -> None:
        while True:
            with contextlib.suppress(OSError):
                async with connected(options["door"], source) as (reader, writer):
                    writer.write(first)
                    told.counts["opened"] += 1
                    await reader.read()
                    while not reader.at_eof():
                        await reader.read(1 << 10)
            await asyncio.sleep(0.2)

    tasks = [
        asyncio.create_task(opens(kinds[n % len(kinds)], SOURCES[n % len(SOURCES)])) for n in range(options["count"])
    ]
    await asyncio.sleep(1.5)
    told.begin()
    await asyncio.gather(*tasks)


# --- 6: whatever makes the service ask a hostile upstream


async def asks(options: Options, told: Told) -> None:
    """Each of these requests over and over, ten at once."""
    wanted = itertools.cycle(options["requests"])

    async def asks_on() -> None:
        while True:
            method, path, headers = next(wanted)
            await answered(options["door"], request(path, headers, method), told)
            if told.counts.total() > len(options["requests"]):
                told.begin()
            await asyncio.sleep(0.05)

    await all_of([asks_on() for _ in range(10)])


# --- 8: what a link to some lines tells


async def reads_around(options: Options, told: Told) -> None:
    """Asks for everything on command: see COMMANDS."""
    _asking.update(options)
    told.begin()
    await asyncio.Event().wait()


_asking: Options = {}
# What differs from one answer to the next in any case: these headers, how old a status is, how a stream is cut into
# chunks.
_CHANGES = (
    rb"(?im)^(?:date|set-cookie|server-timing|x-request-id|retry):.*\n|nonce-[\w-]+|^[0-9a-f]*\r?\n"
    rb"|,?\"(?:stale|as_of)\":\w+"
)


def _answers(given: Options) -> dict[str, str]:
    """By request: all that comes back, head and body."""

    async def asks(path: str, headers: dict[str, str], method: str) -> bytes:
        async with asyncio.timeout(60), connected(_asking["door"]) as (reader, writer):
            writer.write(request(path, {**_asking["link"], **headers}, method, Connection="close"))
            return re.sub(_CHANGES, b"", await reader.read())

    async def asks_all() -> dict[str, str]:
        found = {}
        for method, path, headers in given["requests"]:
            found[f"{method} {path} {headers}"] = (await asks(path, headers, method)).decode("latin-1")
        return found

    return asyncio.run(asks_all())


# --- 9: what comes out anywhere


def _traces(given: Options) -> list[str]:
    """Where one of these secrets comes out: answers of every request to every caller."""

    async def asks(path: str, headers: dict[str, str], method: str) -> bytes:
        async with asyncio.timeout(60), connected(_asking["door"]) as (reader, writer):
            writer.write(request(path, headers, method, Connection="close"))
            return await reader.read()

    async def asks_all() -> list[str]:
        found = []
        for who, headers in _asking["callers"].items():
            for method, path in given["requests"]:
                said = await asks(path, headers, method)
                _asking["bytes"] = _asking.get("bytes", 0) + len(said)
                found += [f"{who}: {method} {path}: {secret}" for secret in given["secrets"] if secret.encode() in said]
        return [*found, f"read {_asking['bytes']} bytes"]

    return asyncio.run(asks_all())


# --- 10: the small ones


async def invents(options: Options, told: Told) -> None:
    """60 ids that no job has, and targets and hosts that are not ours."""
    door, headers = options["door"], options["headers"]
    for wave in itertools.count():
        ids = [f"invented-{wave}-{n}" for n in range(60)]
        for route in ("", "/logs", "/events?timeout=0"):
            await all_of([answered(door, request(f"/api/jobs/{id}{route}", headers), told, "id") for id in ids])
        for target in ("http://evil.example/", "http://evil.example/healthz", "https://127.0.0.1:1/healthz"):
            await answered(door, request(target, {}), told, "host")
            # HAProxy refuses some of these itself.
            await answered(options["service"], request(target, {}), told, "host at the service")
        told.begin()
        await asyncio.sleep(0.2)


KINDS: dict[str, Callable[[Options, Told], Awaitable[None]]] = {
    "trailers": trailers, "smuggles": smuggles, "walks": walks, "walks_long": walks_long, "expressions": expressions,
    "cancels": cancels, "takes_slowly": takes_slowly, "drips": drips, "holds": holds, "asks": asks,
    "reads_around": reads_around, "looks_for_secrets": reads_around, "invents": invents,
}  # fmt: skip
COMMANDS: dict[str, Callable[[Options], Any]] = {"reads_around": _answers, "looks_for_secrets": _traces}

if __name__ == "__main__":
    from tests.abuse import hostile

    KINDS["hostile_upstream"] = hostile.upstream
    asyncio.run(main())
