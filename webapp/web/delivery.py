"""What a runner sends of its job's lines, read strictly and within bounds. Pure."""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import Any

from ..engine.intake import Delivery
from ..errors import TooLarge, UsageError
from ..journal.line import Entry
from ..journal.text import Text, joined
from ..poller.entry import LAST_MS, normalised, strip_newline
from ..strictjson import loads, text_of

MOST_BODY = 1 << 20  # as it comes
MOST_BYTES = 4 << 20  # once it is unpacked
MOST_ENTRIES = 20_000
MOST_LINES = 50_000
SHOWN = 4 << 10  # of what stands after the last newline
_KNOWN = {"lines", "partial", "missing"}
_PLAIN = {"timestamp", "message", "stream", "split"}
_REASONS = ("upstream", "trimmed")
_STREAMS = ("stdout", "stderr")
# The same objects for the lines of all runners: neighbours that share one are encoded together.
_EXTRAS: dict[tuple[str, bool], dict[str, Any]] = {
    (name, split): ({"stream": name} if name else {}) | ({"split": True} if split else {})
    for name in ("", *_STREAMS)
    for split in (False, True)
}


def unpacked(body: bytes, encoding: str) -> bytes:
    """UsageError for another encoding than gzip, TooLarge past MOST_BYTES."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise UsageError(f"Content-Encoding {encoding[:40]!r} is not right: it takes gzip, or none")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise UsageError("the body is not gzip") from None
    if len(found) > MOST_BYTES:
        raise TooLarge(f"a body takes {MOST_BYTES} bytes at most once it is unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise UsageError("the body is not one whole gzip member")
    return found


def read_delivery(body: bytes, encoding: str, now_ms: int) -> Delivery:
    """UsageError names what is wrong and what it takes."""
    try:
        given = loads(unpacked(body, encoding))
    except (ValueError, RecursionError):
        raise UsageError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise UsageError('the body takes an object such as {"lines": [{"timestamp": 1700000000, "message": "hi"}]}')
    if unknown := sorted(str(name)[:40] for name in given if name not in _KNOWN):
        raise UsageError(f"{unknown[0]!r} is not known: it takes lines, partial, missing")
    delivery = _lines(given.get("lines", []), now_ms)
    delivery.shows = "partial" in given
    delivery.partial = _partial(given.get("partial"), now_ms)
    delivery.missing = _missing(given.get("missing"))
    return delivery


def _lines(given: Any, now_ms: int) -> Delivery:
    if not isinstance(given, list):
        raise UsageError("lines takes a list of objects")
    if len(given) > MOST_ENTRIES:
        raise TooLarge(f"lines takes {MOST_ENTRIES} objects at most: send the rest in the next request")
    if all(map(_is_plain, given)):
        texts = [_text(item) for item in given]
        delivery = Delivery(texts=joined(texts))
        times = [text.timestamp for text in texts]
        delivery.ordered = all(before <= after for before, after in pairwise(times))
    else:
        delivery = Delivery(entries=[entry for item in given for entry in _entries(item, now_ms)])
    if delivery.lines > MOST_LINES:
        raise TooLarge(f"a request takes {MOST_LINES} lines at most: send the rest in the next one")
    return delivery


def _is_plain(item: Any) -> bool:
    if type(item) is not dict or not _PLAIN.issuperset(item):
        return False
    at, message, stream = item.get("timestamp"), item.get("message"), item.get("stream", "")
    return (
        type(at) is int
        and 0 <= at <= LAST_MS
        and type(message) is str
        and type(stream) is str
        and (stream, item.get("split", False)) in _EXTRAS
    )


def _text(item: dict[str, Any]) -> Text:
    data = strip_newline(item["message"]).encode("utf-8", "replace")
    extra = _EXTRAS[item.get("stream", ""), item.get("split", False)]
    return Text(item["timestamp"], data, data.count(b"\n") + 1, extra)


def _entries(item: Any, now_ms: int) -> list[Entry]:
    """A line each."""
    if not isinstance(item, dict) or not isinstance(item.get("message"), str):
        raise UsageError(f"{text_of(item)[:100]!r} is not a line: it takes an object with a message")
    at = normalised(item.get("timestamp"))
    extra = {name: value for name, value in item.items() if name not in ("timestamp", "message")}
    if at is None:
        extra["timestamp_from"] = "neighbour"
    lines = strip_newline(item["message"]).split("\n")
    return [Entry(now_ms if at is None else at, line, extra or None, timed=at is not None) for line in lines]


def _partial(given: Any, now_ms: int) -> dict[str, Any] | None:
    if given is None:
        return None
    found: dict[str, Any] = {}
    if not isinstance(given, dict) or not set(given) <= set(_STREAMS):
        raise UsageError('partial takes null, or an object such as {"stderr": {"message": "41%", "timestamp": ms}}')
    for stream, held in given.items():
        if not isinstance(held, dict) or not isinstance(held.get("message"), str):
            raise UsageError(f"partial.{stream} takes an object with a message")
        at = normalised(held.get("timestamp"))
        found[stream] = {"message": held["message"][-SHOWN:], "timestamp": now_ms if at is None else at}
    return found or None


def _missing(given: Any) -> tuple[str, int | None] | None:
    if given is None:
        return None
    reason, count = (given.get("reason", "upstream"), given.get("count")) if isinstance(given, dict) else ("", 0)
    if reason not in _REASONS or not (count is None or (type(count) is int and 0 < count < 1 << 53)):
        raise UsageError('missing takes an object such as {"reason": "upstream", "count": 12}; reason may be "trimmed"')
    return reason, count
