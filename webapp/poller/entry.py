"""What an upstream sent as a log entry, made into an Entry: never dropped, whatever it holds.

The wire says `{"timestamp": ms, "message": text, ...}`. A timestamp that is a string, a float or a date is
normalised; where that can't be, the entry is given its neighbour's and marked `"timestamp_from": "neighbour"`. An
element that is not an object becomes a line with its JSON text, marked `"malformed": true`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from xxhash import xxh3_64_intdigest, xxh3_128_intdigest

from ..journal.line import Entry
from ..strictjson import Odd, text_of

# The last millisecond of the year 9999, after which most date formats end.
LAST_MS = 253_402_300_799_999
_UNTIMED_SEED = 0x6A6F6274
_MISSING = object()


@dataclass(slots=True)
class Element:
    """One element as it was understood. `timestamp`: None where it has none that can be used."""

    timestamp: int | None
    message: str
    extra: dict[str, Any] | None
    key: int

    def entry(self, neighbour: int) -> Entry:
        message = strip_newline(self.message)
        if type(self.message) is Odd:
            message = Odd(message)
        if self.timestamp is not None:
            return Entry(self.timestamp, message, self.extra, self.key)
        extra = {**(self.extra or {}), "timestamp_from": "neighbour"}
        return Entry(neighbour, message, extra, self.key, timed=False)


def key_of(timestamp: int, message: str) -> int:
    """Identifies an entry by what never changes from answer to answer: 128 bits over both, joined into one text.
    Never 0, which the journal takes for "no key"."""
    return xxh3_128_intdigest(f"{timestamp} {message}".encode()) or 1


def short_key_of(timestamp: int, message: str) -> int:
    """The key in journals that an earlier version began. The hash mixes a short text and its seed so weakly that two
    of a few letters can collide, which is why no new journal uses it."""
    return xxh3_64_intdigest(message.encode(), timestamp) or 1


def read(element: Any, key_of: Callable[[int, str], int] = key_of) -> Element:
    """Any JSON value. The hot path, an integer and a text, is in `merge.py`; this is for all the others too."""
    if not isinstance(element, dict):
        text = text_of(element)
        return Element(None, text, {"malformed": True}, _untimed_key(_MISSING, text))
    raw_time, raw_message = element.get("timestamp", _MISSING), element.get("message", _MISSING)
    extra = {name: value for name, value in element.items() if name not in ("timestamp", "message")}
    message = raw_message if isinstance(raw_message, str) else text_of({} if raw_message is _MISSING else raw_message)
    timestamp = normalised(raw_time)
    if raw_time is not _MISSING and (timestamp is None or type(raw_time) is not int):
        extra["timestamp"] = raw_time  # the name is taken by ours: the journal keeps it under `upstream`
    key = _untimed_key(raw_time, message) if timestamp is None else key_of(timestamp, message)
    if raw_message is _MISSING:
        # What it says stands in its other keys; they may change from answer to answer, so they are not in the key.
        message = text_of(extra) if extra else ""
    return Element(timestamp, message, extra or None, key)


def normalised(raw: Any) -> int | None:
    """Ms since the epoch, 0 to LAST_MS; None where that is not clear. A number is ms, as the wire has it; one with a
    fraction that would be a present-day time only as seconds is seconds. A text is a number or an ISO 8601 date."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw if 0 <= raw <= LAST_MS else None
    if isinstance(raw, float):
        if not math.isfinite(raw):
            return None
        seconds = 1e9 <= raw < 1e10 and raw != int(raw)
        return normalised(int(raw * 1000 if seconds else raw)) if raw >= 0 else None
    if isinstance(raw, str) and len(raw) <= 40:
        return _from_text(raw.strip())
    return None


def _from_text(text: str) -> int | None:
    try:
        return normalised(int(text))
    except ValueError:
        pass
    try:
        return normalised(float(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return normalised(int(moment.timestamp() * 1000))


def strip_newline(message: str) -> str:
    """Without its one trailing newline; everything else stays."""
    if message.endswith("\n"):
        return message[:-2] if message.endswith("\r\n") else message[:-1]
    return message


def _untimed_key(raw_time: Any, message: str) -> int:
    seen = "" if raw_time is _MISSING else text_of(raw_time)
    return xxh3_64_intdigest(f"{seen}\0{message}".encode(), _UNTIMED_SEED) or 1
