"""A job's log sorted by timestamp, as the Fused wire has it, without holding it.

The journal is in the order in which lines came in, which is nearly that of time. Lines with a timestamp not less than
that of any line before them are already sorted. The others, the stragglers, are sorted by themselves (only their
numbers), and merged in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Generator, Iterator

from ..journal.batch import Batch
from ..store.base import Journal
from .published import published_entry

CHUNK_BYTES = 256 << 10
READ_BYTES = 1 << 20
BATCHES_KEPT = 32
# A place in the sorted log: time, and among those of one millisecond the journal's order.
LINE_BITS = 50


def sorted_log(journal: Journal, since_ms: int | None) -> Iterator[bytes]:
    """The JSON list of the entries from `since_ms` on, in chunks, of which some are empty. What is appended
    while it is made is not in it."""
    low = 0 if since_ms is None else max(0, since_ms)
    after, upto = journal.line_at(low) - 1, journal.state().last_line
    chunk = bytearray(b"[")
    comma = b""
    stragglers = yield from _stragglers(journal, low, after, upto)
    for line in _merged(journal, low, after, upto, iter(stragglers)):
        chunk += comma + published_entry(line)
        comma = b","
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk + b"]")


def _merged(journal: Journal, low: int, after: int, upto: int, stragglers: Iterator[int]) -> Iterator[bytes]:
    recent = _RecentBatches(journal, after)
    straggler = next(stragglers, None)
    peak = -1
    for batch in _batches(journal, after, upto):
        for number, time, line in zip(
            range(batch.first, batch.last + 1), batch.timestamps(), batch.split(), strict=True
        ):
            if time < peak:
                continue
            peak = time
            if time < low:
                continue
            place = time << LINE_BITS | number
            while straggler is not None and straggler < place:
                yield from recent.line(straggler & ((1 << LINE_BITS) - 1))
                straggler = next(stragglers, None)
            yield line
    while straggler is not None:
        yield from recent.line(straggler & ((1 << LINE_BITS) - 1))
        straggler = next(stragglers, None)


def _stragglers(journal: Journal, low: int, after: int, upto: int) -> Generator[bytes, None, list[int]]:
    """The places of all lines that an earlier one outran, sorted. Yields nothing now and then, for others' turn."""
    found: list[int] = []
    peak = -1
    for batch in _batches(journal, after, upto):
        for number, time in enumerate(batch.timestamps(), batch.first):
            if time >= peak:
                peak = time
            elif time >= low:
                found.append(time << LINE_BITS | number)
        yield b""
    found.sort()
    return found


def _batches(journal: Journal, after: int, upto: int) -> Iterator[Batch]:
    while after < upto and (batches := journal.read(after, most_bytes=READ_BYTES, upto=upto)):
        yield from batches
        after = batches[-1].last


class _RecentBatches:
    """Single lines by number; the batches they stand in are kept for a while, since stragglers often stand together."""

    def __init__(self, journal: Journal, after: int) -> None:
        self._journal = journal
        self._after = after
        self._firsts: list[int] | None = None
        self._kept: OrderedDict[int, list[bytes]] = OrderedDict()

    def line(self, number: int) -> list[bytes]:
        """None where the line has been trimmed in between."""
        if self._firsts is None:
            self._firsts = [span.first for span in self._journal.spans(self._after)]
        at = bisect_right(self._firsts, number) - 1
        if at < 0:
            return []
        first = self._firsts[at]
        if first not in self._kept:
            batches = self._journal.read(first - 1, most_bytes=1)
            self._kept[first] = batches[0].split() if batches and batches[0].first == first else []
            if len(self._kept) > BATCHES_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(first)
        return self._kept[first][number - first : number - first + 1]
