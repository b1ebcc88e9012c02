"""Lines that a command wrote, as the text that they are: read, checked and encoded many at once.

A line of its own costs microseconds (an object, a decoding, two searches); within a text it costs a fraction of one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from .encoding import Encoder, Row, Written, marks_of, next_out_ms
from .key_blocks import BEGIN
from .levels import levels, without_level
from .line import LEVEL_JSON, Entry, encode_extra, named_level, stream_of
from .memory import Memory
from .redact import Redactor
from .sampling import Sample, keep_runs

_ESCAPED = bytes(range(32)) + b'"\\'


@dataclass(frozen=True, slots=True)
class Text:
    """Consecutive lines that share all but their messages.

    `timestamp`: ms. `data`: UTF-8, a newline between each two lines and none at the end. `count`: lines in it, at
    least one. `extra`: keys that each of the lines bears, such as `stream`; they are kept as they are.
    """

    timestamp: int
    data: bytes
    count: int
    extra: dict[str, Any]

    def messages(self) -> list[str]:
        return self.data.decode("utf-8", "replace").split("\n")

    def after(self, count: int) -> Text:
        """Without its first `count` lines, of which it has more."""
        return replace(self, data=self.data.split(b"\n", count)[count], count=self.count - count)

    def halves(self) -> tuple[Text, Text]:
        """Both not empty: it has two lines or more."""
        lines = self.data.split(b"\n")
        half = self.count // 2
        first, second = b"\n".join(lines[:half]), b"\n".join(lines[half:])
        return replace(self, data=first, count=half), replace(self, data=second, count=self.count - half)


def text(timestamp: int, data: bytes, extra: dict[str, Any]) -> Text:
    """Of bytes that a command wrote: what is not UTF-8 becomes U+FFFD."""
    if not data.isascii():
        data = data.decode("utf-8", "replace").encode()
    return Text(timestamp, data, data.count(b"\n") + 1, extra)


def joined(texts: Sequence[Text]) -> list[Text]:
    """Neighbours that differ in nothing but their messages become one."""
    found: list[Text] = []
    same: list[Text] = []
    for each in texts:
        if same and (same[0].timestamp != each.timestamp or same[0].extra is not each.extra):
            found.append(_one(same))
            same = []
        same.append(each)
    if same:
        found.append(_one(same))
    return found


def _one(same: list[Text]) -> Text:
    if len(same) == 1:
        return same[0]
    return replace(same[0], data=b"\n".join([each.data for each in same]), count=sum(each.count for each in same))


def _named(texts: Sequence[Text], found: bytes) -> bytes:
    """Where a text's `extra` names a level, it is that of its lines."""
    codes = [named_level(each.extra) for each in texts]
    if not any(codes):
        return found
    parts, start = [], 0
    for each, code in zip(texts, codes, strict=True):
        end = start + each.count
        parts.append(found[start:end] if code is None else bytes((code,)) * each.count)
        start = end
    return b"".join(parts)


def _plain(text: bytes) -> bool:
    """Whether it stands in a JSON string as it is."""
    return len(text.translate(None, _ESCAPED)) == len(text) - text.count(b"\n")


def _escaped(messages: list[str]) -> list[bytes]:
    """As they stand in a JSON string."""
    # Within a JSON text a quotation mark never follows a comma unescaped, so what is cut here is between two.
    return orjson.dumps(messages)[2:-2].split(b'","')


class TextEncoder:
    """`Encoder` for texts: their lines have no time of their own that could be late, and no keys to merge by."""

    def __init__(self, redactor: Redactor, texts: Sequence[Text], memory: Memory) -> None:
        self.entries = self._texts = texts
        self.count = sum(each.count for each in texts)
        self.memory = memory.copy()
        whole = b"\n".join([each.data for each in texts])
        keys = self.memory.keys
        secret = keys.open or BEGIN.encode() in whole or redactor.suspects(whole)
        if not secret and without_level(whole, self.memory):
            for each in texts:
                self.memory.records.pop(stream_of(each.extra), None)
            self._levels = _named(texts, bytes(self.count))
            self._messages = whole.split(b"\n") if _plain(whole) else _escaped(whole.decode().split("\n"))
            return
        messages = whole.decode("utf-8", "replace").split("\n")
        changed = self._blanked(redactor, whole, messages) if secret else messages
        self._levels = _named(texts, levels(changed, self._streams(), self.memory))
        self._messages = _escaped(changed)

    def _blanked(self, redactor: Redactor, whole: bytes, messages: list[str]) -> list[str]:
        """The same list where there was nothing to blank."""
        keys = self.memory.keys
        changed = keys.messages(messages, self._streams()) if keys.open or BEGIN.encode() in whole else messages
        return redactor.messages(changed) if redactor.suspects(whole) else changed

    def _streams(self) -> list[str]:
        return [name for each in self._texts for name in [stream_of(each.extra)] * each.count]

    def number(self, row: Row, beat_ms: int, mark_late: bool, now_ms: int) -> Written:
        """As `Encoder.number`; none is ever late."""
        epoch, last, high_ms, out_ms, beat, loud = row
        runs = [(each.timestamp, each.count) for each in self._texts]
        kept, sample = keep_runs(runs, self._levels, beat_ms, last == 0, Sample(beat, loud))
        times = array("q")
        for time, count in runs:
            times.extend(array("q", (time,)) * count)
        lines = [line for part in self._lines(epoch.encode(), last) for line in part]
        stamps = [time for time, _ in runs]
        out_ms = next_out_ms(out_ms, stamps, now_ms)
        written = Written(last + len(lines), max(high_ms, max(stamps)), out_ms, sample)
        written.cut(last + 1, lines, marks_of(self._levels, kept, b""), times)
        return written

    def _lines(self, epoch: bytes, last: int) -> Iterator[list[bytes]]:
        """A list a text."""
        start = 0
        for each in self._texts:
            end = start + each.count
            tail = encode_extra(each.extra) + b"}" if each.extra else b"}"
            found, messages = self._levels[start:end], self._messages[start:end]
            first, at = last + start + 1, each.timestamp
            if any(found):
                yield [
                    b'{"id":"%b-%d","line":%d,"timestamp":%d,"message":"%b","level":%b%b'
                    % (epoch, line, line, at, message, LEVEL_JSON[level], tail)
                    for line, (message, level) in enumerate(zip(messages, found, strict=True), first)
                ]
            else:
                yield [
                    b'{"id":"%b-%d","line":%d,"timestamp":%d,"message":"%b","level":null%b'
                    % (epoch, line, line, at, message, tail)
                    for line, message in enumerate(messages, first)
                ]
            start = end


def encoder(redactor: Redactor, lines: list[Entry] | list[Text], memory: Memory) -> Encoder | TextEncoder:
    """For lines of one kind, at least one."""
    texts = [each for each in lines if isinstance(each, Text)]
    if texts:
        return TextEncoder(redactor, texts, memory)
    return Encoder(redactor, [each for each in lines if isinstance(each, Entry)], memory)
