"""With what signals a command is asked to end, one after the other. No I/O."""

from __future__ import annotations

import math
import signal

GRACE_SECONDS = 10.0


class Ladder:
    """The first signal was sent at `now` (s, monotonic); then SIGTERM, where it was another one, and SIGKILL, each
    `grace` seconds after the one before."""

    def __init__(self, first: int, grace: float, now: float) -> None:
        following = [signal.SIGKILL] if first == signal.SIGTERM else [signal.SIGTERM, signal.SIGKILL]
        self._steps = [(now + grace * n, int(number)) for n, number in enumerate(following, 1)]

    @property
    def over(self) -> bool:
        return not self._steps

    @property
    def next_at(self) -> float:
        return self._steps[0][0] if self._steps else math.inf

    def due(self, now: float) -> list[int]:
        """What is to be sent now."""
        found: list[int] = []
        while self._steps and now >= self._steps[0][0]:
            found.append(self._steps.pop(0)[1])
        return found
