"""Which jobs of the list are wanted: by the start of their id, by their name, by their status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..models import JobRecord
from ..states import state_of

# So many of the newest jobs are looked at, so many at once.
LOOKED_AT = 1000
STEP = 250


@dataclass(frozen=True, slots=True)
class Chosen:
    """`q`: the start of an id, or a part of a name in either case. `styles`: of `states.LABELS`; empty: all."""

    q: str = ""
    styles: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.q or self.styles)

    def passes(self, job: JobRecord) -> bool:
        if self.styles and state_of(job.job_status, finished=False).style not in self.styles:
            return False
        name = (job.model_extra or {}).get("job_name")
        named = isinstance(name, str) and self.q.casefold() in name.casefold()
        return named or job.id.startswith(self.q)


async def choose(
    list_jobs: Callable[[int, int], Awaitable[list[JobRecord]]], wanted: Chosen, n: int, skip: int
) -> list[JobRecord]:
    """`n` of those that are wanted after the first `skip` of them, newest first. `list_jobs(n, skip)` gives jobs."""
    found: list[JobRecord] = []
    for at in range(0, LOOKED_AT, STEP):
        listed = await list_jobs(STEP, at)
        found += [job for job in listed if wanted.passes(job)]
        if len(found) >= skip + n or len(listed) < STEP:
            break
    return found[skip : skip + n]
