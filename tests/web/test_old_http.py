"""What HTTP/1.0 gets: bodies as they are, ended by the connection."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.served import Served


def raw(served: Served, target: str, version: str = "1.0", method: str = "GET") -> tuple[str, bytes]:
    with socket.create_connection(("127.0.0.1", served.port), 20) as connection:
        connection.sendall(f"{method} {target} HTTP/{version}\r\nHost: 127.0.0.1\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode().lower(), body


def test_http_1_0_gets_no_chunks(serve: Callable[..., Served]) -> None:
    served = serve()
    job = served.run("seq", "3")
    for query, body in (("format=text", b"1\n2\n3\n"), ("format=text&follow=true", b"1\n2\n3\n")):
        head, got = raw(served, f"/api/jobs/{job}/logs?{query}")
        assert "transfer-encoding" not in head and got == body
    head, got = raw(served, f"/api/jobs/{job}/events")
    assert "transfer-encoding" not in head and got.startswith(b"retry: ") and b"event: done" in got
    head, got = raw(served, f"/api/jobs/{job}")
    assert f"content-length: {len(got)}" in head
    head, got = raw(served, f"/api/jobs/{job}/logs?format=text", method="HEAD")
    assert " 200 " in head and got == b""
