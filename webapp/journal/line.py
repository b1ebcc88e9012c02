"""An entry, as a source hands it over, and the JSON that a line of the journal is.

The JSON text is made once, when the line is written: `{"id", "line", "timestamp", "message", "level", ...}`, with
every other key of the entry as it came; one that clashes with ours stands under `upstream`. The text is strict JSON,
whatever the source handed over: what could not be kept as it came is named in `altered`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from ..strictjson import dumps

OURS = frozenset(("id", "line", "timestamp", "message", "level", "late", "cut", "message_bytes", "upstream", "altered"))
LEVEL_JSON = (b"null", b'"debug"', b'"info"', b'"warning"', b'"error"')
_NAMED_LEVELS = {
    "trace": 1, "verbose": 1, "debug": 1,
    "info": 2, "information": 2, "notice": 2,
    "warn": 3, "warning": 3,
    "err": 4, "error": 4, "severe": 4, "critical": 4, "crit": 4, "fatal": 4, "alert": 4, "emerg": 4,
    "emergency": 4, "panic": 4, "dpanic": 4,
}  # fmt: skip


@dataclass(slots=True)
class Entry:
    """What a source hands to the journal, in its final order.

    `timestamp`: ms since the epoch, not negative. `message`: its one trailing newline gone, nothing else changed.
    `extra`: every other key of the upstream's entry, or None. `key`: 128 bits over timestamp and message as they were
    received, for merging; 0 where the source gives exact positions. `timed`: False where the timestamp is not its own.
    """

    timestamp: int
    message: str
    extra: dict[str, Any] | None = None
    key: int = 0
    timed: bool = True


_LEVEL_KEYS = (
    "level", "severity", "levelname", "lvl", "log.level", "loglevel", "log_level", "@l",
    "severity_text", "SeverityText",  # OpenTelemetry's
    "PRIORITY",  # the system journal's
)  # fmt: skip
_SYSLOG = {str(priority): (4, 4, 4, 4, 3, 2, 2, 1)[priority] for priority in range(8)}
_NUMBERED_LEVELS = {10: 1, 20: 1, 30: 2, 40: 3, 50: 4, 60: 4}  # pino's and bunyan's


def stream_of(extra: dict[str, Any] | None) -> str:
    """The name of the stream that an entry came by, "" where it has none."""
    name = extra.get("stream") if extra else None
    return name if isinstance(name, str) else ""


def named_level(extra: dict[str, Any]) -> int | None:
    """The level that an object gives for itself, a code of `levels.LEVELS`; None where it gives none that is known."""
    inner = extra.get("log")
    for name in _LEVEL_KEYS:
        value = extra.get(name)
        if value is None and name == "level" and isinstance(inner, dict):
            value = inner.get(name)
        if isinstance(value, str) and name == "PRIORITY":
            return _SYSLOG.get(value)
        if isinstance(value, str):
            return _NAMED_LEVELS.get(value.strip().lower())
        if type(value) is int:
            return _NUMBERED_LEVELS.get(value)
    return None


def encode_plain(epoch: bytes, first: int, times: list[int], messages: list[str], levels: bytes) -> list[bytes]:
    """`encode` for lines from number `first` that are neither late nor have other keys: most are such."""
    to_json, named = orjson.dumps, LEVEL_JSON
    return [
        b'{"id":"%b-%d","line":%d,"timestamp":%d,"message":%b,"level":%b}'
        % (epoch, line, line, timestamp, to_json(message), named[level])
        for line, timestamp, message, level in zip(
            range(first, first + len(times)), times, messages, levels, strict=True
        )
    ]


def encode(epoch: bytes, line: int, timestamp: int, message: str, level: int, late: bool, more: bytes) -> bytes:
    """`more`: the other keys, as `encode_extra` gives them."""
    head = b'{"id":"%b-%d","line":%d,"timestamp":%d,"message":%b,"level":%b' % (
        epoch, line, line, timestamp, orjson.dumps(message), LEVEL_JSON[level],
    )  # fmt: skip
    return head + (b',"late":true' if late else b"") + more + b"}"


def encode_extra(
    extra: dict[str, Any], blank: Callable[[Any], Any] | None = None, *, message_altered: bool = False
) -> bytes:
    """The other keys of a line as JSON, a comma before each. `blank`: takes credentials out of a value; it is given
    none that JSON could not hold."""
    text, kept, altered = dumps(_unclashed(extra))
    if blank is not None and (blanked := blank(kept)) is not kept:
        text = dumps(blanked).text
    if message_altered:
        altered = ["message", *altered]
    marks = b',"altered":' + orjson.dumps(altered) if altered else b""
    return (b"," + text[1:-1] if len(text) > 2 else b"") + marks


def _unclashed(extra: dict[str, Any]) -> dict[str, Any]:
    clashing = OURS.intersection(extra)
    if not clashing:
        return extra
    kept = {name: value for name, value in extra.items() if name not in clashing}
    kept["upstream"] = {name: value for name, value in extra.items() if name in clashing}
    return kept
