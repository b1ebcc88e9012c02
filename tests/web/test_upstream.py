"""The service in front of an upstream that fails: what viewers are told, and when they give up."""

from __future__ import annotations

import pytest

from tests import upstream as scripted
from tests.served import until
from tests.sse import EventStream, lines_of
from tests.upstream import Fault, now_ms


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
            assert next(event for event in seen if event.name == "status").data["job_id"] == "job-1"
            assert next(event for event in seen if event.name == "").data["line"] == 1
        finally:
            again.stop()


def test_the_upstreams_refusal_of_our_credential_is_ours_to_mend(serve):
    with scripted.upstream(token="right") as upstream:
        upstream.job("job-1")
        service = serve(upstream_url=upstream.url, upstream_token="wrong")
        answer = service.get("/api/jobs/job-1")
        assert answer.status_code == 502
        assert "wrong" not in answer.text.replace("answered wrongly", "")
