"""The head of a request: how large it may grow, and how long it may take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from webapp.web import protocol
from webapp.web.protocol import MAX_HEAD, BoundedProtocol


async def app(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


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
