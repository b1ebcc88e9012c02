"""One of the two things that a poller asks of its upstream: when it is due, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import JobtailError
from .backoff import Backoff
from .budget import RetryBucket


@dataclass(slots=True)
class Question:
    """`due`: when it may be asked again, in seconds of the monotonic clock. `error`: of the newest answer, None where
    it was good."""

    backoff: Backoff
    due: float = 0.0
    error: JobtailError | None = None

    def succeeded(self) -> None:
        self.error = None
        self.backoff.succeeded()

    def failed(self, error: JobtailError, now: float, retries: RetryBucket | None = None) -> float:
        """Seconds until it is asked again: its own backoff, then its place among the retries of all jobs."""
        delay = self.backoff.failed(getattr(error, "retry_after", None))
        if retries is not None:
            delay += retries.reserve(now)
        self.error, self.due = error, now + delay
        return delay
