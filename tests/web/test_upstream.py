"""The service in front of an upstream that fails: what viewers are told, and when they give up."""

from __future__ import annotations

import json

import httpx
import orjson
import pytest

from tests import upstream as scripted
from tests.paced import Paced
from tests.served import until
from tests.sse import EventStream, lines_of
from tests.upstream import Fault, Raw, now_ms


@pytest.fixture
def upstream():
    with scripted.upstream() as server:
        yield server


@pytest.fixture
def service(serve, upstream):
    return serve(upstream_url=upstream.url, refresh_seconds=0.1)


def test_an_unknown_job_is_not_asked_for_again_and_again(service, upstream):
    for _ in range(5):
        assert service.get("/api/jobs/nobody").status_code == 404
        assert service.get("/api/jobs/nobody/logs").status_code == 404
    assert upstream.requests["status"] == 1


def test_retries_that_are_used_up_end_the_stream_without_an_id(service, upstream):
    upstream.job("troubled").lines(1, 3, now_ms() - 1000)
    until(lambda: len(service.get("/api/jobs/troubled/logs").json()) == 3, "its lines")
    upstream.always["status"] = upstream.always["logs"] = Fault("status", 500)
    with EventStream(f"{service.url}/api/jobs/troubled/events?get_logs_retries=1&sample_logs=false") as events:
        got = events.until("done")
    assert [line["line"] for line in lines_of(got)] == [1, 2, 3]
    assert (got[-1].data["reason"], got[-1].data["complete"], got[-1].id) == ("retries_exhausted", False, "")


def test_without_a_number_of_retries_a_stream_outlasts_an_outage_and_says_so(service, upstream):
    upstream.job("troubled").lines(1, 3, now_ms() - 1000)
    with EventStream(f"{service.url}/api/jobs/troubled/events?sample_logs=false&refresh_seconds=0.1") as events:
        seen = iter(events)
        until(lambda: next(seen).id.endswith("-3"))
        upstream.always["logs"] = Fault("status", 503, body=b'{"detail": "maintenance"}')
        told = next(event for event in seen if event.name == "upstream" and event.data["state"] == "retrying")
        assert "maintenance" in told.data["detail"]
        assert told.id == ""
        upstream.always.clear()
        upstream.jobs["troubled"].lines(4, 4, now_ms())
        after = []
        until(lambda: after.append(next(seen)) or {"", "upstream"} <= {event.name for event in after})
        assert [line["line"] for line in lines_of(after)] == [4]


def test_an_upstream_that_is_down_at_the_start_is_waited_for(serve):
    upstream = scripted.Upstream().start()
    url = upstream.url
    port = int(url.split(":")[2].split("/")[0])
    upstream.stop()
    service = serve(upstream_url=url, refresh_seconds=0.1)
    with EventStream(f"{service.url}/api/jobs/job-1/events", timeout=60) as events:
        seen = iter(events)
        assert next(event for event in seen if event.name == "upstream" and event.data["state"] == "retrying")
        again = scripted.Upstream()
        again.job("job-1").lines(1, 1, now_ms())
        again.start(port)
        try:
            told = []
            until(lambda: told.append(next(seen)) or {"", "status"} <= {event.name for event in told})
            assert next(event for event in told if event.name == "status").data["job_id"] == "job-1"
            assert next(event for event in told if event.name == "").data["line"] == 1
        finally:
            again.stop()


def test_the_upstreams_refusal_of_our_credential_is_ours_to_mend(serve):
    with scripted.upstream(token="right") as upstream:
        upstream.job("job-1")
        service = serve(upstream_url=upstream.url, upstream_token="wrong")
        answer = service.get("/api/jobs/job-1")
        assert answer.status_code == 502
        assert "wrong" not in answer.text.replace("answered wrongly", "")


def test_no_log_is_not_taken_for_an_empty_one_while_the_upstream_refuses_it(service, upstream):
    upstream.job("closed")
    upstream.always["logs"] = Fault("status", 401)
    for _ in range(3):
        assert service.get("/api/jobs/closed/logs").status_code == 502
    assert service.get("/api/jobs/closed/search?q=x").status_code == 502
    assert service.get("/api/jobs/closed/exec-time").status_code == 502


