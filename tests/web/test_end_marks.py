"""Where a body ends: every `/logs` answer says how far it goes, and none that was broken off looks whole."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.security.site import JOB, LINES, Site
from tests.served import Served, until
from tests.stream.test_response import job
from webapp.stream.form import Form
from webapp.web import body as bodies
from webapp.web.body import Cut, LogBody, LogRange, Manner


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site.opened(tmp_path / "data") as site:
        yield site


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def asked(site: Site, query: str) -> tuple[list[dict[str, Any]], Any]:
    answer = site.owner("GET", f"/api/jobs/{JOB}/logs?format=ndjson&{query}")
    assert answer.status_code == 200, answer.text
    return records(answer.text), answer.headers


def epoch_of(site: Site) -> str:
    epoch: str = site.service.hub.channels[JOB].state.epoch
    return epoch


def test_the_last_record_says_where_the_body_ends(site: Site) -> None:
    (*lines, end), headers = asked(site, "end=true")
    assert [line["line"] for line in lines] == list(range(1, LINES + 1))
    assert end == {"end": "finished", "id": lines[-1]["id"], "count": LINES, "complete": True}
    assert headers["jobtail-last-id"] == lines[-1]["id"]


@pytest.mark.parametrize(
    ("query", "reason", "line", "count"),
    [
        ("limit=3", "limit", 3, 3),
        (f"limit={LINES}", "finished", LINES, LINES),
        ("q=line 1 ", "finished", LINES, 1),
        ("q=nowhere", "finished", LINES, 0),
        ("tail=2", "finished", LINES, 2),
        ("tail=0", "finished", LINES, 0),
        ("level=error", "finished", LINES, 0),
        ("until_ms=1700000000004", "finished", LINES, 5),
    ],
)
def test_filters_and_bounds_end_as_truly(site: Site, query: str, reason: str, line: int, count: int) -> None:
    (*lines, end), headers = asked(site, f"end=true&{query}")
    assert (end["end"], end["id"], end["count"], len(lines)) == (reason, f"{epoch_of(site)}-{line}", count, count)
    assert headers["jobtail-last-id"] == f"{epoch_of(site)}-{LINES}"


def test_a_range_ends_with_its_last_line(site: Site) -> None:
    asked(site, "")
    epoch = epoch_of(site)
    (*lines, end), headers = asked(site, f"end=true&after={epoch}-4&before={epoch}-9")
    assert [line["line"] for line in lines] == [5, 6, 7, 8]
    assert (end["end"], end["id"], end["complete"]) == ("end", f"{epoch}-8", None)
    assert headers["jobtail-last-id"] == f"{epoch}-8"


def test_a_running_job_has_an_end_for_now(site: Site) -> None:
    site.add_job("running", ["one", "two"], ended=False)
    answer = site.owner("GET", "/api/jobs/running/logs?format=ndjson&end=true")
    end = records(answer.text)[-1]
    assert (end["end"], end["count"], end["complete"]) == ("end", 2, None)


def test_a_page_of_json_says_how_far_it_goes(site: Site) -> None:
    answer = site.owner("GET", f"/api/jobs/{JOB}/logs?limit=4")
    assert answer.headers["jobtail-last-id"] == f"{epoch_of(site)}-4"
    assert site.owner("GET", f"/api/jobs/{JOB}/logs").headers["jobtail-last-id"] == f"{epoch_of(site)}-{LINES}"


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_record_goes_with_ndjson_alone(site: Site, format: str) -> None:
    answer = site.owner("GET", f"/api/jobs/{JOB}/logs?format={format}&end=true")
    assert (answer.status_code, answer.json()["detail"][:8]) == (400, "end=true")


def test_gaps_stand_in_their_places(site: Site) -> None:
    asked(site, "")
    journal, epoch = site.service.hub.channels[JOB].journal, epoch_of(site)
    writer = journal.claim(60, take_over=True)
    writer.add_gap(7, "upstream", 3)
    writer.add_gap(LINES, "upstream", None)
    writer.release()
    found, _ = asked(site, "end=true")
    assert found[7] == {"gap": "upstream", "after": f"{epoch}-7", "count": 3}
    assert found[-2] == {"gap": "upstream", "after": f"{epoch}-{LINES}", "count": None}
    assert [one["line"] for one in found if "line" in one] == list(range(1, LINES + 1))
    plain, _ = asked(site, "")
    assert [one["line"] for one in plain] == list(range(1, LINES + 1))


def test_lines_that_are_no_longer_kept_are_said(site: Site) -> None:
    site.add_job("long", [f"line {n}" for n in range(1, 1101)])
    journal = site.service.store.journals.open("long")
    trimmed = journal.trim(600)
    answer = site.owner("GET", "/api/jobs/long/logs?format=ndjson&end=true")
    gap, first, *_ = records(answer.text)
    epoch = answer.headers["jobtail-last-id"].partition("-")[0]
    assert gap == {"gap": "trimmed", "after": f"{epoch}-0", "count": trimmed}
    assert first["line"] == trimmed + 1
    for format in ("ndjson", "text", "json"):
        plain = site.owner("GET", f"/api/jobs/long/logs?format={format}")
        assert plain.headers["jobtail-trimmed-to"] == f"{epoch}-{trimmed}"
    later = site.owner("GET", f"/api/jobs/long/logs?after={epoch}-{trimmed}")
    assert "jobtail-trimmed-to" not in later.headers


def trims_once(monkeypatch: pytest.MonkeyPatch, upto: int) -> None:
    """The journal is trimmed between the first and the second read of a body."""
    read, reads = bodies.LogBody._read, []

    def trimming(body: Any, *where: Any) -> Any:
        reads.append(body)
        if len(reads) == 2:
            body._channel.journal.trim(upto)
        return read(body, *where)

    monkeypatch.setattr(bodies.LogBody, "_read", trimming)


@pytest.fixture
def long_job(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """A job whose first read gives its first 500 lines, and whose lines 501 to 1500 are trimmed after that."""
    site.add_job("long", [f"line {n} {'x' * 3000}" for n in range(1, 2001)])
    trims_once(monkeypatch, 1500)
    return "long"


def test_lines_trimmed_under_a_download_break_it_off(site: Site, long_job: str, caplog: Any) -> None:
    """Here its text ends early; over a socket it would have no last chunk."""
    caplog.set_level("INFO")
    answer = site.owner("GET", f"/api/jobs/{long_job}/logs?format=text")
    assert len(answer.text.splitlines()) < 1000
    assert "was broken off: lines up to" in caplog.text


def test_lines_trimmed_under_a_download_with_records_are_a_gap(site: Site, long_job: str) -> None:
    found = records(site.owner("GET", f"/api/jobs/{long_job}/logs?format=ndjson&end=true").text)
    (gap,) = [one for one in found if "gap" in one]
    after = int(gap["after"].rpartition("-")[2])
    numbers = [one["line"] for one in found if "line" in one]
    assert gap["gap"] == "trimmed" and gap["count"] > 0
    assert numbers == [*range(1, after + 1), *range(after + gap["count"] + 1, 2001)]
    assert found[-1]["end"] == "finished"


def follow(served: Served, job: str, query: str) -> tuple[list[str], list[Exception], threading.Thread]:
    lines: list[str] = []
    errors: list[Exception] = []

    def read() -> None:
        try:
            with httpx.stream("GET", f"{served.url}/api/jobs/{job}/logs?follow=true&{query}", timeout=60) as answer:
                for line in answer.iter_lines():
                    lines.append(line)
        except httpx.HTTPError as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    return lines, errors, thread


def test_a_follower_is_told_that_the_service_goes_down(serve: Callable[..., Served]) -> None:
    served = serve()
    name, runner = served.begin("sh", "-c", "echo one; sleep 60")
    marked, no_errors, first = follow(served, name, "format=ndjson&end=true")
    plain, errors, second = follow(served, name, "format=text")
    until(lambda: marked and plain, "a line at both")
    served.process.send_signal(signal.SIGTERM)
    first.join(20)
    second.join(20)
    end = json.loads(marked[-1])
    assert (end["end"], end["count"], no_errors) == ("bye", 1, [])
    assert plain == ["one"]
    assert errors and "incomplete" in str(errors[0])
    served.process.wait(20)
    assert "Traceback" not in served.output
    runner.terminate()
    runner.wait()


def test_a_follower_is_told_that_the_job_has_ended(serve: Callable[..., Served]) -> None:
    served = serve()
    name, runner = served.begin("sh", "-c", "echo one; sleep 0.3; echo two")
    lines, errors, thread = follow(served, name, "format=ndjson&end=true")
    thread.join(30)
    runner.wait()
    *got, end = map(json.loads, lines)
    assert [line["message"] for line in got] == ["one", "two"]
    assert (end["end"], end["id"], end["complete"], errors) == ("finished", got[-1]["id"], True, [])


@pytest.mark.anyio
@pytest.mark.parametrize(("keepalive", "silence"), [(True, b"\n"), (False, b"")])
async def test_a_silent_follower_gets_empty_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keepalive: bool, silence: bytes
) -> None:
    monkeypatch.setattr(bodies, "KEEPALIVE_SECONDS", 0.0)
    monkeypatch.setattr(bodies, "CHECK_SECONDS", 0.01)
    async with job(tmp_path) as channel:
        looks = iter(range(20))
        manner = Manner(True, False, keepalive, lambda: next(looks) == 19, "denied", asyncio.Event())
        chunks = LogBody(channel, Form(format="ndjson"), LogRange(0, None, None), manner).chunks()
        got = b""
        with pytest.raises(Cut):
            async for chunk in chunks:
                got += chunk
        line, rest = got.split(b"\n", 1)
        assert b"first" in line and rest[:1] == silence


def test_head_makes_no_body(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the body was made")

    asked(site, "")
    monkeypatch.setattr(bodies.LogBody, "_read", never)
    answer = site.owner("HEAD", f"/api/jobs/{JOB}/logs?format=ndjson")
    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["jobtail-last-id"] == f"{epoch_of(site)}-{LINES}"
