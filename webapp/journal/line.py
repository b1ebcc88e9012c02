"""An entry, as a source hands it over, and the JSON that a line of the journal is.

The JSON text is made once, when the line is written: `{"id", "line", "timestamp", "message", "level", ...}`, with
every other key of the entry as it came; one that clashes with ours stands under `upstream`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

OURS = frozenset(("id", "line", "timestamp", "message", "level", "late", "cut", "message_bytes", "upstream"))
LEVEL_JSON = (b"null", b'"debug"', b'"info"', b'"warning"', b'"error"')
_NAMED_LEVELS = {
    "trace": 1, "verbose": 1, "debug": 1,
    "info": 2, "information": 2, "notice": 2,
    "warn": 3, "warning": 3,
    "err": 4, "error": 4, "severe": 4, "critical": 4, "crit": 4, "fatal": 4, "alert": 4, "emerg": 4, "panic": 4,
}  # fmt: skip


@dataclass(slots=True)
class Entry:
    """What a source hands to the journal, in its final order.

    `timestamp`: ms since the epoch, not negative. `message`: its one trailing newline gone, nothing else changed.
    `extra`: every other key of the upstream's entry, or None. `key`: 64 bits over timestamp and message as they were
    received, for merging; 0 where the source gives exact positions. `timed`: False where the timestamp is not its own.
    """

    timestamp: int
    message: str
    extra: dict[str, Any] | None = None
    key: int = 0
    timed: bool = True


_LEVEL_KEYS = ("level", "severity", "levelname", "lvl", "log.level", "loglevel", "log_level", "@l")
_NUMBERED_LEVELS = {10: 1, 20: 1, 30: 2, 40: 3, 50: 4, 60: 4}  # pino's and bunyan's


def stream_of(extra: dict[str, Any] | None) -> str:
    """The name of the stream that an entry came by, "" where it has none."""
    return str(extra.get("stream", "")) if extra else ""


def named_level(extra: dict[str, Any]) -> int | None:
    """The level that an object gives for itself, a code of `levels.LEVELS`; None where it gives none that is known."""
    inner = extra.get("log")
    for name in _LEVEL_KEYS:
        value = extra.get(name)
        if value is None and name == "level" and isinstance(inner, dict):
            value = inner.get(name)
        if isinstance(value, str):
            return _NAMED_LEVELS.get(value.strip().lower())
        if type(value) is int:
            return _NUMBERED_LEVELS.get(value)
    return None


def encode_plain(epoch: bytes, first: int, times: list[int], messages: list[str], levels: bytes) -> list[bytes]:
    """`encode` for lines from number `first` that are neither late nor have other keys: most are such."""
    dumps, named = orjson.dumps, LEVEL_JSON
    return [
        b'{"id":"%b-%d","line":%d,"timestamp":%d,"message":%b,"level":%b}'
        % (epoch, line, line, timestamp, dumps(message), named[level])
        for line, timestamp, message, level in zip(
            range(first, first + len(times)), times, messages, levels, strict=True
        )
    ]


def encode(
    epoch: bytes, line: int, timestamp: int, message: str, level: int, late: bool, extra: dict[str, Any] | None
) -> bytes:
    text = orjson.dumps(message)
    if not late and not extra:
        return b'{"id":"%b-%d","line":%d,"timestamp":%d,"message":%b,"level":%b}' % (
            epoch, line, line, timestamp, text, LEVEL_JSON[level],
        )  # fmt: skip
    head = b'{"id":"%b-%d","line":%d,"timestamp":%d,"message":%b,"level":%b' % (
        epoch, line, line, timestamp, text, LEVEL_JSON[level],
    )  # fmt: skip
    if late:
        head += b',"late":true'
    if not extra:
        return head + b"}"
    return head + b"," + dump(unclashed(extra))[1:]


def unclashed(extra: dict[str, Any]) -> dict[str, Any]:
    clashing = OURS.intersection(extra)
    if not clashing:
        return extra
    kept = {name: value for name, value in extra.items() if name not in clashing}
    kept["upstream"] = {name: value for name, value in extra.items() if name in clashing}
    return kept


def dump(value: Any) -> bytes:
    """JSON of a value that JSON gave us, whatever it holds: numbers past 64 bits are kept as they came."""
    try:
        return orjson.dumps(value)
    except TypeError:
        import json

        return json.dumps(value, separators=(",", ":")).encode("utf-8", "replace")
