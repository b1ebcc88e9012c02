"""When to ask again after a failure: full jitter, and what the upstream itself asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import random

# An upstream that asks for a longer pause is asked again after this: a job that somebody watches should not stand still
# for an hour because of one header.
RETRY_AFTER_MOST = 120.0


@dataclass(slots=True)
class Backoff:
    """`first`, `most`: seconds. `attempt`: failures in a row; the first success resets it to 0."""

    first: float
    most: float
    attempt: int = 0

    def failed(self, retry_after: float | None = None, chance: Callable[[], float] = random) -> float:
        """Seconds until the next attempt: anywhere up to a bound that doubles, but not before `retry_after`."""
        self.attempt += 1
        bound = min(self.most, self.first * 2.0 ** min(self.attempt - 1, 30))
        return max(chance() * bound, min(retry_after or 0.0, RETRY_AFTER_MOST))

    def succeeded(self) -> None:
        self.attempt = 0
