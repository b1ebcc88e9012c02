"""What a viewer gets, through the real service."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.paced import Paced
from tests.served import until
from tests.sse import Event, EventStream, lines_of
from tests.upstream import Job, Upstream, now_ms
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journals import SqliteJournals

Follow = Callable[..., Paced]
ALL = "sample_logs=false&refresh_seconds=0.1"


def events(service: Paced, job: Job, query: str = ALL, last: str = "", **how: Any) -> EventStream:
    headers = {"Last-Event-ID": last} if last else {}
    return EventStream(f"{service.url}/api/jobs/{job.id}/events?{query}", headers=headers, **how)


def read_lines(stream: EventStream, count: int) -> list[dict[str, Any]]:
    """The next so many lines; fails at an end before them."""
    found: list[dict[str, Any]] = []
    for event in stream:
        found += lines_of([event])
        if len(found) >= count:
            return found
    raise AssertionError(f"the stream ended after {len(found)} of {count} lines")


def texts(lines: list[dict[str, Any]]) -> list[str]:
    return [line["message"] for line in lines]


def stored(service: Paced, job: Job, query: str = "") -> list[dict[str, Any]]:
    answer = service.get(f"/api/jobs/{job.id}/logs?format=json&limit=100000{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def names(found: list[Event]) -> list[str]:
    return [event.name for event in found]


def test_a_late_entry_while_a_viewer_was_away_reaches_it(upstream: Upstream, follow: Follow) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 20, at - 20_000, 1000)
    service = follow()
    with events(service, job) as stream:
        read_lines(stream, 20)
        last = stream.last_id
    job.log("late", at - 10_500)
    until(lambda: len(stored(service, job)) == 21, "the late line to be stored")
    job.finish()
    with events(service, job, last=last) as stream:
        found = stream.until("done")
    assert [(line["message"], line["line"], line["late"]) for line in lines_of(found)] == [("late", 21, True)]


def test_who_comes_back_at_the_very_end_gets_done_once(upstream: Upstream, follow: Follow) -> None:
    job = upstream.job()
    job.lines(1, 5, now_ms())
    job.finish()
    service = follow()
    with events(service, job) as stream:
        found = stream.until("done")
        last_line = lines_of(found)[-1]["id"]
        done = found[-1]
    assert done.id == f"{last_line}.done"
    assert done.data["reason"] == "finished" and done.data["complete"] is True and done.data["lines"] == 5
    with events(service, job, last=last_line) as stream:
        again = stream.until("done")
    assert lines_of(again) == [] and again[-1].id == done.id
    with events(service, job, last=done.id) as stream:
        assert stream.status == 204


@pytest.mark.parametrize("query", ["", "&q=needle", "&q=needle&tail=2", "&tail=3"])
def test_a_cut_before_a_first_match_skips_and_repeats_nothing(upstream: Upstream, follow: Follow, query: str) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 10, at - 5000)
    service = follow()
    until(lambda: len(stored(service, job)) == 10, "the first lines")
    with events(service, job, ALL + query) as stream:
        assert stream.until("cursor")[0].name == "status"
        last = stream.last_id
    job.log("needle 1")
    job.log("hay")
    job.log("needle 2")
    until(lambda: len(stored(service, job)) == 13, "three lines more")
    job.finish()
    with events(service, job, ALL + query, last=last) as stream:
        found = texts(lines_of(stream.until("done")))
    if "q=" in query:
        assert found == ["needle 1", "needle 2"]
    else:
        first = 8 if "tail" in query else 1
        assert found == [*(f"line {n}" for n in range(first, 11)), "needle 1", "hay", "needle 2"]


def test_a_restart_keeps_ids_and_a_deleted_journal_resets(upstream: Upstream, follow: Follow) -> None:
    job = upstream.job()
    job.lines(1, 30, now_ms())
    service = follow()
    with events(service, job) as stream:
        before = read_lines(stream, 30)
        last = stream.last_id
    service.kill()
    service.start()
    job.lines(31, 40, now_ms())
    with events(service, job, last=last) as stream:
        after = read_lines(stream, 10)
    assert [line["id"] for line in stored(service, job)] == [line["id"] for line in before + after]
    assert texts(after) == [f"line {n}" for n in range(31, 41)]
    service.stop()
    shutil.rmtree(service.data_dir / "jobs")
    service.start()
    job.finish()
    with events(service, job, last=stream.last_id) as anew:
        found = anew.until("done")
    assert "reset" in names(found)
    assert texts(lines_of(found)) == [f"line {n}" for n in range(1, 41)]
    assert names(found).index("reset") < next(n for n, event in enumerate(found) if event.name == "")


def test_a_journal_that_another_service_threw_away_is_soon_whole_again(upstream: Upstream, follow: Follow) -> None:
    job = upstream.job()
    job.lines(1, 30, now_ms())
    job.finish()
    poller, other = follow(), follow()
    with events(poller, job) as stream:
        stream.until("done")
    assert httpx.delete(f"{other.url}/api/jobs/{job.id}/journal").status_code == 204
    assert texts(stored(other, job)) == [f"line {n}" for n in range(1, 31)]
    with events(other, job) as stream:
        assert stream.until("done")[-1].data["complete"] is True


def test_cursors_past_the_end_or_of_another_epoch_reset_and_garbage_is_refused(
    upstream: Upstream, follow: Follow
) -> None:
    job = upstream.job()
    job.lines(1, 3, now_ms())
    job.finish()
    service = follow()
    with events(service, job) as stream:
        epoch = lines_of(stream.until("done"))[0]["id"].split("-")[0]
    for wrong in (f"{epoch}-99", "0other0-1", "what is this?", f"{epoch}-99.done"):
        with events(service, job, last=wrong) as stream:
            found = stream.until("done")
        assert "reset" in names(found), wrong
        assert texts(lines_of(found)) == ["line 1", "line 2", "line 3"], wrong
    for garbage in ("after=what", "last_event_id=%00", "after=abc-", "tail=-1", "refresh_seconds=0"):
        answer = service.get(f"/api/jobs/{job.id}/events?{garbage}")
        assert answer.status_code == 400, garbage
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_journal_trimmed_under_a_viewer_is_a_gap(upstream: Upstream, follow: Follow) -> None:
    job = upstream.job()
    job.lines(1, 3000, now_ms() - 3000)
    service = follow()
    with events(service, job) as stream:
        first = read_lines(stream, 10)[:10]
        cursor = first[-1]["id"]
    until(lambda: len(stored(service, job)) == 3000, "all lines")
    journals = SqliteJournals(service.data_dir, Redactor(()), beat_ms=100)
    trimmed = journals.open(job.id).trim(2000)
    journals.close()
    assert trimmed > 10
    job.finish()
    with events(service, job, last=cursor) as stream:
        found = stream.until("done")
    gaps = [event.data for event in found if event.name == "gap"]
    assert [(gap["reason"], gap["after"], gap["count"]) for gap in gaps] == [("trimmed", cursor, trimmed - 10)]
    assert [line["line"] for line in lines_of(found)] == list(range(trimmed + 1, 3001))
    # What was trimmed is not taken for new.
    assert found[-1].data["lines"] == 3000


def test_pages_hold_while_a_late_entry_comes(upstream: Upstream, follow: Follow) -> None:
    job, at = upstream.job(), now_ms()
    job.lines(1, 100, at - 5000, 10)
    service = follow()
    until(lambda: len(stored(service, job)) == 100, "all lines")
    path, pages = f"/api/jobs/{job.id}/logs?format=json&limit=30", []
    while path:
        answer = service.get(path)
        pages += answer.json()
        path = answer.links.get("next", {}).get("url", "").removeprefix(service.url)
        if len(pages) == 30:
            job.log("late", at - 4995)
            until(lambda: len(stored(service, job)) == 101, "the late line")
    assert texts(pages) == [*(f"line {n}" for n in range(1, 101)), "late"]
    assert [line["line"] for line in pages] == list(range(1, 102))


def test_a_hundred_viewers_are_one_poller(upstream: Upstream, follow: Follow) -> None:
    job = upstream.job()
    job.lines(1, 10, now_ms())
    service = follow()
    streams = [events(service, job, f"{ALL}&format=batch") for _ in range(100)]
    try:
        for stream in streams:
            assert len(read_lines(stream, 10)) == 10
        upstream.requests.clear()
        began = time.monotonic()
        for n in range(11, 31):
            job.log(f"line {n}")
            until(lambda n=n: upstream.requests["logs"] >= n - 10, "a beat")
        beats = (time.monotonic() - began) / 0.1
        assert upstream.requests["logs"] + upstream.requests["status"] <= 2.5 * beats + 10
        for stream in streams:
            assert texts(read_lines(stream, 20)) == [f"line {n}" for n in range(11, 31)]
    finally:
        for stream in streams:
            stream.close()


def memory(pid: int) -> int:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) << 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_a_viewer_that_reads_nothing_costs_little_and_loses_nothing(upstream: Upstream, follow: Follow) -> None:
    job = upstream.job()
    job.lines(1, 10, now_ms())
    service = follow()
    with events(service, job, f"{ALL}&format=batch", buffer=4096) as stalled:
        got = read_lines(stalled, 10)
        before = memory(service.process.pid)
        for first in range(11, 40_011, 2000):
            job.add(*({"timestamp": now_ms(), "message": f"{n} {'x' * 1000}"} for n in range(first, first + 2000)))
            until(lambda first=first: service.get(f"/api/jobs/{job.id}/logs?tail=1").json()[0]["line"] >= first, "it")
        grown = memory(service.process.pid) - before
        job.finish()
        last = stalled.last_id
        try:
            for event in stalled:
                got += lines_of([event])
                last = stalled.last_id
        except (OSError, ValueError, AssertionError):
            pass  # cut off by the kernel after a while, as it should be: it comes back
    while not last.endswith(".done"):
        with events(service, job, f"{ALL}&format=batch", last=last) as stream:
            if stream.status == 204:
                break
            for event in stream:
                got += lines_of([event])
            last = stream.last_id
    assert [line["line"] for line in got] == list(range(1, 40_011))
    assert grown < 200 << 20  # 40 MB of lines went by


HOSTILE = {
    "carriage return": "50%\r60%\r70%",
    "newlines": "a\nb\r\nc",
    "null": "a\0b",
    "escape": "\x1b[31mred\x1b[0m",
    "separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "event": "data: x\n\nevent: done\ndata: {}\n\n",
    "markup": "<script>alert(1)</script>",
}


def test_hostile_characters_stay_one_line_and_one_valid_event(upstream: Upstream, follow: Follow) -> None:
    job, at = upstream.job(), now_ms()
    for message in HOSTILE.values():
        job.log(message, at)
    job.log("lone \ud800 surrogate", at + 1)
    job.log("long " + "x" * 10_000_000, at + 2)
    job.log("last", at + 3)
    job.finish()
    service = follow()
    wanted = [*HOSTILE.values(), "lone \ufffd surrogate"]
    # One newline at the end of a message is its end, not its text.
    wanted = [message.removesuffix("\n") for message in wanted]
    for form in ("line", "batch"):
        with events(service, job, f"{ALL}&format={form}") as stream:
            found = lines_of(stream.until("done"))
        assert texts(found)[:-2] == wanted
        assert found[-2]["cut"] is True and found[-2]["message"].startswith("long xxx")
        assert len(json.dumps(found[-2])) < 100_000
        assert found[-1]["message"] == "last"
    lines = stored(service, job)
    assert texts(lines)[:-2] == wanted and len(lines[-2]["message"]) == 10_000_005
