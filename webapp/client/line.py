"""A line as people hold it: the JSON object of the API, with the keys of every line as attributes too; and bytes as
lines of ndjson."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any


class Line(dict[str, Any]):
    """`line["message"]` as with the published client, or `line.message`."""

    @property
    def id(self) -> str:
        """The cursor just after this line."""
        return str(self["id"])

    @property
    def line(self) -> int:
        """Its number in the job's journal, from 1."""
        return int(self["line"])

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""
        return int(self["timestamp"])

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)

    @property
    def message(self) -> str:
        return str(self["message"])

    @property
    def level(self) -> str | None:
        """error, warning, info, debug or None."""
        level = self.get("level")
        return None if level is None else str(level)


def split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines that end in LF and in nothing else, empty ones left out. The last may be without its end."""
    parts: list[bytes] = []
    for chunk in chunks:
        if b"\n" not in chunk:
            parts.append(chunk)
            continue
        head, *whole, rest = chunk.split(b"\n")
        whole.insert(0, b"".join([*parts, head]))
        parts = [rest]
        yield from filter(None, whole)
    if last := b"".join(parts):
        yield last
