"""The upstream's clock, as the Date of its answers gives it, and how far that can be trusted."""

from __future__ import annotations

import time
from collections import deque

from ..journal.state import State

# A timestamp so far past the later of our clock and the upstream's is from the future. Local time that is sent as UTC
# is 14 hours ahead at most, and a Date that a cache keeps lies behind.
HORIZON_MS = 15 * 3_600_000
# Where the new entries of so many rounds all have times past the upstream's Date, that Date is behind.
AHEAD_ROUNDS = 8


class UpstreamClock:
    """`date_ms`: the Date of the newest answer that came in whole; None where it had none."""

    def __init__(self) -> None:
        self.date_ms: int | None = None
        self._ahead: deque[int] = deque(maxlen=AHEAD_ROUNDS)  # of new entries, of the upstream's Date, in ms, at least

    def came(self, first_ms: int) -> None:
        """`first_ms`: the least timestamp of the new entries that a read has brought, of those past all that we
        knew."""
        if first_ms >= 0 and self.date_ms is not None:
            self._ahead.append(first_ms - self.date_ms)

    def anchor(self, state: State) -> int:
        """The time that a round reaches back from, -1 without any: the greatest timestamp we know, but not past the
        upstream's clock at the newest read that went well, because entries that came since then may have smaller ones.
        Where entries are always ahead of that clock, as with a Date that is an hour behind, it is set forward by as
        much; otherwise each round would read an hour."""
        if self.date_ms is None:
            return newest(state)
        ahead = min(self._ahead) if len(self._ahead) == AHEAD_ROUNDS else 0
        return min(state.high_ms, self.date_ms + max(0, ahead))


def horizon(date_ms: int | None) -> int:
    """Timestamps past it are from the future: some clock is wrong."""
    return max(int(time.time() * 1000), date_ms or 0) + HORIZON_MS


def newest(state: State) -> int:
    """The greatest timestamp we know, without those from the future; -1 without any."""
    return state.out_ms if state.out_ms >= 0 else state.high_ms
