"""Reads a stream of events as the standard says (WHATWG HTML, 9.2), over a plain socket that a test holds in hand."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Event:
    name: str
    id: str
    data: Any


class EventStream:
    """`status`, `headers` (lower case), and the events as they come. `retry`: what the server asked for, ms."""

    def __init__(
        self, url: str, *, headers: dict[str, str] | None = None, timeout: float = 20, buffer: int = 0
    ) -> None:
        parts = urlsplit(url)
        self._socket = socket.socket()
        if buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.settimeout(timeout)
        self._socket.connect((parts.hostname, parts.port or 80))
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._file = self._socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.retry: int | None = None
        self.comments = 0
        self.last_id = ""
        self.ended = False
        self._events = self._read()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def body(self) -> bytes:
        return b"".join(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        if "content-length" in self.headers:
            yield self._file.read(int(self.headers["content-length"]))
            return
        while size := int(self._file.readline().strip() or b"0", 16):
            yield self._file.read(size)
            self._file.readline()
        self._file.readline()
        self.ended = True

    def __iter__(self) -> Iterator[Event]:
        """May be left and taken up again."""
        return self._events

    def _read(self) -> Iterator[Event]:
        rest = b""
        for chunk in self._chunks():
            rest += chunk
            *blocks, rest = rest.split(b"\n\n")
            for block in blocks:
                event = self._event(block.decode())
                if event is not None:
                    yield event
        assert not rest, f"the stream ended within an event: {rest[:100]!r}"

    def _event(self, block: str) -> Event | None:
        fields: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            if name == "":
                self.comments += 1
            elif name == "retry":
                self.retry = int(value)
            else:
                fields[name] = value.removeprefix(" ")
        self.last_id = fields.get("id", self.last_id)
        return (
            Event(fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"]))
            if "data" in fields
            else None
        )

    def until(self, name: str) -> list[Event]:
        """All events up to the first of this name, that included."""
        found = []
        for event in self:
            found.append(event)
            if event.name == name:
                return found
        raise AssertionError(f"the stream ended without {name!r}: {found[-3:]}")


def lines_of(events: list[Event]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for event in events:
        if event.name == "":
            found.append(event.data)
        elif event.name == "lines":
            found += event.data
    return found