@pytest.mark.parametrize("gone", ["not found", "denied"])
def test_following_a_job_that_is_gone_breaks_off_after_its_lines(upstream, data_dir, gone):
    upstream.job("leaving").lines(1, 3, now_ms())
    service = Paced({"data_dir": data_dir, "upstream_url": upstream.url, "refresh_seconds": 0.1}).start()
    try:
        url = f"{service.url}/api/jobs/leaving/logs?format=text&follow=true"
        with httpx.stream("GET", url, timeout=30) as answer:
            chunks = answer.iter_text()
            got = ""
            while got.count("\n") < 3:
                got += next(chunks)
            if gone == "denied":
                upstream.always["status"] = upstream.always["logs"] = Fault("status", 403)
            else:
                del upstream.jobs["leaving"]
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
                for chunk in chunks:
                    got += chunk
        assert got == "line 1\nline 2\nline 3\n"
    finally:
        service.stop()
    assert "Traceback" not in service.output


@pytest.mark.parametrize("kind", ["html", "null", "deep"])
def test_a_status_that_is_none_is_waited_for_by_a_stream(service, upstream, kind):
    upstream.job("odd").lines(1, 3, now_ms())
    upstream.always["status"] = Fault(kind)
    with EventStream(f"{service.url}/api/jobs/odd/events?sample_logs=false&refresh_seconds=0.1") as events:
        assert events.status == 200
        seen, told = iter(events), []

        def trouble_and_lines() -> bool:
            told.append(next(seen))
            states = [event.data["state"] for event in told if event.name == "upstream"]
            return "retrying" in states and any(event.id.endswith("-3") for event in told)

        until(trouble_and_lines, "the trouble and the lines")


def test_who_asks_right_after_a_journal_was_thrown_away_gets_the_log_and_not_an_empty_one(serve, upstream):
    service = serve(upstream_url=upstream.url, refresh_seconds=2)
    upstream.job("gone").lines(1, 500, now_ms() - 1000)
    for _ in range(2):
        assert len(service.get("/api/jobs/gone/logs").json()) == 500
        assert httpx.delete(f"{service.url}/api/jobs/gone/journal", trust_env=False).status_code == 204


def test_a_journal_thrown_away_after_the_end_is_fetched_anew_and_ends_again(upstream, data_dir):
    job = upstream.job("gone")
    job.lines(1, 8, now_ms())
    job.finish()
    service = Paced({"data_dir": data_dir, "upstream_url": upstream.url, "refresh_seconds": 0.1})
    service.start()
    try:
        with EventStream(f"{service.url}/api/jobs/gone/events?sample_logs=false") as events:
            assert events.until("done")[-1].data["complete"] is True
            last = events.last_id
        assert httpx.delete(f"{service.url}/api/jobs/gone/journal").status_code == 204
        again = EventStream(f"{service.url}/api/jobs/gone/events?sample_logs=false", headers={"Last-Event-ID": last})
        with again as events:
            got = events.until("done")
        assert "reset" in [event.name for event in got]
        assert [line["message"] for line in lines_of(got)] == [f"line {n}" for n in range(1, 9)]
        assert got[-1].data["complete"] is True
    finally:
        service.stop()


ODD = {
    "loss": ("NaN", "NaN"),
    "worst": ("-Infinity", "-Infinity"),
    "seed": ("1180591620717411303424", 1180591620717411303424),
    "digits": ("9" * 5000, "9" * 5000),
    "huge": ("1e999", "1e999"),
    "half": ('"a\\ud800"', "a\ufffd"),
    "twice": ('1, "twice": 2', 2),
    "deep": ("[" * 1000 + "]" * 1000, "[" * 1000 + "]" * 1000),
    "k" * 3000: ("1", 1),
}


