"""Which jobs `GET /api/jobs?q=&status=` gives."""

from __future__ import annotations

import pytest

from webapp.models import JobRecord
from webapp.web.chosen import LOOKED_AT, STEP, Chosen, choose

STATES = ("Running", "Done", "Failed", "CANCELLED", None)


def record(number: int) -> JobRecord:
    return JobRecord(id=f"job-{number:04}", job_status=STATES[number % 5], job_name=f"Run {number}")


class Source:
    """Newest first, as many as there are."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[tuple[int, int]] = []

    async def jobs(self, n: int, skip: int) -> list[JobRecord]:
        self.asked.append((n, skip))
        return [record(number) for number in range(skip, min(skip + n, self.count))]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wanted", "n", "skip", "ids"),
    [
        (Chosen("job-001"), 3, 0, ["job-0010", "job-0011", "job-0012"]),
        (Chosen("run 29"), 2, 1, ["job-0290", "job-0291"]),
        (Chosen("", frozenset({"failed"})), 2, 1, ["job-0007", "job-0012"]),
        (Chosen("", frozenset({"canceled", "done"})), 2, 0, ["job-0001", "job-0003"]),
        (Chosen("job-0005", frozenset({"failed"})), 2, 0, []),
        (Chosen("nobody"), 5, 0, []),
    ],
)
async def test_they_are_chosen_by_id_name_and_status(wanted: Chosen, n: int, skip: int, ids: list[str]) -> None:
    assert [job.id for job in await choose(Source(600).jobs, wanted, n, skip)] == ids


@pytest.mark.anyio
async def test_no_more_is_asked_for_than_is_needed_and_never_without_a_bound() -> None:
    source = Source(10**6)
    await choose(source.jobs, Chosen("job-0001"), 1, 0)
    assert source.asked == [(STEP, 0)]
    source = Source(10**6)
    assert await choose(source.jobs, Chosen("nobody"), 1, 0) == []
    assert len(source.asked) == LOOKED_AT // STEP
