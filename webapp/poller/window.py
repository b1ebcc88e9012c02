"""How far back a round asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Depth(StrEnum):
    BEAT = "beat"  # two beats: most rounds
    LATE = "late"  # the late window
    SWEEP = "sweep"  # ten minutes
    WHOLE = "whole"  # all of it


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
    """Which depth is due, and how wide the late window is by now. Times: seconds of one monotonic clock."""

    late_every: float
    sweep_every: float
    sweep_share: float
    window: float
    window_most: float
    _late_at: float = 0.0
    _sweep_at: float = 0.0

    def start(self, now: float) -> None:
        """A first, deep read has been made just now."""
        self._late_at, self._sweep_at = now + self.late_every, now + self.sweep_every

    def depth(self, now: float) -> Depth:
        if now >= self._sweep_at:
            return Depth.SWEEP
        return Depth.LATE if now >= self._late_at else Depth.BEAT

    def done(self, depth: Depth, now: float, took: float) -> None:
        """A read that took long comes again later, so that it takes no more than its share of the time."""
        if depth is Depth.BEAT:
            return
        self._late_at = now + max(self.late_every, took / self.sweep_share / 2)
        if depth is not Depth.LATE:
            self._sweep_at = now + max(self.sweep_every, took / self.sweep_share)

    def came_late(self, lateness_ms: int) -> bool:
        """An entry was that much older than the newest one when it was found. Widens the window where it has to, by a
        quarter more than was seen; True if so."""
        wanted = min(self.window_most, lateness_ms / 1000 * 1.25)
        if wanted <= self.window:
            return False
        self.window = wanted
        return True
