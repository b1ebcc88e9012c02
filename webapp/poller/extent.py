"""The timestamps of an answer in its own order: how far it goes, and whether that order says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Extent:
    """Timestamps in ms, -1 for none. `last`: of the last entry. `rises`, `falls`: how often a timestamp was greater,
    or less, than the one before. `behind`: how far one lay below the greatest before it, at most."""

    least: int = -1
    greatest: int = -1
    last: int = -1
    rises: int = 0
    falls: int = 0
    behind: int = 0

    def add(self, timestamp: int) -> None:
        if timestamp == self.last:
            return
        if timestamp > self.last:
            self.rises += 1
        else:
            self.falls += 1
        self.last = timestamp
        if timestamp > self.greatest:
            self.greatest = timestamp
        else:
            self.behind = max(self.behind, self.greatest - timestamp)
        self.least = timestamp if self.least < 0 else min(self.least, timestamp)

    def risen(self, rises: int, least: int, greatest: int, last: int) -> None:
        """Takes note of entries that each had a greater timestamp than the one before."""
        self.rises += rises
        self.least, self.greatest, self.last = least, greatest, last

    @property
    def ordered(self) -> bool:
        """Whether the answer is ordered oldest first, apart from some entries that came late. Steps between equal
        timestamps say nothing: an answer that is newest first can hold many entries a millisecond."""
        return 4 * self.falls <= self.rises + self.falls

    @property
    def end(self) -> int:
        """How far the answer goes: to its last entry, or, where it is not ordered, to its greatest timestamp."""
        return self.last if self.ordered else self.greatest
