"""Why the newest round of a poller failed."""

from __future__ import annotations

import time

from ..errors import JobNotFound, JobtailError, UpstreamDenied

# How long a refusal (no such job, no such credential) is believed before the upstream is asked again.
REFUSED_SECONDS = 5.0


class RoundTrouble:
    """`error`: None where the newest round went well, or may yet."""

    def __init__(self) -> None:
        self.error: JobtailError | None = None
        self._at = 0.0

    def met(self, error: JobtailError) -> None:
        self.error, self._at = error, time.monotonic()

    def over(self) -> None:
        self.error = None

    @property
    def refused(self) -> bool:
        """The upstream would refuse again: the run ends."""
        return isinstance(self.error, JobNotFound | UpstreamDenied)

    @property
    def final(self) -> bool:
        """It was refused only seconds ago, so that a new run need not ask again."""
        return self.refused and time.monotonic() - self._at < REFUSED_SECONDS
