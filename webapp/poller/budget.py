"""What the pollers of one upstream share, so that a hundred jobs do not become a hundred retry storms."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio


@dataclass(slots=True)
class RetryBucket:
    """Attempts after a failure, of all jobs together: `burst` at once, then `rate` a second and one for each request
    that succeeds, so that an upstream that fails now and then is not read at a crawl, and one that is down is left
    alone. Times: seconds of one monotonic clock."""

    rate: float = 4.0
    burst: float = 20.0
    _level: float | None = field(default=None, init=False)
    _at: float = field(default=0.0, init=False)

    def reserve(self, now: float) -> float:
        """Takes the next free place; how many seconds from now it is."""
        level = self.burst if self._level is None else self._level + max(0.0, now - self._at) * self.rate
        self._level = min(self.burst, level) - 1
        self._at = now
        return max(0.0, -self._level / self.rate)

    def earn(self) -> None:
        """A request has succeeded."""
        if self._level is not None:
            self._level = min(self.burst, self._level + 1)


class Budget:
    """`requests`: how many requests of pollers are under way at once. `threads`: how many parse and append at once."""

    def __init__(self, requests: int = 32, threads: int = 4, retries: RetryBucket | None = None) -> None:
        self.requests = anyio.CapacityLimiter(requests)
        self.threads = anyio.CapacityLimiter(threads)
        self.retries = retries or RetryBucket()
