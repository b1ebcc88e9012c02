"""`/events` as curl sees it: every event, every parameter."""

import os
import signal
import sys

import pytest

from tests.served import until
from tests.sse import EventStream, lines_of

COUNT = "import time\nfor n in range({n}):\n print(n, flush=True)\n time.sleep({pause})"


def stream(service, job, query="", **how):
    return EventStream(f"{service.url}/api/jobs/{job}/events?{query}", **how)


def numbers(events):
    return [line["line"] for line in lines_of(events)]


def test_a_finished_job_is_told_whole_and_its_stream_ends(service, ten):
    with stream(service, ten, "sample_logs=false") as events:
        got = list(events)
    # The status may change once more before the end is told.
    names = [event.name for event in got]
    assert [name for index, name in enumerate(names) if not index or name != "status"] == [
        "status", "cursor", *[""] * 10, "done",
    ]  # fmt: skip
    assert got[0].data["job_id"] == ten
    assert numbers(got) == list(range(1, 11))
    assert [event.id for event in got if event.name == ""] == [line["id"] for line in lines_of(got)]
    done = got[-1]
    assert done.id == f"{lines_of(got)[-1]['id']}.done"
    assert (done.data["reason"], done.data["complete"], done.data["lines"]) == ("finished", True, 10)
    assert done.data["status"]["job_status"] == "Done"
    assert events.ended
    assert 1000 <= events.retry <= 5000


def test_it_is_never_kept_transformed_or_buffered(service, ten):
    with stream(service, ten) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        assert events.headers["cache-control"] == "no-cache, no-transform"
        assert events.headers["x-accel-buffering"] == "no"


def test_a_batch_is_a_list(service, ten):
    with stream(service, ten, "format=batch&sample_logs=false") as events:
        got = events.until("done")
    assert numbers(got) == list(range(1, 11))
    assert {event.name for event in got} == {"status", "cursor", "lines", "done"}


def test_sampled_all_lines_are_told_or_counted(service, ten):
    with stream(service, ten) as events:
        got = events.until("done")
    omitted = sum(event.data["count"] for event in got if event.name == "omitted")
    assert len(numbers(got)) + omitted == 10
    assert {line["level"] for line in lines_of(got)} >= {"error", "warning"}


@pytest.mark.parametrize("how", ["header", "last_event_id", "after"])
def test_who_comes_back_goes_on_where_it_was(service, ten, how):
    with stream(service, ten, "sample_logs=false") as events:
        cursor = lines_of(events.until("done"))[3]["id"]
    query = "sample_logs=false" + ("" if how == "header" else f"&{how}={cursor}")
    headers = {"Last-Event-ID": cursor} if how == "header" else {}
    with stream(service, ten, query, headers=headers) as events:
        assert numbers(events.until("done")) == [5, 6, 7, 8, 9, 10]


def test_the_header_counts_before_the_parameters_and_a_cursor_before_tail(service, ten):
    with stream(service, ten, "sample_logs=false") as events:
        ids = [line["id"] for line in lines_of(events.until("done"))]
    query = f"sample_logs=false&last_event_id={ids[1]}&after={ids[2]}&tail=1"
    with stream(service, ten, query, headers={"Last-Event-ID": ids[7]}) as events:
        assert numbers(events.until("done")) == [9, 10]
    with stream(service, ten, query) as events:
        assert numbers(events.until("done")) == list(range(3, 11))
    with stream(service, ten, f"sample_logs=false&after={ids[2]}&tail=1") as events:
        assert numbers(events.until("done")) == list(range(4, 11))


def test_tail_counts_lines_that_pass_the_filters(service, ten):
    with stream(service, ten, "tail=2&sample_logs=false") as events:
        assert numbers(events.until("done")) == [9, 10]
    with stream(service, ten, "tail=1&level=error") as events:
        assert numbers(events.until("done")) == [7]


def test_filters_hold_lines_back_and_cursor_says_so(service, ten):
    with stream(service, ten, "q=number%203") as events:
        got = events.until("done")
    assert numbers(got) == [4]
    with stream(service, ten, "level=error,warning") as events:
        assert [line["level"] for line in lines_of(events.until("done"))] == ["error", "warning"] * 2
    with stream(service, ten, f"since_ms={1 << 50}") as events:
        assert numbers(events.until("done")) == []


