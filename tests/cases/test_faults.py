"""An upstream that fails."""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.poller.rig import FAST, Rig, rig
from tests.upstream import Upstream, now_ms
from webapp.errors import JobNotFound, UpstreamDenied

pytestmark = pytest.mark.anyio

FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("status", {"code": 500}),
    ("status", {"code": 502, "body": b"<html>bad gateway</html>"}),
    ("status", {"code": 429, "headers": {"retry-after": "0"}}),
    ("status", {"code": 408}),
    ("hang", {}),
    ("cut", {}),
    ("half", {}),
    ("empty", {}),
    ("deep", {}),
]


@pytest.mark.parametrize(("kind", "details"), FAULTS, ids=[f"{k}{d.get('code', '')}" for k, d in FAULTS])
async def test_nothing_is_lost_or_doubled_by_a_fault(
    tmp_path: Path, upstream: Upstream, kind: str, details: dict[str, Any]
) -> None:
    job = upstream.job()
    job.lines(1, 200, now_ms() - 200)
    upstream.fail("logs", kind, 1, **details)
    async with rig(tmp_path, upstream, job, read=0.3) as r:
        await r.rounds(2)
        for first in range(201, 260, 20):
            upstream.fail("logs", kind, 1, **details)
            upstream.fail("status", kind, 1, **details)
            job.lines(first, first + 19, now_ms())
            await r.rounds(2)
        job.finish()
        upstream.fail("logs", kind, 1, **details)
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 261)]
        assert r.journal.state().complete
        assert sum(upstream.injected.values()) >= 8


async def test_an_answer_of_a_gigabyte_is_given_up_early_and_said(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 3, now_ms())
    async with rig(tmp_path, upstream, job, read=10) as r:
        await r.rounds(1)
        upstream.fail("logs", "giant", size=1 << 30)
        job.lines(4, 6, now_ms())
        await r.until(lambda: "64 MiB" in str((r.journal.state().upstream or {}).get("detail")), "the reason")
        assert 64 <= upstream.giant_mib < 128
        await r.until(lambda: r.journal.state().last_line == 6, "the lines after it")
        upstream.fail("status", "giant", size=1 << 30)
        await r.until(lambda: "8 MiB" in str((r.journal.state().upstream or {}).get("detail")), "the reason")
        assert upstream.giant_mib < 192
        job.finish()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 7)] and r.journal.state().complete


async def test_a_long_answer_that_always_breaks_off_is_got_in_parts(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.add(*({"timestamp": at + n, "message": f"{n} {'x' * 500}"} for n in range(5000)))
    broken = {"left": 8}

    def cut(asked: Any) -> None:
        if asked.route == "logs" and broken["left"]:
            broken["left"] -= 1
            upstream.fail("logs", "cut")

    upstream.on_request = cut
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().last_line == 5000, "all lines")
        assert [line["timestamp"] for line in r.lines()] == [at + n for n in range(5000)]


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_obeyed_in_seconds_and_as_a_date(tmp_path: Path, upstream: Upstream, form: str) -> None:
    job = upstream.job()
    job.lines(1, 3, now_ms())
    upstream.date_skew = -7200
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(2)
        value = "2" if form == "seconds" else formatdate(time.time() - 7200 + 3, usegmt=True)
        upstream.fail("logs", "status", code=503, headers={"retry-after": value})
        await r.until(lambda: upstream.injected, "the refusal")
        await r.until(lambda: (r.journal.state().upstream or {}).get("state") == "retrying", "the state")
        refused = upstream.asked[-1].at if upstream.asked[-1].route == "logs" else upstream.asked[-2].at
        told = (r.journal.state().upstream or {})["retry_in_seconds"]
        assert 1.5 <= told <= 4
        rounds = r.poller.rounds
        await r.until(lambda: r.poller.rounds > rounds, "the next round")
        asked = [asked.at for asked in upstream.asked if asked.route == "logs" and asked.at > refused]
        assert asked[0] - refused >= 1.5
        await r.until(lambda: (r.journal.state().upstream or {}).get("state") == "ok", "the state")


