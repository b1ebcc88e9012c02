import asyncio

import pytest

from webapp.models import JobRecord
from webapp.source import listing
from webapp.source.listing import Listing

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
