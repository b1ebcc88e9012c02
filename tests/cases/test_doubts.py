"""Doubts about a whole log: what they cost, and what settles them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.poller.rig import FAST, rig
from tests.upstream import Upstream, now_ms

pytestmark = pytest.mark.anyio
# Nothing but the beat, and reads of the whole log at its end.
SELDOM = replace(FAST, late_every=60, sweep_every=60, deep_every=60, drain_most=60)


def times_read(upstream: Upstream, first: int, last: int) -> int:
    """How often the pages that were asked for with a time between these two came, at most."""
    return max(Counter(one.since for one in upstream.asked if one.since and first < one.since < last).values())


async def test_a_log_in_order_of_arrival_behind_a_limit_is_read_once_for_a_doubt_that_stays(
    tmp_path: Path, upstream: Upstream
) -> None:
    job, at = upstream.job(order=list, limit=50), now_ms() - 20_000
    job.lines(1, 50, at, 10)
    job.log("late by five lines", at + 445)
    job.lines(51, 1000, at + 500, 10)
    job.finish()
    async with rig(tmp_path, upstream, job, pace=SELDOM) as r:
        await r.finished()
        assert r.journal.state().last_line == 1001
        assert r.journal.state().complete is False
        assert times_read(upstream, at + 3000, at + 9000) == 2


async def test_a_ms_fuller_than_a_limit_is_asked_for_again_without_the_rest(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(limit=20), now_ms() - 20_000
    job.lines(1, 200, at)
    job.lines(201, 230, at + 300, 0)
    job.lines(231, 600, at + 400)
    job.finish()
    async with rig(tmp_path, upstream, job, pace=SELDOM) as r:
        await r.finished()
        assert r.journal.state().last_line == 590
        assert r.journal.state().complete is False
        assert times_read(upstream, at + 420, at + 600) <= 2
        assert times_read(upstream, at + 298, at + 301) >= 4  # the three doubts are looked into


async def test_a_doubt_that_passes_is_followed_by_a_read_of_the_whole(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(limit=20), now_ms() - 20_000
    job.lines(1, 200, at)
    job.lines(201, 215, at + 300, 0)
    job.lines(216, 400, at + 400)
    async with rig(tmp_path, upstream, job, pace=SELDOM) as r:
        await r.until(lambda: r.journal.state().last_line == 400, "the lines")
        whole = seen = 0

        def full(found: list[Any]) -> list[Any]:
            """In the first read of the whole log, an answer that lies in one ms ends with it."""
            nonlocal whole, seen
            since = upstream.asked[-1].since
            whole += since is None
            seen += whole > 0 and since == at + 300
            if whole == 1 and since is not None and at + 200 <= since <= at + 300 and seen < 2:
                return [entry for entry in found if entry["timestamp"] <= at + 300]
            return found

        job.order = full
        job.finish()
        await r.finished()
        assert seen == 2  # the doubt, and the request that settles it
        assert whole == 2
        assert r.journal.state().complete


async def test_a_line_that_comes_where_a_doubt_was_is_kept(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(order=list, limit=50), now_ms() - 20_000
    job.lines(1, 50, at, 10)
    job.log("late by five lines", at + 445)
    job.lines(51, 300, at + 500, 10)
    job.finish()
    found = False

    def later(entries: list[Any]) -> list[Any]:
        """A line that the log's first answer has, once the whole has been read."""
        nonlocal found
        if len(entries) == 301 and len([one for one in upstream.asked if one.since is None]) > 2:
            found = True
            return [{"timestamp": at + 1, "message": "found"}, *entries]
        return entries

    job.order = later
    async with rig(tmp_path, upstream, job, pace=SELDOM) as r:
        await r.finished()
        assert found
        assert "found" in r.messages()
        assert r.journal.state().complete is False
