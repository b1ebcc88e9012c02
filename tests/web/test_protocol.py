"""What comes over a connection: how large it may grow, how long it may take, and what of it counts."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from webapp.web import protocol
from webapp.web.protocol import MAX_HEAD, BoundedProtocol, bounded, target_host


async def app(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


seen: list[list[tuple[bytes, bytes]]] = []


async def reads_all(scope: Any, receive: Any, send: Any) -> None:
    """Remembers the headers as they are once the whole body has come."""
    while (await receive()).get("more_body"):
        pass
    seen.append(list(scope["headers"]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def streams(scope: Any, receive: Any, send: Any) -> None:
    """An answer that does not end before the reader does."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def refuses(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


@contextlib.asynccontextmanager
async def serving(
    app: Any, kind: type[BoundedProtocol] = BoundedProtocol
) -> AsyncIterator[Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]]:
    config = uvicorn.Config(app, lifespan="off", log_config=None, proxy_headers=False, ws="none")
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: kind(config, state, {}), "127.0.0.1", 0)
    async with server:
        yield lambda: asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])


async def ended(app: Any, request: bytes, drip: bytes) -> bytes:
    """What came back until the connection was ended, while `drip` is sent to it byte by byte, again and again."""
    async with serving(app) as connect:
        reader, writer = await connect()
        answer = b""

        async def drips() -> None:
            for place in itertools.count():
                writer.write(drip[place % len(drip) :][:1])
                await asyncio.sleep(0.02)

        task = asyncio.create_task(drips())
        try:
            writer.write(request)
            while piece := await asyncio.wait_for(reader.read(1 << 16), 10):
                answer += piece
        except ConnectionError:
            pass
        finally:
            task.cancel()
            writer.transport.abort()
        return answer


