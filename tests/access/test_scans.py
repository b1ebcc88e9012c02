"""Walks of a log take turns, are bounded for each caller, and end when their caller has gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from typing import Any

import pytest

from webapp.access import scans
from webapp.access.grant import Grant
from webapp.access.scans import Check, Scans
from webapp.errors import Busy, Gone, UsageError
from webapp.threads import Pool

OWNER, LINK, OTHER = Grant("owner", "ada"), Grant("share", "link 1", "1"), Grant("share", "link 2", "2")


class Asked:
    """A request whose caller can hang up."""

    gone = False

    async def is_disconnected(self) -> bool:
        return self.gone


def endless(check: Check) -> Generator[None, None, None]:
    while True:
        yield


def short(check: Check) -> Generator[None, None, str]:
    yield
    return "found"


async def begun(walks: Scans, grant: Grant, count: int, asked: Asked) -> list[asyncio.Task[Any]]:
    tasks = [asyncio.create_task(walks.run(asked, grant, "::1", endless)) for _ in range(count)]  # type: ignore[arg-type]
    while sum(walks._walks.values()) < count:
        await asyncio.sleep(0)
    return tasks


def test_who_asks_for_much_takes_no_turn_from_others() -> None:
    async def go() -> None:
        walks, hog = Scans(Pool("test", 2)), Asked()
        tasks = await begun(walks, LINK, 16, hog)
        for grant in (OWNER, OTHER, OWNER):
            async with asyncio.timeout(10):
                assert await walks.run(Asked(), grant, "::1", short) == "found"  # type: ignore[arg-type]
        with pytest.raises(Busy):
            await walks.run(Asked(), LINK, "::1", short)  # type: ignore[arg-type]
        hog.gone = True
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, Gone) for end in ends)
        assert not walks._walks and not walks._running

    asyncio.run(go())


def test_a_walk_in_the_middle_of_a_long_line_ends_with_its_caller() -> None:
    ended = threading.Event()

    def within_a_line(check: Check) -> Generator[None, None, None]:
        yield
        try:
            while True:
                check()
        finally:
            ended.set()

    async def go() -> None:
        walks, asked = Scans(Pool("test", 1)), Asked()
        task = asyncio.create_task(walks.run(asked, LINK, "::1", within_a_line))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        asked.gone = True
        with pytest.raises(Gone):
            await asyncio.wait_for(task, 10)
        assert ended.is_set()

    asyncio.run(go())


def test_a_line_that_takes_too_long_is_named_as_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "STEP_SECONDS", 0.05)

    def slow(check: Check) -> Generator[None, None, None]:
        yield
        while True:
            check()

    with pytest.raises(UsageError, match="for one line"):
        asyncio.run(Scans(Pool("test", 1)).run(Asked(), OWNER, "::1", slow))  # type: ignore[arg-type]


def test_cancelled_it_lets_go_of_its_thread() -> None:
    async def go() -> None:
        walks = Scans(Pool("test", 1))
        (task,) = await begun(walks, LINK, 1, Asked())
        while not walks._running:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(10):
            assert await walks.run(Asked(), OTHER, "::1", short) == "found"  # type: ignore[arg-type]

    asyncio.run(go())