@pytest.mark.parametrize("kind", ["html", "object", "null", "numbers"])
async def test_an_answer_that_is_no_list_is_asked_for_again(tmp_path: Path, upstream: Upstream, kind: str) -> None:
    job = upstream.job()
    job.lines(1, 10, now_ms())
    upstream.fail("logs", kind, 3)
    upstream.fail("status", kind, 1)
    states = []
    async with rig(tmp_path, upstream, job, pace=replace(FAST, backoff_first=0.2)) as r:
        await r.until(lambda: states.append(r.journal.state().upstream) or r.journal.state().last_line == 10, "lines")
        await r.until(lambda: (r.journal.state().upstream or {}).get("state") == "ok", "the state")
        assert r.messages() == [f"line {n}" for n in range(1, 11)]
    assert any(state and state["state"] == "retrying" and "answer" in state["detail"] for state in states)


async def test_lines_flow_while_the_status_is_down(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(1)
        upstream.fail("status", "status", 10_000, code=500)
        for n in range(6, 20):
            job.log(f"line {n}")
            await r.rounds(1)
        await r.until(lambda: r.journal.state().last_line == 19, "lines without a status")
        assert (r.journal.state().upstream or {})["state"] == "retrying"
        job.finish()
        await r.rounds(5)
        assert not r.journal.state().finished
        upstream.faults["status"].clear()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, 20)]


async def test_the_status_is_told_while_the_logs_are_down(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    upstream.fail("logs", "status", 10_000, code=500)
    async with rig(tmp_path, upstream, job) as r:
        await r.until(lambda: r.journal.state().status, "the status")
        job.status["finished_tasks"] = 7
        await r.until(lambda: (r.journal.state().status or {})["finished_tasks"] == 7, "the new status")


async def test_a_refused_credential_is_said_and_not_tried_again(tmp_path: Path, upstream: Upstream) -> None:
    upstream.token = "right"
    job = upstream.job()
    async with rig(tmp_path, upstream, job, run=False, upstream_token="wrong") as r:
        await r.poller.run()
        await r.poller.run()
        assert isinstance(r.poller.error, UpstreamDenied)
        assert upstream.requests == {"status": 1}
        assert "who are you?" in r.poller.error.detail
        assert "wrong" not in str(r.journal.state().upstream)


async def test_a_job_that_is_unknown_for_a_moment_is_found(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    upstream.fail("status", "status", 2, code=404)
    job.lines(1, 3, now_ms())
    async with rig(tmp_path, upstream, job, pace=replace(FAST, grace=5)) as r:
        await r.until(lambda: r.journal.state().status, "the status")
        assert r.poller.error is None


async def test_a_job_that_stays_unknown_is_not_found(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    upstream.jobs.clear()
    async with rig(tmp_path, upstream, job, run=False) as r:
        await r.poller.run()
        assert isinstance(r.poller.error, JobNotFound)


async def requests_a_beat(r: Rig, upstream: Upstream, rounds: int) -> float:
    upstream.requests.clear()
    before = r.poller.rounds
    await r.rounds(rounds)
    return (upstream.requests["logs"] + upstream.requests["status"]) / (r.poller.rounds - before)


async def test_a_busy_job_costs_two_and_a_half_requests_a_beat_at_most(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    pace = replace(FAST, late_every=0.5, sweep_every=3.0)
    emitted = 0

    def emit(asked: Any) -> None:
        nonlocal emitted
        if asked.route == "status":
            job.lines(emitted + 1, emitted + 1500, now_ms(), 0)
            emitted += 1500

    upstream.on_request = emit
    async with rig(tmp_path, upstream, job, pace=pace) as r:
        await r.rounds(10)
        assert await requests_a_beat(r, upstream, 30) <= 2.5
        upstream.on_request = None
        job.finish()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(1, emitted + 1)]


async def test_a_quiet_job_costs_two_requests_a_beat(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 4, now_ms(), 0)
    pace = replace(FAST, late_every=0.25, sweep_every=1.5)
    async with rig(tmp_path, upstream, job, pace=pace) as r:
        await r.rounds(5)
        assert await requests_a_beat(r, upstream, 40) <= 2.5


async def test_nobody_watching_ends_the_polling(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 3, now_ms())
    async with rig(tmp_path, upstream, job, run=False) as r:
        r.poller.watched = False
        await r.poller.run()
        assert r.poller.rounds > 1
        assert r.journal.state().holder == ""
        asleep = r.poller.rounds
        job.lines(4, 6, now_ms() - 300_000)
        r.poller.wake()
        await r.poller.run()
        assert r.poller.rounds > asleep
        assert r.messages() == [f"line {n}" for n in range(1, 7)]
