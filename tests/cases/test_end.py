"""The end: when a log may be called whole."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.poller.rig import FAST, rig
from tests.upstream import Upstream, now_ms

pytestmark = pytest.mark.anyio


async def test_a_failed_round_while_draining_is_not_a_quiet_one(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    async with rig(tmp_path, upstream, job, pace=replace(FAST, drain_most=30)) as r:
        await r.rounds(2)
        job.finish()
        upstream.fail("logs", "status", 1000, code=500)
        await r.until(lambda: upstream.injected["logs: status 500"] >= 6, "failed rounds")
        assert not r.journal.state().finished
        job.log("line 6")
        upstream.faults["logs"].clear()
        await r.finished()
        assert r.messages()[-1] == "line 6"
        assert r.journal.state().complete


async def test_lines_that_trickle_in_after_the_end_are_delivered(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    async with rig(tmp_path, upstream, job, pace=replace(FAST, drain_least=0.5, drain_most=30)) as r:
        await r.rounds(2)
        at = now_ms()
        for n in range(6, 12):
            job.log(f"line {n}", at + n, after=0.07 * (n - 5))
        job.finish()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 12)]
        assert r.journal.state().complete


async def test_a_trickle_without_end_is_given_up_and_not_called_complete(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.finish()

    def emit(asked: Any) -> None:
        if asked.route == "logs":
            job.log(f"line {len(job.entries) + 1}")

    upstream.on_request = emit
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        state = r.journal.state()
        assert state.complete is False
        assert r.messages() == [f"line {n}" for n in range(1, state.last_line + 1)]


async def test_reading_what_is_there_by_small_answers_is_not_given_up(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job(limit=40)
    job.lines(1, 1500, now_ms() - 60_000, 40)
    job.finish()
    upstream.latency = 0.04  # forty answers take longer than the drain may, whose rounds a busy machine stretches too
    async with rig(tmp_path, upstream, job, pace=replace(FAST, drain_most=1.3)) as r:
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 1501)]
        assert r.journal.state().complete


async def test_the_whole_log_is_not_read_in_a_round_whose_status_failed(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 50, now_ms())
    seen: list[str] = []

    def fail_the_status(asked: Any) -> None:
        seen.append("whole" if asked.route == "logs" and asked.since is None else asked.route)
        # As soon as the rounds are quiet, and before the whole is asked for, the status is not to be had for a while.
        if seen.count("logs") == 4 and asked.route == "logs":
            upstream.fail("status", "status", 3, code=500)

    job.finish()
    upstream.on_request = fail_the_status
    async with rig(tmp_path, upstream, job, pace=replace(FAST, drain_least=3, drain_most=30)) as r:
        await r.finished()
        assert r.journal.state().complete
    assert upstream.injected["status: status 500"] == 3, seen
    assert seen.count("whole") == 2, seen  # the first read, and the last one


async def test_what_turns_up_after_the_end_is_appended_by_a_later_look(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 5, at, 10)
    job.finish()
    async with rig(tmp_path, upstream, job, pace=replace(FAST, looks=(0.5, 1.0))) as r:
        await r.finished()
        job.log("left over", at + 15)
        await r.until(lambda: r.journal.state().last_line == 6, "a later look")
        assert r.lines()[-1]["late"] is True
        assert r.journal.state().finished


async def test_a_job_that_runs_again_calls_the_drain_off(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    running = dict(job.status)
    async with rig(tmp_path, upstream, job, pace=replace(FAST, drain_least=0.5)) as r:
        await r.rounds(2)
        job.finish()
        await r.until(lambda: (r.journal.state().status or {})["finished_job_status"], "the end")
        job.status = running
        await r.rounds(25)
        assert not r.journal.state().finished
        job.log("line 6")
        job.finish()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 7)]


async def test_a_job_that_runs_again_after_its_log_was_over_is_followed_again(
    tmp_path: Path, upstream: Upstream
) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    running = dict(job.status)
    job.finish()
    async with rig(tmp_path, upstream, job, pace=replace(FAST, looks=(0.2, 5.0))) as r:
        await r.finished()
        job.status = running
        await r.until(lambda: not r.journal.state().finished, "the journal to be open again")
        job.log("line 6")
        await r.until(lambda: r.journal.state().last_line == 6, "the new line")
        job.finish()
        await r.finished()


async def test_a_pending_job_with_lines_is_shown_and_followed(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job(status={"status": "pending", "job_status": None, "finished_job_status": None})
    job.lines(1, 3, now_ms())
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 3, "lines of a pending job")
        await r.rounds(10)
        assert not r.journal.state().finished
        job.log("line 4")
        job.status |= {"status": "terminated", "terminal_status": True}
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 5)]


async def test_a_line_that_says_error_ends_nothing(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.log("0 ERRORS found")
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(5)
        job.log("ERROR: but it goes on")
        await r.rounds(5)
        job.log("on")
        await r.until(lambda: r.messages() == ["0 ERRORS found", "ERROR: but it goes on", "on"], "every line")
        assert not r.journal.state().finished


@pytest.mark.parametrize("log_is_missing", [False, True])
async def test_a_job_that_finished_without_a_line_ends(
    tmp_path: Path, upstream: Upstream, log_is_missing: bool
) -> None:
    job = upstream.job()
    job.finish()
    if log_is_missing:
        upstream.fail("logs", "status", 10_000, code=404)
    began = time.monotonic()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
        assert r.journal.state().complete
        assert r.messages() == []
        assert time.monotonic() - began >= r.pace.drain_least


async def test_the_drain_takes_two_quiet_rounds_and_one_fetch_of_the_whole(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    job.finish()
    async with rig(tmp_path, upstream, job) as r:
        await r.finished()
    since = [asked.since for asked in upstream.asked if asked.route == "logs"]
    assert since[0] is None and since.count(None) == 2
    assert len(since) >= 4


async def test_logs_that_first_appear_after_the_end_are_waited_for(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.finish()
    async with rig(tmp_path, upstream, job, pace=replace(FAST, drain_empty=2.0, drain_most=20)) as r:
        job.log("collected late", after=0.6)  # longer than a log with lines is waited for
        await r.finished()
        assert r.messages() == ["collected late"]
        assert r.journal.state().complete


async def test_the_last_lines_of_a_log_that_is_collected_every_while_are_waited_for(
    tmp_path: Path, upstream: Upstream
) -> None:
    job, pace = upstream.job(), replace(FAST, drain_least=0.1, drain_empty=4.0, drain_most=20, drain_unseen=0)
    job.log("line 1", now_ms() - 3000)
    async with rig(tmp_path, upstream, job, pace=pace) as r:
        await r.rounds(2)
        at = now_ms() - 1500
        job.lines(2, 16, at, 100)  # what was written in one and a half seconds appears at once
        await r.until(lambda: r.journal.state().last_line == 16, "what was collected")
        job.finish()
        job.log("the last one", after=1.0)
        await r.finished()
        assert r.messages()[-1] == "the last one"
        assert r.journal.state().complete


async def test_the_last_lines_of_a_job_that_ended_just_before_anybody_looked_are_waited_for(
    tmp_path: Path, upstream: Upstream
) -> None:
    job = upstream.job()
    job.log("line 1")
    job.finish()
    job.log("the last one", after=1.0)
    async with rig(tmp_path, upstream, job, pace=replace(FAST, drain_least=0.1, drain_unseen=2.0)) as r:
        await r.finished()
        assert r.messages() == ["line 1", "the last one"]