def test_done_once_told_is_no_content(service, ten):
    with stream(service, ten) as events:
        events.until("done")
        cursor = events.last_id
    with stream(service, ten, headers={"Last-Event-ID": cursor}) as events:
        assert events.status == 204
    with stream(service, ten, headers={"Last-Event-ID": cursor.removesuffix(".done")}) as events:
        assert [event.name for event in events] == ["status", "cursor", "done"]


def test_a_range_past_the_end_is_done_once_told(serve):
    service = serve(access_token="sesame")
    owner = {"Authorization": "Bearer sesame"}
    job = service.run("seq", "50")
    made = service.post(f"/api/jobs/{job}/shares", json={"lines": [120, 140]}, headers=owner).json()
    opened = service.get("/s/" + made["url"].rpartition("/s/")[2])
    cookie = {"Cookie": opened.headers["set-cookie"].partition(";")[0]}
    with stream(service, job, headers=cookie) as events:
        assert numbers(events.until("done")) == []
        cursor = events.last_id
    with stream(service, job, headers={**cookie, "Last-Event-ID": cursor.removesuffix(".done")}) as events:
        assert "reset" not in [event.name for event in events.until("done")]
    with stream(service, job, headers={**cookie, "Last-Event-ID": cursor}) as events:
        assert events.status == 204
    past = cursor.split("-")[0] + "-130"
    with stream(service, job, headers={**cookie, "Last-Event-ID": past}) as events:
        assert "reset" in [event.name for event in events.until("done")]


@pytest.mark.parametrize("cursor", ["zzz-5", "garbage", "1", "\x00", "a-1 b", "x" * 5000])
def test_a_cursor_that_does_not_hold_is_reset_and_all_follows_again(service, ten, cursor):
    with stream(service, ten, "sample_logs=false", headers={"Last-Event-ID": cursor.replace("\x00", "%00")}) as events:
        got = events.until("done")
    assert [event.name for event in got[:3]] == ["status", "reset", "cursor"]
    assert numbers(got) == list(range(1, 11))


