"""A job is cancelled once, whoever asks how often, and who asked is written down within bounds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from webapp.access import cancels
from webapp.access.cancels import MAX_RECORDED, MAX_WAITING, Cancels
from webapp.access.grant import Grant
from webapp.errors import Busy, UpstreamDown
from webapp.models import RunStatus
from webapp.store.job import Cancellation

OWNER = Grant("owner", "ada")
LINK = Grant("share", "link 1", "1", can_cancel=True)


class Source:
    """Answers once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer = asyncio.Event()
        self.error: Exception | None = None

    async def cancel(self, job: str, who: str = "") -> RunStatus:
        self.asked += 1
        await self.answer.wait()
        if self.error is not None:
            raise self.error
        return RunStatus(job_id=job)


class Catalog:
    def __init__(self) -> None:
        self.there: list[Cancellation] = []

    def cancels(self, job: str) -> list[Cancellation]:
        return self.there

    def record_cancel(self, job: str, who: str, at_ms: int, address: str, share: str | None) -> None:
        self.there.append(Cancellation(job, who, at_ms, address, share or ""))


def made() -> tuple[Cancels, Any, Any]:
    source: Any = Source()
    catalog: Any = Catalog()
    return Cancels(source, catalog), source, catalog


def test_all_who_ask_share_one_cancel() -> None:
    async def go() -> None:
        asked, source, catalog = made()
        tasks = [asyncio.create_task(asked.cancel("job", LINK, "192.0.2.1")) for _ in range(MAX_WAITING)]
        while asked._waiting["job"] < MAX_WAITING:
            await asyncio.sleep(0.001)
        with pytest.raises(Busy):
            await asked.cancel("job", LINK, "192.0.2.1")
        tasks.append(asyncio.create_task(asked.cancel("job", OWNER, "192.0.2.2")))
        while asked._waiting["job"] <= MAX_WAITING:
            await asyncio.sleep(0.001)
        tasks[0].cancel()
        source.answer.set()
        found = await asyncio.gather(*tasks[1:])
        assert {status.job_id for status in found} == {"job"}
        assert source.asked == 1
        assert sorted(one.who for one in catalog.there) == ["ada", "link 1"]
        await asked.cancel("job", OWNER, "192.0.2.2")
        assert source.asked == 2 and not asked._under_way and not asked._waiting

    asyncio.run(go())


def test_links_cannot_fill_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        asked, source, catalog = made()
        source.answer.set()
        for number in range(MAX_RECORDED):
            await asked.cancel("job", LINK, f"192.0.2.{number}")
        assert len(catalog.there) == MAX_RECORDED // 2
        await asked.cancel("job", OWNER, "192.0.2.1")
        assert catalog.there[-1].who == "ada"
        monkeypatch.setattr(cancels, "AGAIN_SECONDS", 0.0)
        for _ in range(MAX_RECORDED):
            await asked.cancel("job", OWNER, "192.0.2.1")
        assert len(catalog.there) == MAX_RECORDED

    asyncio.run(go())


def test_a_cancel_that_fails_is_asked_anew() -> None:
    async def go() -> None:
        asked, source, _ = made()
        source.answer.set()
        source.error = UpstreamDown("no answer")
        with pytest.raises(UpstreamDown):
            await asked.cancel("job", OWNER, "::1")
        source.error = None
        assert (await asked.cancel("job", OWNER, "::1")).job_id == "job"

    asyncio.run(go())


def test_what_is_under_way_ends_with_the_service() -> None:
    async def go() -> None:
        asked, _, _ = made()
        task = asyncio.create_task(asked.cancel("job", OWNER, "::1"))
        while not asked._under_way:
            await asyncio.sleep(0.001)
        await asked.close()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
