"""Server-Sent Events as bytes (WHATWG HTML, 9.2). Data is JSON, so no line break can stand in it."""

from __future__ import annotations

from typing import Any

import orjson

PING = b": \n\n"


def event(name: str, data: Any, cursor: str = "") -> bytes:
    head = f"id: {cursor}\nevent: {name}\ndata: " if cursor else f"event: {name}\ndata: "
    return head.encode() + orjson.dumps(data) + b"\n\n"


def lines_event(cursor: str, lines: bytes) -> bytes:
    """`lines`: what stands in a JSON list, without its brackets."""
    return b"id: %b\nevent: lines\ndata: [%b]\n\n" % (cursor.encode(), lines)


def retry(milliseconds: int) -> bytes:
    return b"retry: %d\n\n" % milliseconds
