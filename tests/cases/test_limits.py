"""Answers that were cut off, and what they may have hidden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.poller.rig import FAST, Rig, rig
from tests.upstream import Asked, Upstream, now_ms

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


@pytest.mark.parametrize("inclusive", [True, False])
async def test_a_last_ms_fuller_than_the_limit_is_not_called_complete(
    tmp_path: Path, upstream: Upstream, inclusive: bool
) -> None:
    job, at = upstream.job(limit=20, inclusive=inclusive), now_ms()
    job.lines(1, 45, at)
    job.lines(46, 80, at + 100, 0)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 66)]
        assert r.journal.state().complete is False
        assert gaps(r) == [(65, "upstream", None)]


async def test_a_log_that_is_nothing_but_one_full_ms_is_not_called_complete(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job(limit=1000)
    job.lines(1, 1500, now_ms(), 0)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert (r.journal.state().last_line, r.journal.state().complete) == (1000, False)


@pytest.mark.parametrize("inclusive", [True, False])
async def test_a_limit_in_bytes_loses_no_long_line_at_the_end(
    tmp_path: Path, upstream: Upstream, inclusive: bool
) -> None:
    job, at = upstream.job(limit_bytes=1 << 16, inclusive=inclusive), now_ms()
    job.lines(1, 2000, at)
    for n in range(2001, 2021):
        job.log(f"line {n} " + "x" * (60_000 if n % 3 else 100), at + n)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert [message.split()[1] for message in r.messages()] == [str(n) for n in range(1, 2021)]
        # Two long lines do not fit into one answer: between them another one could stand that can't be had.
        assert r.journal.state().complete is False
        assert gaps(r) == [(n, "upstream", None) for n in range(2002, 2021, 3)]


async def test_a_limit_in_bytes_is_complete_where_the_last_ms_leaves_room(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(limit_bytes=1 << 16), now_ms()
    job.lines(1, 900, at)
    for n in range(901, 921):
        job.log(f"line {n} " + "x" * (100 if n % 3 else 60_000), at + n)
    job.lines(921, 930, at + 2000)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert [message.split()[1] for message in r.messages()] == [str(n) for n in range(1, 931)]
        assert r.journal.state().complete
        assert gaps(r) == []


@pytest.mark.parametrize("inclusive", [True, False])
async def test_long_lines_of_one_ms_that_a_limit_in_bytes_hides_are_not_lost_in_silence(
    tmp_path: Path, upstream: Upstream, inclusive: bool
) -> None:
    job, at = upstream.job(limit_bytes=1 << 16, inclusive=inclusive), now_ms()
    job.add(*({"timestamp": at + n, "message": f"line {n} " + "y" * (n % 90)} for n in range(2000)))
    for n in range(2000, 2003):
        job.log(f"line {n} " + "x" * 40_000, at + 3000)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert r.journal.state().last_line == 2001
        assert r.journal.state().complete is False
        assert gaps(r) == [(2001, "upstream", None)]


@pytest.mark.parametrize("inclusive", [True, False])
async def test_a_long_line_hidden_behind_a_shorter_one_of_the_last_ms_is_not_lost_in_silence(
    tmp_path: Path, upstream: Upstream, inclusive: bool
) -> None:
    job, at = upstream.job(limit_bytes=1 << 16, inclusive=inclusive), now_ms()
    job.lines(1, 500, at)
    job.log("long " + "x" * 60_000, at + 600)
    job.lines(502, 900, at + 700)
    job.log("half " + "y" * 6_000, at + 2000)
    job.log("hidden " + "x" * 60_000, at + 2000)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert r.journal.state().last_line == 901
        assert r.journal.state().complete is False
        assert gaps(r) == [(901, "upstream", None)]


@pytest.mark.parametrize("inclusive", [True, False])
async def test_a_long_line_hidden_within_the_log_is_not_lost_in_silence(
    tmp_path: Path, upstream: Upstream, inclusive: bool
) -> None:
    job, at = upstream.job(limit_bytes=1 << 16, inclusive=inclusive), now_ms()
    job.lines(1, 500, at)
    job.log("first of its ms", at + 2000)
    job.log("hidden " + "x" * 65_500, at + 2000)
    job.lines(502, 600, at + 3000)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert r.journal.state().last_line == 600
        assert r.journal.state().complete is False
        assert gaps(r) == [(501, "upstream", None)]


@pytest.mark.parametrize("inclusive", [True, False])
async def test_a_long_line_hidden_within_the_log_of_a_running_job_leaves_a_gap_where_it_is(
    tmp_path: Path, upstream: Upstream, inclusive: bool
) -> None:
    job, at = upstream.job(limit_bytes=1 << 16, inclusive=inclusive), now_ms()
    job.lines(1, 500, at)
    job.log("first of its ms", at + 2000)
    job.log("hidden " + "x" * 65_500, at + 2000)
    job.lines(502, 600, at + 3000)
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 600, "all that can be had")
        assert gaps(r) == [(501, "upstream", None)]
        job.finish()
        await r.finished()
        assert r.journal.state().last_line == 600
        assert r.journal.state().complete is False
        assert gaps(r) == [(501, "upstream", None)]


@pytest.mark.parametrize("broken", [2, 3, 4])
async def test_an_answer_that_breaks_off_before_or_after_a_hidden_line_does_not_cost_the_gap(
    tmp_path: Path, upstream: Upstream, broken: int
) -> None:
    job, at = upstream.job(limit_bytes=1 << 16), now_ms()
    job.lines(1, 500, at)
    job.log("first of its ms", at + 2000)
    job.log("hidden " + "x" * 65_500, at + 2000)
    job.lines(502, 600, at + 3000)
    job.finish()

    def asked(request: Asked) -> None:
        if request.route == "logs" and upstream.requests["logs"] == broken:
            upstream.fail("logs", "half")

    upstream.on_request = asked
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert upstream.injected["logs: half"] == 1
        assert r.journal.state().last_line == 600
        assert r.journal.state().complete is False
        assert gaps(r) == [(501, "upstream", None)]


async def test_answers_of_a_server_that_lags_behind_another_are_no_gap(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(inclusive=False), now_ms()
    job.lines(1, 45, at - 60_000)
    job.lines(46, 50, at)
    last, full, since = at + 4, 0, None

    def asked(request: Asked) -> None:
        nonlocal full, since
        if request.route == "logs":
            since = request.since
            full += since == last - 1

    upstream.on_request = asked
    # Only who asks from the last line on gets to the server that has more, or who asks twice just before it.
    job.order = lambda found: (
        found if full > 1 or since in (last, last + 1) else [e for e in found if e["timestamp"] <= last]
    )
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 50, "the first lines")
        await r.rounds(2)
        full = 0
        job.lines(51, 60, at + 5)
        await r.until(lambda: r.journal.state().last_line == 60, "the other lines")
        job.finish()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 61)]
        assert gaps(r) == []
        assert r.journal.state().complete


async def test_a_long_last_line_of_an_upstream_without_a_limit_is_complete(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 5, at)
    async with rig(tmp_path, upstream, job) as r:
        for n in range(6, 30):  # grows while it is read, as if answers were cut
            job.log(f"line {n}", at + n)
            await r.until(lambda n=n: r.journal.state().last_line == n, "a line")
        job.log("long " + "x" * 60_000, at + 100)
        job.finish()
        await r.finished()
        assert (r.journal.state().last_line, r.journal.state().complete, gaps(r)) == (30, True, [])


async def test_a_line_that_arrived_behind_the_cut_of_an_answer_is_found_and_shows_the_disorder(
    tmp_path: Path, upstream: Upstream
) -> None:
    job, at = upstream.job(order=list, limit=50), now_ms()
    job.lines(1, 50, at, 10)
    job.log("late by five lines", at + 445)
    job.lines(51, 120, at + 500, 10)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert r.journal.state().last_line == 121
        assert r.journal.state().complete is False  # another may have come later than that


async def test_long_lines_behind_a_limit_in_bytes_come_while_the_job_runs(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(limit_bytes=1 << 16), now_ms()
    job.lines(1, 300, at - 300)
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 300, "the first lines")
        job.log("long " + "x" * 65_000, at + 10)
        job.log("after it", at + 11)
        await r.until(lambda: r.journal.state().last_line == 302, "what stands behind the cut")


@pytest.mark.parametrize("skew", [-7200.0, 0.0])
@pytest.mark.parametrize("ahead", [0, 7_200_000, 50_000_000])
async def test_clocks_ahead_of_the_upstreams_date_lose_nothing_behind_a_limit(
    tmp_path: Path, upstream: Upstream, ahead: int, skew: float
) -> None:
    job = upstream.job(limit=50)
    job.lines(1, 400, now_ms() + ahead)
    job.finish()
    upstream.date_skew = skew
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 401)]
        assert r.journal.state().complete


async def test_an_answer_in_order_of_arrival_is_complete_where_all_is_there(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(order=list), now_ms()
    job.lines(1, 200, at)
    job.log("late by 70 ms", at + 130)
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert r.journal.state().last_line == 201
        assert r.journal.state().complete
        assert gaps(r) == []


async def test_an_answer_that_is_newest_first_costs_few_requests(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(order=lambda found: found[::-1]), now_ms() - 1000
    job.add(*({"timestamp": at + n // 5, "message": f"line {n}"} for n in range(3000)))
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert (r.journal.state().last_line, r.journal.state().complete) == (3000, True)
        assert upstream.requests["logs"] <= 2 * r.poller.rounds + 12


async def test_one_answer_that_shrank_is_not_the_last_word(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 100, at, 10)
    shrunk = 0

    def once(found: list[dict[str, object]]) -> list[dict[str, object]]:
        nonlocal shrunk
        if len(found) == 100 and job.status["finished_job_status"] and not shrunk:
            shrunk += 1
            return found[:40]
        return found

    async with rig(tmp_path, upstream, job, pace=replace(FAST, sweep_every=60, deep_every=60)) as r:
        await r.until(lambda: r.journal.state().last_line == 100, "the lines")
        job.order = once
        job.finish()
        await r.finished()
        assert shrunk == 1
        assert r.journal.state().complete


async def test_a_worker_whose_clock_is_an_hour_behind_is_followed(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 5, "the first lines")
        for n in range(6, 9):
            job.log(f"line {n}", now_ms() - 3_600_000)
            await r.until(lambda n=n: r.journal.state().last_line == n, "a line of an hour ago")


async def test_a_date_that_is_an_hour_behind_does_not_make_each_round_read_an_hour(
    tmp_path: Path, upstream: Upstream
) -> None:
    job, began = upstream.job(), now_ms()
    upstream.date_skew = -3600.0
    job.lines(1, 50, began - 600_000, 1000)
    async with rig(tmp_path, upstream, job, pace=replace(FAST, sweep_every=60, deep_every=60)) as r:
        await r.until(lambda: r.journal.state().last_line == 50, "the first lines")
        for n in range(51, 70):
            job.log(f"line {n}")
            await r.until(lambda n=n: r.journal.state().last_line == n, "a line")
        job.log("from tomorrow", began + 86_000_000)  # and one from the future still hides no other
        await r.until(lambda: r.journal.state().last_line == 70, "a line from the future")
        job.log("after it")
        await r.until(lambda: r.journal.state().last_line == 71, "the line after it")
        asked = [asked.since for asked in upstream.asked if asked.route == "logs"]
        assert asked[-1] is not None and asked[-1] > began - 60_000
