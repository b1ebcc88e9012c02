"""Which entries of one answer are new: merging by counts.

For each key an answer holds n and the journal `seen`: the last max(0, n - seen) of them are new. The journal's counts
are loaded for stretches of time as the answer comes to them, and forgotten one by one as it confirms them, so that
what is held are the differences alone, however long the log is.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping

BUCKET = 1000
# How many counts one load should bring, about: a stretch grows and shrinks by it.
LOAD_LEAST, LOAD_MOST = 20_000, 100_000
STRETCH_MOST = 1 << 22
# Counts that no answer confirms (the upstream lost them) are held up to here; then the oldest stretches are let go
# and would be loaded again.
LEFT_MOST = 1_000_000

Loader = Callable[[int, int], Mapping[int, int]]


class Tally:
    """`load(start_ms, end_ms)` gives the journal's counts; nothing stands in the journal past `high_ms`. `untimed`: its
    counts of entries without a timestamp. `held`: entries that wait to be appended; they count as seen. `near_ms`:
    matches past it (timestamps from the future) are counted in `far`, not in `near`."""

    def __init__(
        self,
        load: Loader,
        high_ms: int,
        *,
        untimed: Mapping[int, int] | None = None,
        held: Mapping[int, int] | None = None,
        near_ms: int | None = None,
    ) -> None:
        self._load = load
        self._high = high_ms
        self._near_most = high_ms if near_ms is None else near_ms
        self._untimed = dict(untimed or {})
        self._held = dict(held or {})
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._left: list[dict[int, int]] = []
        self._stretch = 1
        # The stretch that was touched last: entries mostly come in order.
        self._from = self._to = 0
        self._here: dict[int, int] = {}
        self.near = self.far = 0
        self.exact = True  # no stretch was let go, so that nothing can have been counted twice

    @property
    def matched(self) -> int:
        """Entries of the answer that the journal had."""
        return self.near + self.far

    @property
    def known_to(self) -> int:
        """No entry past it can be known."""
        return sys.maxsize if self._held else self._high

    def known(self, timestamp: int, key: int) -> bool:
        """Takes note of one entry; True where the journal, or what waits for it, has it already."""
        if timestamp <= self._high:
            if not self._from <= timestamp < self._to:
                self._touch(timestamp)
            if _take(self._here, key):
                if timestamp <= self._near_most:
                    self.near += 1
                else:
                    self.far += 1
                return True
        return bool(self._held) and _take(self._held, key)

    def known_untimed(self, key: int) -> bool:
        if _take(self._untimed, key):
            self.near += 1
            return True
        return bool(self._held) and _take(self._held, key)

    def _touch(self, timestamp: int) -> None:
        """Makes the stretch around `timestamp` the one at hand, loaded once."""
        index = bisect_right(self._starts, timestamp) - 1
        if index < 0 or timestamp >= self._ends[index]:
            index += 1
            start = timestamp - timestamp % BUCKET
            end = start + self._stretch * BUCKET
            if index < len(self._starts):
                end = min(end, self._starts[index])
            self._let_go()
            index = bisect_right(self._starts, timestamp)
            counts = dict(self._load(start, end))
            self._stretch = _next_stretch(self._stretch, len(counts))
            self._starts.insert(index, start)
            self._ends.insert(index, end)
            self._left.insert(index, counts)
        self._from, self._to, self._here = self._starts[index], self._ends[index], self._left[index]

    def _let_go(self) -> None:
        while len(self._left) > 1 and sum(map(len, self._left)) > LEFT_MOST:
            self.exact = False
            del self._starts[0], self._ends[0], self._left[0]


def _take(counts: dict[int, int], key: int) -> bool:
    left = counts.get(key)
    if left is None:
        return False
    if left == 1:
        del counts[key]
    else:
        counts[key] = left - 1
    return True


def _next_stretch(stretch: int, loaded: int) -> int:
    if loaded > LOAD_MOST:
        return max(1, stretch // 2)
    if loaded < LOAD_LEAST:
        return min(STRETCH_MOST, stretch * 2)
    return stretch
