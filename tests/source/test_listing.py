import asyncio

import pytest

from webapp.errors import UpstreamDown
from webapp.models import JobRecord
from webapp.source import listing
from webapp.source.listing import MOST, OVERLAP, STEP, Listing

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(listing.time, "monotonic", lambda: now[0])
    return now


async def test_an_answer_serves_everybody_for_a_while(clock):
    asked = []

    async def ask(n, skip):
        asked.append((n, skip))
        return [JobRecord(id=str(len(asked)))]

    jobs = Listing(ask).jobs
    assert [job.id for job in await jobs(5, 0, within=5)] == ["1"]
    clock[0] += 4
    assert [job.id for job in await jobs(5, 0, within=5)] == ["1"]
    assert [job.id for job in await jobs(5, 0)] == ["2"]
    assert [job.id for job in await jobs(5, 5)] == ["3"]
    clock[0] += 6
    assert [job.id for job in await jobs(5, 0, within=5)] == ["4"]


async def test_a_failed_answer_serves_nobody(clock):
    answers = [RuntimeError("down"), [JobRecord(id="a")]]

    async def ask(n, skip):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    jobs = Listing(ask).jobs
    with pytest.raises(RuntimeError):
        await jobs(5, 0)
    assert [job.id for job in await jobs(5, 0)] == ["a"]


async def test_who_wants_it_now_is_asked_for_now_and_shares_what_is_on_its_way(clock):
    gate = asyncio.Event()
    asked = []

    async def ask(n, skip):
        asked.append(n)
        await gate.wait()
        return [JobRecord(id=str(len(asked)))]

    jobs = Listing(ask).jobs
    waiting = [asyncio.ensure_future(jobs(5, 0, within=0.0)) for _ in range(10)]
    await asyncio.sleep(0)
    clock[0] += 1
    waiting.append(asyncio.ensure_future(jobs(5, 0, within=0.0)))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*waiting)
    assert asked == [5]
    clock[0] += 0.001
    await jobs(5, 0, within=0.0)
    assert asked == [5, 5]


async def test_what_was_known_is_known_while_the_upstream_is_down(clock):
    answers = [[JobRecord(id="a")], RuntimeError("down")]

    async def ask(n, skip):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    jobs = Listing(ask)
    assert jobs.known(5, 0) == []
    await jobs.jobs(5, 0)
    clock[0] += 10
    with pytest.raises(RuntimeError):
        await jobs.jobs(5, 0)
    assert [job.id for job in jobs.known(5, 0)] == ["a"]
    assert jobs.known(5, 5) == []


class Jobs:
    """So many, newest first. From `slow` on they come only once `gate` is open; from `down` on not at all."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[int] = []
        self.slow = self.down = MOST
        self.gate = asyncio.Event()

    async def ask(self, n: int, skip: int) -> list[JobRecord]:
        self.asked.append(skip)
        if skip >= self.down:
            raise UpstreamDown("no answer")
        if skip >= self.slow:
            await self.gate.wait()
        return [JobRecord(id=f"job-{place}") for place in range(self.count - skip, max(0, self.count - skip - n), -1)]


def numbers(jobs: list[JobRecord]) -> list[int]:
    return [int(job.id.removeprefix("job-")) for job in jobs]


@pytest.mark.parametrize("count", [0, 1, STEP - 1, STEP, STEP + 1, STEP + OVERLAP, 2 * STEP, 5000])
async def test_a_search_looks_through_all_jobs_each_once(count):
    found = await Listing(Jobs(count).ask).through(60)
    assert numbers(found.jobs) == list(range(count, 0, -1)) and found.whole and found.problem is None


async def test_no_search_looks_through_more_than_the_bound():
    jobs = Jobs(10**6)
    found = await Listing(jobs.ask).through(60)
    assert len(found.jobs) == MOST and not found.whole and len(jobs.asked) == MOST // STEP


async def test_older_jobs_are_not_asked_for_at_each_glance_and_none_is_missed_when_new_ones_come(clock):
    jobs = Jobs(1000)
    listing = Listing(jobs.ask)
    await listing.through(60)
    steps = len(jobs.asked)
    clock[0] += 6
    jobs.count += OVERLAP - 1
    assert numbers((await listing.through(60)).jobs) == list(range(jobs.count, 0, -1))
    assert jobs.asked[steps:] == [0]
    clock[0] += 6
    jobs.count += OVERLAP
    assert numbers((await listing.through(60)).jobs) == list(range(jobs.count, 0, -1))


async def test_what_does_not_come_in_time_is_there_for_the_next_who_asks():
    jobs = Jobs(1000)
    jobs.slow = 500 - OVERLAP
    listing = Listing(jobs.ask)
    found = await listing.through(0.05)
    assert numbers(found.jobs) == list(range(1000, 500, -1)) and not found.whole
    jobs.gate.set()
    found = await listing.through(60)
    assert numbers(found.jobs) == list(range(1000, 0, -1)) and found.whole
    assert jobs.asked.count(500 - OVERLAP) == 1


async def test_where_the_upstream_is_down_what_was_known_is_looked_through(clock):
    jobs = Jobs(1000)
    listing = Listing(jobs.ask)
    await listing.through(60)
    clock[0] += 600
    jobs.down = 0
    found = await listing.through(60)
    assert numbers(found.jobs) == list(range(1000, 0, -1)) and not found.whole
    assert found.problem is not None