async def exchange(*pieces: bytes) -> bytes:
    """What comes back for these pieces, each sent by itself, until the server closes or has answered."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, proxy_headers=False, ws="none")
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedProtocol(config, ServerState(), {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            return await asyncio.wait_for(reader.read(1 << 16), 10)
        except ConnectionError:
            return b""
        finally:
            writer.close()


def test_a_request_in_small_pieces_is_answered() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1000 + b"\r\n\r\n"
    pieces = [request[place : place + 100] for place in range(0, len(request), 100)]
    assert b"200 OK" in asyncio.run(exchange(*pieces))


def test_a_body_is_no_head() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"
    assert b"200 OK" in asyncio.run(exchange(head + b"x" * 100_000, b"x" * 100_000, b"x" * 100_000))


@pytest.mark.parametrize("endless", [b"X: " + b"x" * MAX_HEAD * 2, b"X: x\r\n" * MAX_HEAD])
def test_a_head_that_grows_too_large_is_refused(endless: bytes) -> None:
    answer = asyncio.run(exchange(b"GET / HTTP/1.1\r\nHost: a\r\n" + endless))
    assert answer == b"" or b"400 Bad Request" in answer


def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    assert asyncio.run(exchange()) == b""
    assert asyncio.run(exchange(b"GET / HTTP/1.1\r\nHost:")) == b""


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_trailer_is_no_header() -> None:
    seen.clear()
    request = CHUNKED + b"2\r\nhi\r\n0\r\nX-User: ada\r\nX-Forwarded-For: 1.2.3.4\r\nHost: b\r\n\r\n"

    async def go() -> None:
        async with serving(reads_all) as connect:
            reader, writer = await connect()
            writer.write(request + GET)
            while len(seen) < 2:
                await asyncio.wait_for(reader.read(1 << 16), 10)
            writer.close()

    asyncio.run(go())
    assert seen == [[(b"host", b"a"), (b"transfer-encoding", b"chunked")], [(b"host", b"a")]]


@pytest.mark.parametrize(
    "endless",
    [
        b"0\r\n" + b"X: x\r\n" * MAX_HEAD,
        b"0\r\nX: " + b"x" * MAX_HEAD * 6,
        b"1;" + b"x" * MAX_HEAD * 6,
        b"1;a=b\r\nx\r\n" + (b"1;" + b"a=b;" * 100 + b"\r\nx\r\n") * 1000,
        b"0" * MAX_HEAD * 6,
    ],
    ids=["trailers", "one trailer", "one extension", "extensions", "a chunk's head"],
)
def test_what_frames_a_body_is_bounded(endless: bytes) -> None:
    pieces = [endless[place : place + 16_384] for place in range(0, len(endless), 16_384)]
    answer = asyncio.run(exchange(CHUNKED, *pieces, b""))
    assert b"200 OK" not in answer


@pytest.mark.parametrize(
    ("app", "request_", "drip"),
    [
        (app, GET, b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000),
        (app, GET, b"\r\n"),
        (streams, GET, b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000),
        (streams, GET[:-2] + b"Content-Length: 100000\r\n\r\n", b"x"),
        (refuses, LENGTH, b"x"),
        (refuses, CHUNKED, b"1\r\nx\r\n"),
        (reads_all, CHUNKED, b"1\r\nx\r\n"),
        (reads_all, CHUNKED + b"1;", b"x"),
        (reads_all, CHUNKED + b"0\r\nX: ", b"x"),
        (app, GET.replace(b"GET", b"HEAD", 1)[:-2] + b"Content-Length: 100000\r\n\r\n", b"x"),
        (streams, GET + CHUNKED, b"1\r\nx\r\n"),
    ],
    ids=[
        "the next head", "empty lines", "a head under a stream", "a body under a stream", "a refused body",
        "refused chunks", "chunks", "an extension", "a trailer", "a body of HEAD", "a pipelined body",
    ],
)  # fmt: skip
def test_a_connection_that_drips_ends(monkeypatch: pytest.MonkeyPatch, app: Any, request_: bytes, drip: bytes) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "GRACE_SECONDS", 0.0)
    answer = asyncio.run(ended(app, request_, drip))
    assert answer.count(b"HTTP/1.1") <= 1, "nothing is written into an answer that is still going out"


def test_an_upload_after_its_answer_is_taken_only_so_far() -> None:
    request = LENGTH.replace(b"100000", b"9999999999")
    answer = asyncio.run(ended(refuses, request + b"x" * (3 << 20), b"x" * 10))
    assert answer.startswith(b"HTTP/1.1 413")


def test_requests_that_wait_in_a_row_are_bounded() -> None:
    assert asyncio.run(ended(streams, GET * 1000, b"x")).count(b"HTTP/1.1") <= 1


def test_who_streams_is_told_that_the_reader_is_gone_though_another_request_waits() -> None:
    gone = asyncio.Event()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        await streams(scope, receive, send)
        gone.set()

    async def go() -> None:
        async with serving(watched) as connect:
            reader, writer = await connect()
            writer.write(GET + GET)
            await asyncio.wait_for(reader.readuntil(b"first"), 10)
            writer.transport.abort()
            await asyncio.wait_for(gone.wait(), 10)

    asyncio.run(go())


@pytest.mark.parametrize("begun", [b"", b"GET / HT", LENGTH, LENGTH + b"x", CHUNKED + b"1\r\n"])
def test_when_connections_run_short_those_go_first_that_have_not_asked(begun: bytes) -> None:
    kind = bounded(5)

    async def go() -> None:
        async with serving(streams, kind) as connect:
            busy = [await connect() for _ in range(3)]
            for reader, writer in busy:
                writer.write(GET)
                assert b"first" in await asyncio.wait_for(reader.readuntil(b"first"), 10)
            silent = []
            for _ in range(40):
                silent.append(await connect())
                silent[-1][1].write(begun)
            reader, writer = await connect()
            writer.write(GET)
            assert await asyncio.wait_for(reader.readuntil(b"first"), 10)
            gone = await asyncio.gather(*(reader.read() for reader, _ in silent[:35]), return_exceptions=True)
            assert len(gone) == 35
            assert all(not reader.at_eof() for reader, _ in busy)
            assert kind.count <= 5
            for _, each in [*busy, *silent, (reader, writer)]:
                each.transport.abort()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_the_last_descriptors_are_not_for_connections_that_ask_nothing() -> None:
    """Here every number of a descriptor is too great."""
    kind = bounded(0, protocol.SPARE_DESCRIPTORS + 1)

    async def go() -> None:
        async with serving(streams, kind) as connect:
            pairs = [await connect() for _ in range(20)]
            ended = [asyncio.create_task(reader.read()) for reader, _ in pairs]
            while sum(task.done() for task in ended) < 19:
                await asyncio.wait([task for task in ended if not task.done()], return_when=asyncio.FIRST_COMPLETED)
            assert kind.count <= 1
            await asyncio.gather(*ended[:-1], return_exceptions=True)
            for task in ended:
                task.cancel()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_the_host_of_a_target() -> None:
    assert target_host(b"http://evil.example/api") == b"evil.example"
    assert target_host(b"http://u@evil.example:80?x") == b"u@evil.example:80"
    assert target_host(b"/api?next=http://evil.example/") is None and target_host(b"*") is None
