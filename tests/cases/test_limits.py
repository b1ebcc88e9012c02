"""Cases 15 to 19: answers that were cut off, and what they may have hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.poller.rig import Rig, rig
from tests.upstream import Upstream, now_ms

pytestmark = pytest.mark.anyio


def gaps(r: Rig) -> list[tuple[int, str, int | None]]:
    return [(gap.after_line, gap.reason, gap.count) for gap in r.journal.gaps(0, 1 << 40)]


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("limit", [3, 7, 1000])
async def test_an_oldest_first_limit_below_the_overlap_does_not_stall(
    tmp_path: Path, upstream: Upstream, limit: int, inclusive: bool
) -> None:
    job, at = upstream.job(limit=limit, inclusive=inclusive), now_ms()
    job.lines(1, 3500 if limit == 1000 else 60, at)
    async with rig(tmp_path, upstream, job) as r:
        wanted = [f"line {n}" for n in range(1, 3501 if limit == 1000 else 61)]
        await r.until(lambda: r.journal.state().last_line == len(wanted), "the first lines")
        more = len(wanted)
        job.lines(more + 1, more + 40, at + more)
        await r.until(lambda: r.journal.state().last_line == more + 40, "more lines")
        job.finish()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, more + 41)]
        assert gaps(r) == []
        assert r.journal.state().complete


async def test_a_newest_first_limit_that_hid_entries_leaves_a_gap(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(limit=10, keeps="newest"), now_ms()
    job.lines(1, 10, at)
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 10, "the first lines")
        job.lines(11, 60, at + 10)
        await r.until(lambda: r.journal.state().last_line == 20, "the newest lines")
        assert r.messages() == [f"line {n}" for n in (*range(1, 11), *range(51, 61))]
        assert gaps(r) == [(10, "upstream", None)]
        job.finish()
        await r.finished()
        assert r.journal.state().complete is False
        assert gaps(r) == [(10, "upstream", None)]


async def test_a_first_answer_that_jumps_is_no_gap_where_the_second_does_not(
    tmp_path: Path, upstream: Upstream
) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 10, at)
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 10, "the first lines")
        answers = 0

        def once(entries: list[dict[str, object]]) -> list[dict[str, object]]:
            nonlocal answers
            answers += 1
            return entries[-5:] if answers == 1 else entries

        job.order = once
        job.lines(11, 30, at + 10)
        await r.until(lambda: r.journal.state().last_line == 30, "the new lines")
        assert r.messages() == [f"line {n}" for n in range(1, 31)]
        assert gaps(r) == []


@pytest.mark.parametrize("inclusive", [True, False])
async def test_a_limit_within_one_millisecond_leaves_a_gap_and_goes_on(
    tmp_path: Path, upstream: Upstream, inclusive: bool
) -> None:
    job, at = upstream.job(limit=20, inclusive=inclusive), now_ms()
    job.lines(1, 50, at, 0)
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 20, "what can be had of the full millisecond")
        await r.rounds(3)
        job.lines(51, 60, at + 5)
        await r.until(lambda: r.journal.state().last_line == 30, "the lines after it")
        assert r.messages() == [f"line {n}" for n in (*range(1, 21), *range(51, 61))]
        assert gaps(r) == [(20, "upstream", None)]
        job.lines(61, 70, at + 200)
        job.finish()
        await r.finished()
        assert r.journal.state().last_line == 40
        assert gaps(r) == [(20, "upstream", None)]
        assert r.journal.state().complete is False


async def test_pages_that_overlap_by_a_millisecond_double_nothing(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(limit=100), now_ms()
    job.add(*({"timestamp": at + n // 7, "message": "same" if n % 3 else f"line {n}"} for n in range(1000)))
    async with rig(tmp_path, upstream, job) as r:
        job.finish()
        await r.finished()
        assert sorted(r.messages()) == sorted("same" if n % 3 else f"line {n}" for n in range(1000))
        assert r.journal.state().complete


async def test_an_answer_that_shrank_only_clears_complete(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 100, at, 10)
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 100, "the lines")
        del job.entries[:60]
        await r.rounds(5)
        job.lines(101, 110, at + 1000, 10)
        job.finish()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 111)]
        assert gaps(r) == []
        assert r.journal.state().complete is False


async def test_an_upstream_that_lost_its_newest_lines_is_not_asked_all_the_time(
    tmp_path: Path, upstream: Upstream
) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 100, at)
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 100, "the lines")
        del job.entries[60:]
        await r.rounds(3)
        upstream.requests.clear()
        before = r.poller.rounds
        await r.rounds(30)
        assert upstream.requests["logs"] <= 1.5 * (r.poller.rounds - before) + 3
        assert r.journal.state().last_line == 100
