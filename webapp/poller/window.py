"""How far back a round asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# A day and an hour: workers whose clocks are further apart are found by deep reads alone.
REACH_MOST = 90_000.0


class Depth(StrEnum):
    BEAT = "beat"  # two beats: most rounds
    LATE = "late"  # the late window
    SWEEP = "sweep"  # ten minutes, or further where entries are seen to come later
    DEEP = "deep"  # all of it, now and then
    WHOLE = "whole"  # all of it, at the end


def since_ms(newest_ms: int, date_ms: int | None, reach_seconds: float) -> int | None:
    """Where to ask from; None: the whole log. `newest_ms`: greatest timestamp known, -1 for none. `date_ms`: the
    upstream's clock at the newest round that succeeded; it keeps one entry from the future from hiding all others. One
    ms more makes upstreams that include `since_ms` and those that don't equal."""
    if newest_ms < 0:
        return None
    anchor = newest_ms if date_ms is None else min(newest_ms, date_ms)
    since = anchor - int(reach_seconds * 1000) - 1
    return since if since > 0 else None


@dataclass(slots=True)
class Schedule:
    """Which depth is due, how wide the late window is by now, and how far sweeps reach. Times: seconds of one monotonic
    clock. A worker whose clock is an hour behind is found by a deep read, and from then on by each sweep."""

    late_every: float
    sweep_every: float
    sweep_share: float
    window: float
    window_most: float
    reach: float = 600.0
    deep_every: float = 60.0
    deep_share: float = 0.02
    _late_at: float = 0.0
    _sweep_at: float = 0.0
    _deep_at: float = 0.0
    _deep_next: float = 0.0

    def start(self, now: float) -> None:
        """A first, deep read has been made just now."""
        self._late_at, self._sweep_at = now + self.late_every, now + self.sweep_every
        self._deep_next = self.deep_every
        self._deep_at = now + self._deep_next

    def depth(self, now: float) -> Depth:
        if now >= self._deep_at:
            return Depth.DEEP
        if now >= self._sweep_at:
            return Depth.SWEEP
        return Depth.LATE if now >= self._late_at else Depth.BEAT

    def seconds(self, depth: Depth) -> float | None:
        """How far back a read of that depth reaches; None: to the log's beginning."""
        return {Depth.BEAT: 0.0, Depth.LATE: self.window, Depth.SWEEP: self.reach}.get(depth)

    def done(self, depth: Depth, now: float, took: float) -> None:
        """A read that took long is repeated later, so that it never takes more than its share of the time."""
        if depth is Depth.BEAT:
            return
        self._late_at = now + max(self.late_every, took / self.sweep_share / 2)
        if depth is Depth.LATE:
            return
        self._sweep_at = now + max(self.sweep_every, took / self.sweep_share)
        if depth is not Depth.SWEEP:
            self._deep_next = min(10 * self.deep_every, 2 * self._deep_next)
            self._deep_at = now + max(self._deep_next, took / self.deep_share)

    def came_late(self, lateness_ms: int, behind_ms: int = 0) -> bool:
        """An entry was that much older than the newest one when it was found; `behind_ms`: the same of entries that the
        window does not reach. Widens the window, and what sweeps reach, by a quarter more than was seen; True if so."""
        self.reach = min(REACH_MOST, max(self.reach, behind_ms / 1000 * 1.25))
        wanted = min(self.window_most, lateness_ms / 1000 * 1.25)
        if wanted <= self.window:
            return False
        self.window = wanted
        return True
