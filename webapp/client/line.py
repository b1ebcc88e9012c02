"""A line as people hold it: the JSON object of the API, with the keys of every line as attributes too; and bytes as
lines of ndjson."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .errors import BadAnswer

MAX_LINE_BYTES = 256 << 20


class Line(dict[str, Any]):
    """`line["message"]` as with the published client, or `line.message`."""

    @property
    def id(self) -> str:
        """The cursor just after this line."""
        return str(self.get("id", ""))

    @property
    def line(self) -> int:
        """Its number in the job's journal, from 1."""
        return _whole(self.get("line"))

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""
        return _whole(self.get("timestamp"))

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)

    @property
    def message(self) -> str:
        return str(self.get("message", ""))

    @property
    def level(self) -> str | None:
        """error, warning, info, debug or None."""
        level = self.get("level")
        return None if level is None else str(level)


class LineGap(dict[str, Any]):
    """Where lines are missing: `reason` (upstream or trimmed), `count` (None: nobody knows), `after` (a cursor)."""


def line_of(value: Any) -> Line:
    """ValueError for anything but an object, which a line is."""
    if not isinstance(value, dict):
        raise ValueError("a line is an object")
    return Line(value)


def _whole(value: Any) -> int:
    """The number of a line; 0 where the service gave none."""
    return int(value) if isinstance(value, int | float) and value == value and abs(value) < 1 << 63 else 0


def missing(gap: Any) -> str:
    """A gap in words."""
    count, reason = gap.get("count"), gap.get("reason")
    what = f"{count:,} {'line' if count == 1 else 'lines'}" if isinstance(count, int) else "lines"
    if reason == "trimmed":
        return f"… {what} {'is' if count == 1 else 'are'} no longer kept"
    return f"… {what} may be missing here: the upstream did not give them"


class LineSplitter:
    """Bytes as they come into lines that end in LF and in nothing else, empty ones left out. `rest`: what has no end
    yet. BadAnswer for a line that is longer than any of a log."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def rest(self) -> bytes:
        return b"".join(self._parts)

    def feed(self, chunk: bytes) -> list[bytes]:
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        head, *whole, rest = chunk.split(b"\n")
        whole.insert(0, b"".join([*self._parts, head]))
        self._parts, self._size = [], 0
        self._keep(rest)
        return [line for line in whole if line]

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > MAX_LINE_BYTES:
            raise BadAnswer(f"the log holds a line of more than {MAX_LINE_BYTES >> 20} MiB: is it a jobtail service?")
        if part:
            self._parts.append(part)
