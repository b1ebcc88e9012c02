"""A server of the test's own making: what a service, a proxy or a stranger may answer, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

Answers = Callable[["Asked"], "bytes | list[bytes]"]


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    number: int


@dataclass
class Stub:
    """`answers(asked)` gives what goes over the socket, head included; then the connection is closed. `tls`: speaks
    TLS with this context."""

    answers: Answers
    asked: list[Asked] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> Stub:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                if self.tls is None:
                    self._answer(connection)
                    continue
                with contextlib.suppress(OSError), self.tls.wrap_socket(connection, server_side=True) as secure:
                    self._answer(secure)

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return
            data += chunk
        head = data.split(b"\r\n\r\n")[0].decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        asked = Asked(method, path, headers, len(self.asked))
        self.asked.append(asked)
        answer = self.answers(asked)
        for piece in [answer] if isinstance(answer, bytes) else answer:
            connection.sendall(piece)


def http(status: int, body: bytes, kind: str = "application/json", *headers: str, length: int | None = None) -> bytes:
    """An HTTP answer. `length`: what it claims, where that is not the truth."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", *headers, "Connection: close"]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
