"""How much one token may bring, in this process: so many a minute, as a bucket that fills as time passes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import OverQuota
from ..settings import Settings

OPEN_SECONDS = 30.0  # a job that was not heard of for so long is not counted as running
MOST_TOKENS = 10_000


@dataclass(slots=True)
class Use:
    """`left`: by kind, how much may come now; negative after one that was larger than what was left."""

    left: dict[str, float]
    at: float
    jobs: dict[str, float] = field(default_factory=dict)


class Quota:
    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute = {
            "jobs": settings.run_jobs_a_minute,
            "lines": settings.run_lines_a_minute,
            "bytes": settings.run_bytes_a_minute,
        }
        self._open = settings.run_open_jobs
        self._clock = clock
        self._uses: dict[str, Use] = {}

    def begin(self, token: str, job: str) -> None:
        """OverQuota. A job that runs already costs nothing."""
        use, now = self._use(token), self._clock()
        use.jobs = {name: at for name, at in use.jobs.items() if now - at < OPEN_SECONDS}
        if job in use.jobs:
            return
        if len(use.jobs) >= self._open:
            raise OverQuota(f"this token has {self._open} jobs running (JOBTAIL_RUN_OPEN_JOBS)", 30)
        self._check(use, "jobs")
        use.left["jobs"] -= 1
        use.jobs[job] = now

    def heard(self, token: str, job: str) -> None:
        self._use(token).jobs[job] = self._clock()

    def ended(self, token: str, job: str) -> None:
        self._use(token).jobs.pop(job, None)

    def check(self, token: str) -> None:
        """OverQuota before a body is read."""
        use = self._use(token)
        self._check(use, "lines")
        self._check(use, "bytes")

    def spend(self, token: str, lines: int, size: int) -> None:
        use = self._use(token)
        use.left["lines"] -= lines
        use.left["bytes"] -= size

    def _use(self, token: str) -> Use:
        now = self._clock()
        use = self._uses.get(token)
        if use is None:
            if len(self._uses) >= MOST_TOKENS:
                self._uses.clear()
            use = self._uses[token] = Use({kind: float(most) for kind, most in self._a_minute.items()}, now)
        for kind, most in self._a_minute.items():
            use.left[kind] = min(most, use.left[kind] + (now - use.at) * most / 60)
        use.at = now
        return use

    def _check(self, use: Use, kind: str) -> None:
        left, most = use.left[kind], self._a_minute[kind]
        if left < min(1, most):
            wait = max(1, min(60, math.ceil((1 - left) * 60 / most)))
            raise OverQuota(f"this token may bring {most} {kind} a minute (JOBTAIL_RUN_{kind.upper()}_A_MINUTE)", wait)
