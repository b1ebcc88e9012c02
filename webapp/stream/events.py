"""Server-Sent Events as bytes (WHATWG HTML, 9.2). Data is JSON, so no line break can stand in it, and no event is
larger than 64 KiB: at that, the readers of asyncio and of Go's `bufio.Scanner` stop for good.
"""

from __future__ import annotations

from typing import Any

import orjson

PING = b": \n\n"
EVENT_BYTES = 64 << 10
# What an event's data may take: the rest is for the names of its fields, its cursor and its brackets.
DATA_BYTES = EVENT_BYTES - 256
TEXT_LENGTH = 1000  # of a text in an event that would be too large, in characters
# JSON leaves them as they are, but many readers of lines (`str.splitlines` is one) end a line at each.
_SPLITS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))


def one_line(text: bytes) -> bytes:
    """JSON text without any character at which a reader could end a line."""
    # One byte is looked for a hundred times as fast as two are, and most logs have neither of these.
    if (b"\xe2" in text and b"\xe2\x80" in text) or (b"\xc2" in text and b"\xc2\x85" in text):
        for raw, escaped in _SPLITS:
            text = text.replace(raw, escaped)
    return text


def event(name: str, data: Any, cursor: str = "") -> bytes:
    head = f"id: {cursor}\nevent: {name}\ndata: " if cursor else f"event: {name}\ndata: "
    text = one_line(orjson.dumps(data))
    if len(text) > DATA_BYTES:
        text = one_line(orjson.dumps(_shortened(data)))
    return head.encode() + text + b"\n\n"


def _shortened(value: Any) -> Any:
    """The same with its texts cut."""
    if isinstance(value, str):
        return value if len(value) <= TEXT_LENGTH else value[:TEXT_LENGTH] + "…"
    if isinstance(value, dict):
        return {name: _shortened(inner) for name, inner in value.items()}
    return [_shortened(inner) for inner in value] if isinstance(value, list) else value


def lines_event(cursor: str, lines: bytes) -> bytes:
    """`lines`: what stands in a JSON list, without its brackets; at most DATA_BYTES of it."""
    return b"id: %b\nevent: lines\ndata: [%b]\n\n" % (cursor.encode(), lines)


def retry(milliseconds: int) -> bytes:
    return b"retry: %d\n\n" % milliseconds
