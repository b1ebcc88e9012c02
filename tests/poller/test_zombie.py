"""A poller that stood still while another took over, and then goes on as if nothing had been."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.upstream import Upstream, now_ms
from webapp.poller.lease import Lease

from .rig import FAST, rig

pytestmark = pytest.mark.anyio


async def test_a_poller_that_was_stopped_in_the_middle_of_an_answer_appends_nothing_of_it_again(
    tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = upstream.job()
    job.lines(1, 3, now_ms())
    async with rig(tmp_path, upstream, job, pace=replace(FAST, lease=0.3, lease_renew=0.05)) as r:
        await r.rounds(2)
        zombie = r.poller
        reader, stopped, go_on = zombie._logs._reader.pages, asyncio.Event(), asyncio.Event()
        flush = reader._flush

        async def stop_before_it_appends(page: object) -> None:
            if page.pending:  # type: ignore[attr-defined]
                stopped.set()
                await go_on.wait()
            await flush(page)  # type: ignore[arg-type]

        async def renew_nothing(lease: Lease, lost: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(reader, "_flush", stop_before_it_appends)
        job.lines(4, 2000, now_ms())
        await asyncio.wait_for(stopped.wait(), 20)
        monkeypatch.setattr(Lease, "keep", renew_nothing)
        zombie._lease._every = 1e9  # its next renewal never comes
        await r.until(lambda: not r.journal.state().held, "its lease to end")
        heir = r.another()
        taking = asyncio.create_task(heir.run())
        await r.until(lambda: len(r.lines()) == 2000, "the heir to append them")
        taking.cancel()  # it dies, and the lease is free again
        await asyncio.gather(taking, return_exceptions=True)
        go_on.set()
        await r.until(lambda: not zombie.writes, "the first one to notice")
        assert r.messages() == [f"line {n}" for n in range(1, 2001)]
        monkeypatch.undo()
        job.lines(2001, 2010, now_ms())
        job.finish()
        again = asyncio.create_task(r.another().run())
        await r.finished()
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
        assert r.messages() == [f"line {n}" for n in range(1, 2011)] and r.journal.state().complete
