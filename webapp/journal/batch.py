"""Consecutive lines, encoded: what is written, cached, read and sent.

The lines are JSON objects joined by a comma and a tab. JSON text never holds a raw tab, so the pair is found nowhere
else, and what stands between `[` and `]` is already a JSON list.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

SEPARATOR = b",\t"
LEVEL_MASK = 0x07
KEPT = 0x08
LATE = 0x10

MAX_LINES = 500
MAX_BYTES = 256 << 10


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Lines `first` to `last`. `marks`: a byte a line, level code and KEPT and LATE. `times`: ms, as `array("q")`
    bytes. `longest`: bytes of the longest line, encoded (an upper bound in a part of a batch)."""

    first: int
    last: int
    lines: bytes
    marks: bytes
    times: bytes
    longest: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def split(self) -> list[bytes]:
        return self.lines.split(SEPARATOR)

    def timestamps(self) -> array[int]:
        times: array[int] = array("q")
        times.frombytes(self.times)
        return times

    def loud(self) -> tuple[int, int, int, int]:
        """How many lines there are of each level, not counting those that have none."""
        debug, info, warning, error = (
            sum(self.marks.count(level | flags) for flags in (0, KEPT, LATE, KEPT | LATE)) for level in range(1, 5)
        )
        return debug, info, warning, error

    def part(self, first: int, last: int) -> Batch:
        """The lines of it from `first` to `last`, both included and both inside."""
        if first <= self.first and last >= self.last:
            return self
        start, end = max(first, self.first) - self.first, min(last, self.last) - self.first + 1
        lines = SEPARATOR.join(self.split()[start:end])
        return Batch(
            self.first + start, self.first + end - 1, lines, self.marks[start:end], self.times[8 * start : 8 * end],
            self.longest,
        )  # fmt: skip


def join(batches: list[Batch]) -> Batch:
    """Batches that follow each other as one. None may be missing between them."""
    if len(batches) == 1:
        return batches[0]
    return Batch(
        batches[0].first,
        batches[-1].last,
        SEPARATOR.join([batch.lines for batch in batches]),
        b"".join([batch.marks for batch in batches]),
        b"".join([batch.times for batch in batches]),
        max(batch.longest for batch in batches),
    )
