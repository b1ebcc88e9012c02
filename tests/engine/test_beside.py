"""Reported jobs and an upstream's in one list."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from webapp.engine.beside import BesideUpstream, merged
from webapp.models import JobRecord

START = datetime(2026, 1, 1, tzinfo=UTC)


def record(name: str, hour: int | None) -> JobRecord:
    return JobRecord(id=name, creation_date=None if hour is None else START + timedelta(hours=hour))


class Listed:
    def __init__(self, records: list[JobRecord]) -> None:
        self.records = records
        self.asked: list[tuple[int, int]] = []

    async def jobs(self, n: int, skip: int) -> list[JobRecord]:
        self.asked.append((n, skip))
        return self.records[skip : skip + n]


@pytest.mark.parametrize("own", [0, 1, 3, 40])
@pytest.mark.parametrize("skip", [0, 1, 5, 17, 38, 60])
def test_a_page_is_the_part_of_the_whole_list_that_it_says(own: int, skip: int) -> None:
    ours = [record(f"r{k}", 100 - 3 * k) for k in range(own)]
    theirs = [record(f"u{k}", 99 - 2 * k) for k in range(40)]
    source = BesideUpstream(cast(Any, Listed(ours)), cast(Any, Listed(theirs)))
    whole = [job.id for job in merged(ours, theirs)]
    page = asyncio.run(source.jobs(10, skip))
    assert [job.id for job in page] == whole[skip : skip + 10]
    assert sorted(whole) == sorted(job.id for job in (*ours, *theirs))


def test_of_the_upstreams_no_more_is_asked_for_than_can_be_on_the_page() -> None:
    theirs = Listed([record(f"u{k}", -k) for k in range(2000)])
    source = BesideUpstream(cast(Any, Listed([record("r", 1)])), cast(Any, theirs))
    asyncio.run(source.jobs(10, 1000))
    assert theirs.asked == [(11, 999)]


def test_a_job_without_a_date_stands_by_its_neighbour() -> None:
    theirs = [record("u0", 9), record("u1", None), record("u2", 1)]
    assert [job.id for job in merged([record("r0", 10), record("r1", 5)], theirs)] == ["r0", "u0", "u1", "r1", "u2"]
