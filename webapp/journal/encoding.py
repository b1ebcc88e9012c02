"""How entries become lines: redaction, levels, numbers, sampling, JSON, batches. No I/O."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, repeat

from ..strictjson import Odd, strict
from .batch import KEPT, LATE, MAX_BYTES, MAX_LINES, SEPARATOR, Batch
from .levels import levels
from .line import Entry, encode, encode_extra, encode_plain, named_level, stream_of
from .memory import Memory
from .redact import Redactor
from .sampling import Sample, keep

# Of the journal's state: epoch, last_line, high_ms, out_ms, sample_beat, sample_loud.
Row = tuple[str, int, int, int, int, int]


class Encoder:
    """Does what can be done before the transaction begins, while no lock is held. `memory`: what is remembered of the
    lines before these. The attribute of that name is what holds after them; the writer takes it over once the lines
    are written."""

    def __init__(self, redactor: Redactor, entries: list[Entry], memory: Memory) -> None:
        self.entries = entries
        self.count = len(entries)
        self.memory = memory.copy()
        extras = [entry.extra for entry in entries]
        streams = [stream_of(extra) for extra in extras]
        texts, odd = _strict_messages([entry.message for entry in entries])
        self.messages = redactor.messages(self.memory.keys.messages(texts, streams))
        found = bytearray(levels(self.messages, streams, self.memory))
        # The JSON of each line's other keys; empty where no line has any.
        self.more: list[bytes] = []
        if odd or any(extras):
            for index, extra in enumerate(extras):
                named = named_level(extra) if extra else None
                if named is not None:
                    found[index] = named
                odd_one = index in odd
                more = encode_extra(extra or {}, redactor.value, message_altered=odd_one) if extra or odd_one else b""
                self.more.append(more)
        self.levels = bytes(found)

    def number(self, row: Row, beat_ms: int, mark_late: bool, now_ms: int) -> Written:
        """`row`: epoch, last_line, high_ms, out_ms, sample_beat, sample_loud. Timestamps past
        `now_ms` come from a wrong clock: lines that follow them are not marked late because of them."""
        epoch, last, high_ms, out_ms, beat, loud = row
        times = [entry.timestamp for entry in self.entries]
        kept, sample = keep(times, self.levels, beat_ms, last == 0, Sample(beat, loud))
        late = [time < out_ms for time in times] if mark_late and min(times) < out_ms else []
        name = epoch.encode()
        if late or self.more:
            numbers = range(last + 1, last + 1 + len(times))
            more = self.more or repeat(b"")
            rows = zip(numbers, times, self.messages, self.levels, late or repeat(False), more, strict=False)
            lines = [encode(name, *row) for row in rows]
        else:
            lines = encode_plain(name, last + 1, times, self.messages, self.levels)
        marks = marks_of(self.levels, kept, bytes(late))
        out_ms = next_out_ms(out_ms, times, now_ms)
        written = Written(last + len(times), max(high_ms, max(times)), out_ms, sample)
        written.cut(last + 1, lines, marks, array("q", times))
        written.note([entry.key for entry in self.entries], [entry.timed for entry in self.entries])
        return written


def next_out_ms(out_ms: int, times: Sequence[int], now_ms: int) -> int:
    """The greatest timestamp so far that does not lie in the future."""
    highest = max(times)
    if highest <= now_ms:
        return max(out_ms, highest)
    return max(out_ms, max((time for time in times if time <= now_ms), default=-1))


def _strict_messages(messages: list[str]) -> tuple[list[str], set[int]]:
    """The messages as texts that JSON can hold, and which of them are not as they came."""
    if set(map(type, messages)) == {str} and all(map(str.isascii, messages)):
        return messages, set()
    texts = [str(strict(message)[0]) for message in messages]
    odd = {index for index, text in enumerate(texts) if type(messages[index]) is Odd or text != messages[index]}
    return texts, odd


def marks_of(levels: bytes, kept: bytearray, late: bytes) -> bytes:
    """A byte a line. As one large number, since then a shift is a shift of each byte: no byte's bits reach the next."""
    together = int.from_bytes(levels) | int.from_bytes(kept) * KEPT | int.from_bytes(late) * LATE
    return together.to_bytes(len(levels))


@dataclass(slots=True)
class Written:
    """New lines and the state after them."""

    last_line: int
    high_ms: int
    out_ms: int
    sample: Sample
    batches: list[Batch] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    untimed: list[int] = field(default_factory=list)

    def cut(self, first: int, lines: list[bytes], marks: bytes, times: array[int]) -> None:
        """Into batches of at most MAX_LINES lines, and of at most MAX_BYTES, unless a single line is longer."""
        sizes = list(map(len, lines))
        start = 0
        while start < len(lines):
            end = min(start + MAX_LINES, len(lines))
            if sum(sizes[start:end]) > MAX_BYTES:
                end = start + max(1, bisect_right(list(accumulate(sizes[start:end])), MAX_BYTES))
            self._add(first, lines, marks, times, start, end, max(sizes[start:end]))
            start = end

    def _add(
        self, first: int, lines: list[bytes], marks: bytes, times: array[int], start: int, end: int, longest: int
    ) -> None:
        body = SEPARATOR.join(lines[start:end])
        part = times[start:end].tobytes()
        self.batches.append(Batch(first + start, first + end - 1, body, marks[start:end], part, longest))

    def keys_of(self, batch: Batch) -> list[int]:
        offset = self.batches[0].first
        return self.keys[batch.first - offset : batch.last - offset + 1]

    def note(self, keys: list[int], timed: list[bool]) -> None:
        """What the poller merges against. Keys of 0 (exact positions) are not kept."""
        if not any(keys):
            return
        self.keys = keys
        if not all(timed):
            for index, own in enumerate(timed):
                if not own:
                    self.untimed.append(keys[index])
                    self.keys[index] = 0