def test_a_cursor_past_the_end_is_reset_too_and_tail_holds_after_it(service, ten):
    with stream(service, ten, "tail=0") as events:
        epoch = events.until("done")[1].id.split("-")[0]
    with stream(service, ten, "sample_logs=false&tail=2", headers={"Last-Event-ID": f"{epoch}-999"}) as events:
        got = events.until("done")
    assert "reset" in [event.name for event in got]
    assert numbers(got) == [9, 10]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("after=garbage", "after"),
        ("last_event_id=1", "last_event_id"),
        ("refresh_seconds=0.01", "refresh_seconds"),
        ("refresh_seconds=nan", "refresh_seconds"),
        ("refresh_seconds=61", "refresh_seconds"),
        ("sample_logs=maybe", "sample_logs"),
        ("tail=-1", "tail"),
        ("tail=1.5", "tail"),
        ("tail=1_0", "tail"),
        ("tail=%2B5", "tail"),
        ("tail=%205", "tail"),
        ("refresh_seconds=1_0", "refresh_seconds"),
        ("level=,", "level"),
        ("since_ms=x", "since_ms"),
        ("since_ms=99999999999999999999999", "since_ms"),
        ("format=xml", "format"),
        ("level=loud", "level"),
        ("timeout=-1", "timeout"),
        ("get_logs_retries=-1", "get_logs_retries"),
        ("get_logs_retries=%D9%A1", "get_logs_retries"),
        ("q=" + "x" * 1500, "q"),
    ],
)
def test_a_wrong_parameter_is_named(service, ten, query, name):
    answer = service.get(f"/api/jobs/{ten}/events?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(name)


def test_unknown_jobs_and_bad_ids(service):
    assert service.get("/api/jobs/nobody/events").status_code == 404
    assert service.get("/api/jobs/-x/events").status_code == 400
    assert not list((service.data_dir / "jobs").glob("*.sqlite3"))


def test_lines_come_live_and_the_end_is_told(service):
    job, runner = service.begin(sys.executable, "-c", COUNT.format(n=20, pause=0.05))
    with stream(service, job, "sample_logs=false&refresh_seconds=0.1") as events:
        got = events.until("done")
    runner.wait()
    assert [line["message"] for line in lines_of(got)] == [str(n) for n in range(20)]
    lines = [index for index, event in enumerate(got) if event.name == ""]
    assert len({got[index].data["timestamp"] for index in lines}) > 1
    assert [event.data["job_status"] for event in got if event.name == "status"][-1] == "Done"


def test_a_timeout_ends_the_stream_without_an_id(service):
    job, runner = service.begin(sys.executable, "-c", COUNT.format(n=2000, pause=0.05))
    with stream(service, job, "timeout=0.5") as events:
        done = events.until("done")[-1]
    assert (done.data["reason"], done.id) == ("timeout", "")
    runner.terminate()
    runner.wait()


def test_a_service_that_goes_down_says_so_and_ends_cleanly(service):
    job, runner = service.begin(sys.executable, "-c", COUNT.format(n=2000, pause=0.02))
    with stream(service, job, "sample_logs=false&refresh_seconds=0.1") as events:
        seen = iter(events)
        until(lambda: next(seen).name == "")
        service.process.send_signal(signal.SIGTERM)
        rest = list(seen)
    assert rest[-1].name == "bye"
    assert events.ended
    assert service.stop() == 0
    last = events.last_id
    service.start()
    with stream(service, job, "sample_logs=false", headers={"Last-Event-ID": last}) as events:
        first = next(event for event in events if event.name == "")
    assert first.data["line"] == int(last.split("-")[1]) + 1
    os.kill(runner.pid, signal.SIGTERM)
    runner.wait()


def test_a_silent_stream_sends_a_comment(service):
    job, runner = service.begin(sys.executable, "-c", "import time; time.sleep(100)")
    with stream(service, job, timeout=40) as events:
        chunks = events._chunks()
        until(lambda: b": \n\n" in next(chunks), seconds=30)
    runner.terminate()
    runner.wait()


@pytest.mark.parametrize("setting", ["max_viewers", "max_viewers_per_job"])
def test_no_more_viewers_than_the_settings_allow(serve, setting):
    service = serve(**{setting: 2})
    job, runner = service.begin(sys.executable, "-c", "import time; time.sleep(100)")
    with stream(service, job) as one, stream(service, job) as two:
        next(iter(one)), next(iter(two))
        answer = service.get(f"/api/jobs/{job}/events")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert service.get(f"/api/jobs/{job}").headers["jobtail-viewers"] == "2"
    until(lambda: service.get(f"/api/jobs/{job}").headers["jobtail-viewers"] == "0", "the viewers to be gone")
    runner.terminate()
    runner.wait()


def test_who_reads_nothing_holds_up_nobody_and_gets_every_line(service):
    """Its socket takes some hundred KiB, the log has many MiB: the rest waits in the journal."""
    script = "for n in range(60000): print(n, 'x' * 200)"
    job, runner = service.begin(sys.executable, "-c", script)
    with stream(service, job, "sample_logs=false&format=batch", buffer=4096, timeout=60) as slow:
        with stream(service, job, "sample_logs=false&format=batch", timeout=60) as quick:
            assert len(lines_of(quick.until("done"))) == 60000
        assert len(lines_of(slow.until("done"))) == 60000
    runner.wait()


def test_an_epoch_that_ends_under_a_viewer_is_a_reset(service):
    job, runner = service.begin(sys.executable, "-c", COUNT.format(n=3000, pause=0.02))
    with stream(service, job, "sample_logs=false&refresh_seconds=0.1") as events:
        seen = iter(events)
        until(lambda: next(seen).name == "")
        import httpx

        assert httpx.delete(f"{service.url}/api/jobs/{job}/journal").status_code == 204
        event = next(event for event in seen if event.name == "reset")
        assert "anew" in event.data["reason"]
        line = next(event for event in seen if event.name == "")
        assert line.data["line"] == 1
    runner.terminate()
    runner.wait()


@pytest.mark.parametrize("name", ["lastEventId", "lastEventID", "Last-Event-ID", "evs_last_event_id"])
def test_a_polyfill_sends_its_cursor_in_the_address(service, ten, name):
    with stream(service, ten, "sample_logs=false") as events:
        ids = [line["id"] for line in lines_of(events.until("done"))]
    query = f"sample_logs=false&last_event_id={ids[1]}&after={ids[0]}&{name}={ids[6]}"
    with stream(service, ten, query) as events:
        assert numbers(events.until("done")) == [8, 9, 10]
    with stream(service, ten, f"sample_logs=false&{name}={ids[6]}", headers={"Last-Event-ID": ids[8]}) as events:
        assert numbers(events.until("done")) == [10]


def test_errors_of_a_stream_can_be_read_by_a_configured_site(serve):
    service = serve(access_token="sesame", allowed_origins="https://dash.example")
    answer = service.get("/api/jobs/none/events", headers={"Origin": "https://dash.example"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "https://dash.example"
