"""What follows the end of a command: processes that it left behind may hold its output open."""

from __future__ import annotations

# For so many seconds we listen to them when they are silent, and when they are not. The time in which somebody slow
# takes what the command itself wrote does not count.
QUIET_SECONDS = 2.0
LEFT_SECONDS = 10.0


class Aftermath:
    """Times: seconds of the monotonic clock. `begun`: the command itself has ended."""

    def __init__(self) -> None:
        self.begun = False
        self._busy_at = 0.0
        self._looked_at = 0.0
        self._listened = 0.0
        self._free = False

    def wrote(self, now: float) -> None:
        """Something was read."""
        self._busy_at = now

    def look(self, now: float, free: bool) -> None:
        """`free`: nobody slow is waited for."""
        if not self.begun:
            self.begun, self._busy_at = True, now
        before, self._free = self._free, free
        if before and free:
            self._listened += now - self._looked_at
        self._looked_at = now

    def over(self, now: float) -> bool:
        """Nobody can tell how long they would go on."""
        return self._free and (now - self._busy_at > QUIET_SECONDS or self._listened > LEFT_SECONDS)
