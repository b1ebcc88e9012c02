"""Server-Sent Events, bytes in and events out:
https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6.

Pure: no I/O. Lines end at LF, CRLF or CR and at nothing else, so that U+2028 and its like pass through a
message.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_EVENT_BYTES = 64 << 20


class StreamTooLong(ValueError):
    """One event is larger than any that our service sends."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """`name` is "message" where the stream gives none; `id` is the last one seen so far, "" when there was
    none."""

    name: str
    data: str
    id: str


class EventDecoder:
    """`feed` it chunks as they come. `last_id` and `retry_ms` are what a reconnect needs.

    An event that was cut off in the middle leaves no trace: neither its data nor its id.
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry_ms: int | None = None
        self._id = last_id
        self._name = ""
        self._data: list[str] = []
        self._size = 0
        self._rest: list[bytes] = []
        self._after_cr = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that this chunk completes."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._size += len(chunk)
        if b"\n" not in chunk:
            if chunk:
                self._rest.append(chunk)
            self._check_size()
            return []
        self._rest.append(chunk)
        lines = b"".join(self._rest).split(b"\n")
        self._rest = [lines.pop()]
        if not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        events = [event for line in lines if (event := self._line(line)) is not None]
        if events:
            self._size = len(self._rest[0])
        self._check_size()
        return events

    def _check_size(self) -> None:
        if self._size > MAX_EVENT_BYTES and sum(map(len, self._rest)) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise StreamTooLong(f"one event of the stream is larger than {MAX_EVENT_BYTES} bytes")

    def _line(self, line: bytes) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if field == b"data":
            self._data.append(value.decode("utf-8", "replace"))
        elif field == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"retry" and value.isdigit():
            self.retry_ms = int(value[:9])
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        self.last_id = self._id
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        return ServerSentEvent(name, "\n".join(data), self.last_id) if data else None