def strictly(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    orjson.loads(text)
    return json.loads(text, parse_constant=refuse)


def test_odd_json_costs_no_line_and_every_reader_reads_what_is_kept(service, upstream):
    job, at = upstream.job("odd"), now_ms() - 5000
    for number, (name, (raw, _)) in enumerate(ODD.items()):
        job.add(Raw(f'{{"timestamp": {at + number}, "message": "odd {number}\\n", "{name}": {raw}}}', timestamp=at))
        job.add({"timestamp": at + number, "message": f"plain {number}\n"})
    job.finish()
    count = 2 * len(ODD)
    until(lambda: len(service.get("/api/jobs/odd/logs?format=text").text.splitlines()) == count, "its lines")
    lines = strictly(service.get("/api/jobs/odd/logs").content)
    assert [line["message"] for line in lines] == [f"{kind} {n}" for n in range(len(ODD)) for kind in ("odd", "plain")]
    for line, (name, (_, kept)) in zip(lines[::2], ODD.items(), strict=True):
        short = name if len(name) <= 1024 else name[:1024] + "…"
        assert line[short] == kept
        assert line.get("altered") == (None if name in ("seed", "twice") else [short])
    for line in service.get("/api/jobs/odd/logs?format=ndjson").content.splitlines():
        strictly(line)
    with EventStream(f"{service.url}/api/jobs/odd/events?sample_logs=false&format=batch") as events:
        assert lines_of(events.until("done")) == lines
    assert len(strictly(service.get("/api/jobs/odd/search?q=plain").content)["lines"]) == len(ODD)
    entries = strictly(service.get("/server/v1/logs/odd").content)
    assert entries[4]["seed"] == 1180591620717411303424 and "altered" not in entries[0]
    assert "plain 3" in service.get("/jobs/odd").text


def test_guesses_while_the_upstream_is_down_begin_few_journals(service, upstream, data_dir):
    upstream.always["status"] = Fault("status", 503)
    assert {service.get(f"/api/jobs/guess-{n}").status_code for n in range(20)} == {503}
    assert len(list((data_dir / "jobs").glob("*.sqlite3"))) <= 8


def test_whoever_asks_for_a_status_first_gets_one_that_is_asked_for_now(upstream, data_dir):
    job = upstream.job("ending")
    running = dict(job.status)
    job.lines(1, 3, now_ms())
    service = Paced({"data_dir": data_dir, "upstream_url": upstream.url, "refresh_seconds": 0.1}).start()
    try:
        assert service.get("/api/jobs/ending").json()["job_status"] == "Running"
    finally:
        service.stop()
    job.finish()
    service.start()
    try:
        found = service.get("/api/jobs/ending").json()
        assert (found["job_status"], found.get("stale")) == ("Done", None)
        with EventStream(f"{service.url}/api/jobs/ending/events") as events:
            events.until("done")
    finally:
        service.stop()
    job.status = running
    service.start()
    try:
        with EventStream(f"{service.url}/api/jobs/ending/events") as events:
            first = next(event for event in events if event.name in ("status", "done"))
            assert (first.name, first.data["job_status"]) == ("status", "Running")
        upstream.always["status"] = Fault("status", 500)
        until(lambda: service.get("/api/jobs/ending").json().get("stale"), "a status that says that it is old")
    finally:
        service.stop()


def test_a_job_whose_id_looks_like_a_credential_can_be_opened(service, upstream):
    id = "sk-proj-Abc123Def456Ghi789Jkl"
    job = upstream.job(id)
    job.status["job_name"] = "token=Abc123Def456Ghi789"
    job.lines(1, 3, now_ms() - 1000)
    job.finish()
    rows = service.get("/api/jobs").json()["jobs"]
    assert [row["id"] for row in rows] == [id]
    assert [row["id"] for row in service.get("/server/v1/job/self").json()] == [id]
    status = service.get(f"/api/jobs/{id}").json()
    assert (status["job_id"], status["job_name"]) == (id, "token=***")
    assert f'href="/jobs/{id}"' in service.get("/").text
    assert id in service.get(f"/jobs/{id}").text


def test_the_list_is_searched_to_its_oldest_job_and_says_what_it_has_looked_through(service, upstream):
    upstream.job("needle")
    for n in range(1300):
        upstream.job(f"hay-{n:04}")
    found = until(lambda: "1 match<" in (page := service.get("/?text=needle").text) and page, "the oldest job")
    assert 'data-id="needle"' in found and "among the newest" not in found
    asked = upstream.requests["list"]
    assert "1,300 matches<" in service.get("/?text=hay").text
    assert upstream.requests["list"] - asked <= 250 / 25, "older jobs are not asked for again"
