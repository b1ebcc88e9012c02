"""One slow job costs the others nothing."""

from __future__ import annotations

import asyncio
import threading

import anyio
import pytest

from webapp.errors import UpstreamDown
from webapp.poller.budget import Budget, Hands

pytestmark = pytest.mark.anyio


async def drip(budget: Budget, ended: list[str]) -> None:
    try:
        async with budget.place():
            await anyio.sleep_forever()
    except UpstreamDown as error:
        ended.append(error.detail)


async def test_requests_that_take_long_make_room_for_others() -> None:
    budget = Budget(requests=4, slow=6, slow_after=0.02)
    ended: list[str] = []
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(drip, budget, ended)
        for _ in range(20):
            with anyio.fail_after(5):
                async with budget.place():
                    pass
        assert budget.slow.borrowed_tokens <= 6
        tasks.cancel_scope.cancel()
    assert (budget.requests.borrowed_tokens, budget.slow.borrowed_tokens) == (0, 0)


async def test_where_all_places_are_slow_the_slow_ones_give_way_to_those_who_wait() -> None:
    budget = Budget(requests=2, slow=1, slow_after=0.02)
    ended: list[str] = []
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(drip, budget, ended)
        await anyio.sleep(0)
        for _ in range(5):
            with anyio.fail_after(5):
                async with budget.place():
                    pass
        assert ended and "slow" in ended[0]
        tasks.cancel_scope.cancel()


async def test_whoever_gets_no_place_in_time_says_so() -> None:
    budget = Budget(requests=1, slow=0, slow_after=60)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drip, budget, [])
        await anyio.sleep(0)
        with pytest.raises(UpstreamDown, match="under way"):
            async with budget.place(0.01):
                pass
        tasks.cancel_scope.cancel()


async def test_jobs_whose_disk_hangs_leave_threads_to_others() -> None:
    """As often as they try again: from the second time on they wait among themselves."""
    budget, end = Budget(threads=2, stuck=3, stuck_after=0.05), threading.Event()
    stuck, other = [Hands(budget) for _ in range(5)], Hands(budget)

    async def hangs(hands: Hands) -> None:
        while not end.is_set():
            await hands.run(lambda: end.wait(0.2))

    async with anyio.create_task_group() as tasks:
        for hands in stuck:
            tasks.start_soon(hangs, hands)
        with anyio.fail_after(30):
            while not all(hands.stuck for hands in stuck):
                await anyio.sleep(0.01)
            for _ in range(20):
                assert await other.run(lambda: 7) == 7
                assert not other.stuck and budget.threads.borrowed_tokens == 0
        assert 0 < budget.stuck.borrowed_tokens <= 3
        end.set()
    assert (budget.threads.borrowed_tokens, budget.stuck.borrowed_tokens) == (0, 0)
    assert await stuck[0].run(lambda: 7) == 7 and not stuck[0].stuck, "it was quick again"


def test_the_very_first_work_that_hangs_leaves_its_thread_to_others() -> None:
    """Nothing has used the places of the stuck by then. In a loop that anyio did not start, as the service's."""
    budget, end = Budget(threads=1, stuck=1, stuck_after=0.05), threading.Event()

    async def second() -> int:
        first = asyncio.create_task(Hands(budget).run(lambda: end.wait(60)))
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(20):
                return await Hands(budget).run(lambda: 7)
        finally:
            end.set()
            await first

    assert asyncio.run(second()) == 7
