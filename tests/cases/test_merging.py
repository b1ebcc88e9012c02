"""What an answer holds becomes lines, each once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.poller.rig import FAST, rig
from tests.upstream import Upstream, now_ms

pytestmark = pytest.mark.anyio
YEAR_MS = 365 * 86_400_000


async def test_three_lines_in_one_millisecond_are_three_lines(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    for message in ("a", "b", "c"):
        job.log(message, at)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(3)
        assert r.messages() == ["a", "b", "c"]


async def test_inclusive_and_exclusive_upstreams_give_one_journal(tmp_path: Path, upstream: Upstream) -> None:
    found = []
    for inclusive in (True, False):
        job, at = upstream.job(f"job-{inclusive}", inclusive=inclusive), now_ms()
        (tmp_path / job.id).mkdir()
        async with rig(tmp_path / job.id, upstream, job) as r:
            for n in range(40):
                job.log(f"line {n}", at + n // 4)
                if n % 10 == 9:
                    await r.rounds(2)
            job.finish()
            await r.finished()
            assert r.journal.state().complete
            found.append(r.messages())
    assert found[0] == found[1] == [f"line {n}" for n in range(40)]


async def test_twins_in_one_millisecond_are_both_kept(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.log("same", at)
    job.log("same", at)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(4)
        assert r.messages() == ["same", "same"]


async def test_a_third_twin_in_a_later_round_is_one_line_more(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.log("same", at)
    job.log("same", at)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(2)
        job.log("same", at)
        await r.rounds(4)
        assert r.messages() == ["same"] * 3


async def test_every_tick_of_a_message_that_repeats_is_a_line(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    async with rig(tmp_path, upstream, job) as r:
        for n in range(20):
            job.log("tick", at + n * 1000)
            await r.rounds(1)
        job.finish()
        await r.finished()
        assert r.messages() == ["tick"] * 20
        assert [line["timestamp"] for line in r.lines()] == [at + n * 1000 for n in range(20)]


async def test_a_straggler_in_a_passed_millisecond_comes_once(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.log("first", at)
    job.log("third", at + 1)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(2)
        job.log("second", at)
        await r.rounds(6)
        assert r.messages() == ["first", "third", "second"]


async def test_an_entry_late_within_the_window_comes_once_and_is_marked(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 10, at - 9000, 1000)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(2)
        job.log("late", at - 5000)
        await r.until(lambda: "late" in r.messages(), "the late entry")
        await r.rounds(6)
        late = [line for line in r.lines() if line["message"] == "late"]
        assert [(line["line"], line["late"], line["timestamp"]) for line in late] == [(11, True, at - 5000)]
        assert not any("late" in line for line in r.lines()[:10])


async def test_an_entry_later_than_the_window_is_found_by_the_sweep(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 10, at - 400_000, 40_000)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(2)
        job.log("very late", at - 300_000)
        await r.until(lambda: "very late" in r.messages(), "the sweep")
        await r.rounds(6)
        assert r.messages().count("very late") == 1
        # It lay beyond the widest window that there is, so no window was widened for it.
        assert {asked.since for asked in upstream.asked if asked.route == "logs"} >= {None}


async def test_an_unsorted_answer_is_sorted_and_its_greatest_time_is_the_cursor(
    tmp_path: Path, upstream: Upstream
) -> None:
    job, at = upstream.job(), now_ms()
    job.order = lambda entries: entries[::-1]
    job.lines(1, 50, at, 100)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(3)
        assert r.messages() == [f"line {n}" for n in range(1, 51)]
        newest = at + 4900
        since = [asked.since for asked in upstream.asked if asked.route == "logs" and asked.since is not None]
        assert since and all(newest - 600_001 <= asked <= newest for asked in since)


async def test_an_entry_from_next_year_holds_up_no_other(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.log("from next year", now_ms() + YEAR_MS)
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(1)
        for n in range(10):
            job.log(f"line {n}")
            await r.until(lambda n=n: f"line {n}" in r.messages(), "a line after the one from the future", 10)
        assert sorted(r.messages()) == sorted(["from next year", *(f"line {n}" for n in range(10))])
        assert not any("late" in line for line in r.lines() if line["message"].startswith("line"))
        recent = [asked.since for asked in list(upstream.asked)[-12:] if asked.since is not None]
        assert min(recent) < now_ms()


async def test_timestamps_that_are_no_wall_clock_work(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job(inclusive=False)
    async with rig(tmp_path, upstream, job) as r:
        for n in range(30):
            job.log(f"line {n}", n)
            if n % 5 == 0:
                await r.rounds(1)
        job.finish()
        await r.finished()
        assert r.messages() == [f"line {n}" for n in range(30)]
        assert r.journal.state().complete


async def test_a_worker_whose_clock_is_behind_widens_the_window(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 60, at - 60_000, 1000)
    pace = replace(FAST, sweep_every=0.3, late_every=0.1)
    async with rig(tmp_path, upstream, job, pace=pace) as r:
        await r.rounds(2)
        job.log("on time", now_ms())
        job.log("behind 1", now_ms() - 40_000)
        await r.until(lambda: "behind 1" in r.messages(), "the sweep")
        upstream.asked.clear()
        await r.rounds(10)
        # From now on the window itself reaches as far.
        reach = [r.journal.state().high_ms - (asked.since or 0) for asked in upstream.asked if asked.route == "logs"]
        assert any(40_000 < reached <= 120_001 for reached in reach)
        assert r.messages().count("behind 1") == 1


async def test_odd_timestamps_are_normalised_or_marked_and_never_dropped(tmp_path: Path, upstream: Upstream) -> None:
    job, at = upstream.job(), now_ms() // 1000 * 1000
    job.order = list
    job.add(
        {"timestamp": at, "message": "whole"},
        {"timestamp": str(at + 1), "message": "text"},
        {"timestamp": at + 2.0, "message": "float"},
        {"message": "missing"},
        {"timestamp": -5, "message": "negative"},
        {"timestamp": None, "message": "null"},
        {"timestamp": "soon", "message": "word"},
        "no object",
        {"timestamp": at + 3, "message": {"not": "text"}},
    )
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(6)
        lines = {line["message"]: line for line in r.lines()}
        assert len(r.lines()) == len(lines) == 9
        assert [lines[name]["timestamp"] - at for name in ("whole", "text", "float")] == [0, 1, 2]
        marked = [name for name, line in lines.items() if line.get("timestamp_from") == "neighbour"]
        assert marked == ["missing", "negative", "null", "word", '"no object"']
        assert all(lines[name]["timestamp"] == at + 2 for name in marked)
        assert lines["word"]["upstream"] == {"timestamp": "soon"}
        assert lines['"no object"']["malformed"] is True
        assert lines['{"not":"text"}']["timestamp"] == at + 3


async def test_a_field_that_changes_from_answer_to_answer_makes_no_twins(tmp_path: Path, upstream: Upstream) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    asked = 0

    def stamped(entries: list[dict[str, object]]) -> list[dict[str, object]]:
        nonlocal asked
        asked += 1
        return [{**entry, "ingested": asked} for entry in entries]

    job.order = stamped
    async with rig(tmp_path, upstream, job) as r:
        await r.rounds(5)
        assert r.messages() == [f"line {n}" for n in range(1, 6)]
        assert {line["ingested"] for line in r.lines()} == {1}
