"""A body whose bytes are the same whenever it is asked for: it has a length, a tag, and parts (RFC 9110, 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .problem import problem
from .whole import Whole

# The length is known only once all was made. What is longer goes out without one, and is not given in parts.
MEASURED_BYTES = 256 << 20
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)


class Unsatisfiable(Exception):
    """None of the bytes that are asked for exist."""


def part_of(asked: str, length: int) -> tuple[int, int] | None:
    """First and last byte of a `Range` header. None where all is to be sent: there is no such header, or not one that
    is supported, such as one with several parts. Unsatisfiable where it lies past the end."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        low, high = max(0, length - int(suffix)), length - 1
    else:
        low, high = int(first), min(int(last) if last else length - 1, length - 1)
        if last and int(last) < low:
            return None
    if low >= length:
        raise Unsatisfiable
    return low, high


class Ranged(Response):
    """`body` makes the bytes, as often as it is called; `tag` changes with them."""

    def __init__(
        self, body: Callable[[], AsyncIterator[bytes]], tag: str, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(None, headers=headers, media_type=media_type)
        self._body, self._tag, self._extra, self._media = body, f'"{tag}"', headers, media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # HEAD makes no body: it costs nothing, and says nothing of its length.
        length = None if scope["method"] == "HEAD" else await _measured(self._body())
        if length is None:
            await Whole(self._body(), 200, self._extra, self._media)(scope, receive, send)
            return
        headers = {**self._extra, "Accept-Ranges": "bytes", "ETag": self._tag}
        asked = Headers(scope=scope)
        try:
            part = part_of(asked.get("range", ""), length) if asked.get("if-range", self._tag) == self._tag else None
        except Unsatisfiable:
            detail = f"Range={asked['range'][:100]!r} is past the end: the body has {length} bytes"
            answer = problem(416, "Range Not Satisfiable", detail, {"Content-Range": f"bytes */{length}"})
            await answer(scope, receive, send)
            return
        low, high = part or (0, length - 1)
        if part:
            headers["Content-Range"] = f"bytes {low}-{high}/{length}"
        headers["Content-Length"] = str(high + 1 - low)
        body = _cut(self._body(), low, high + 1)
        await Whole(body, 206 if part else 200, headers, self._media)(scope, receive, send)


async def _measured(pieces: AsyncIterator[bytes]) -> int | None:
    length = 0
    async for piece in pieces:
        length += len(piece)
        if length > MEASURED_BYTES:
            return None
    return length


async def _cut(pieces: AsyncIterator[bytes], start: int, end: int) -> AsyncIterator[bytes]:
    """Bytes from `start` up to `end`, which is not among them."""
    at = 0
    async for piece in pieces:
        if data := piece[max(0, start - at) : end - at]:
            yield data
        at += len(piece)
        if at >= end:
            return
