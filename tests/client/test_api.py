"""The client against answers of every kind, right and wrong."""

from __future__ import annotations

import copy
import gzip
import json
import pickle
import socket
import tracemalloc
from typing import Any

import pytest

from webapp.client import Client, RunResponse, ask, bound, connect, errors
from webapp.client.errors import BadAnswer, ClientError, TimedOut

from .stub import Asked, Stub, http


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOBTAIL_URL", "JOBTAIL_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def problem(status: int, detail: str, *headers: str) -> bytes:
    return http(status, body({"title": "t", "status": status, "detail": detail}), "application/problem+json", *headers)


def run_at(url: str, job: str) -> RunResponse:
    return RunResponse.model_validate({"job_id": job}, context=Client(url))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.UsageError),
        (401, errors.SignInNeeded),
        (403, errors.Denied),
        (404, errors.JobNotFound),
        (409, errors.Conflict),
        (502, errors.UpstreamFailed),
        (503, errors.UpstreamFailed),
        (500, errors.ServiceDown),
    ],
)
def test_each_error_is_one_of_the_tree_in_one_sentence(status: int, kind: type[ClientError]) -> None:
    with Stub(lambda asked: problem(status, "this and that")) as stub, pytest.raises(ClientError) as raised:
        Client(stub.url).status("job-1")
    assert type(raised.value) is kind
    assert str(raised.value).startswith("this and that")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        http(200, b"<html>hello", "text/html"),
        http(200, b"[]"),
        http(200, b"null"),
        http(200, b"{"),
        http(404, b"<html>nginx", "text/html"),
        http(302, b"", "text/html", "Location: http://other.example/"),
    ],
)
def test_what_is_no_service_of_ours_is_said_so(answer: bytes) -> None:
    with Stub(lambda asked: answer) as stub, pytest.raises(BadAnswer) as raised:
        Client(stub.url).status("job-1")
    assert stub.url in str(raised.value)
    assert len(stub.asked) == 1


def test_an_answer_without_its_keys_is_no_answer() -> None:
    with Stub(lambda asked: http(200, b'{"job_name": "x"}')) as stub, pytest.raises(BadAnswer, match="job_id"):
        connect(stub.url).job("job-1")


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "MAX_BYTES", 1 << 20)
    with Stub(lambda asked: http(200, b"x" * (2 << 20))) as stub, pytest.raises(BadAnswer, match="more than 1 MiB"):
        Client(stub.url).status("job-1")


def test_no_service_is_said_at_once() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for call in (
        lambda: connect(url).job("job-1"),
        lambda: connect(url).jobs(),
        lambda: Client(url).wait("job-1"),
        lambda: list(Client(url).lines("job-1")),
        lambda: list(Client(url).stream("job-1")),
        lambda: run_at(url, "job-1").tail_logs(),
    ):
        with pytest.raises(errors.Unreachable, match="jobtail serve"):
            call()


def test_the_token_goes_to_its_origin_and_to_no_other() -> None:
    run = http(200, b'{"job_id": "job-1"}')
    with Stub(lambda asked: run) as home, Stub(lambda asked: run) as other:
        client = connect(home.url, "the-token")
        client.job("job-1")
        client.job(f"{home.url}/jobs/job-1#L3")
        client.job(f"{other.url}/jobs/job-1").refresh_status()
    assert [asked.headers.get("authorization") for asked in home.asked] == ["Bearer the-token"] * 2
    assert [asked.path for asked in other.asked] == ["/api/jobs/job-1"] * 2
    assert not any("authorization" in asked.headers for asked in other.asked)


def test_a_redirect_takes_the_token_nowhere() -> None:
    with Stub(lambda asked: http(200, b"{}")) as thief:
        location = f"Location: {thief.url}/api/jobs/job-1"
        with Stub(lambda asked: http(307, b"", "text/html", location)) as stub, pytest.raises(BadAnswer):
            Client(stub.url, "the-token").status("job-1")
    assert thief.asked == []


def test_the_environment_names_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().url == "http://127.0.0.1:8484"
    monkeypatch.setenv("JOBTAIL_URL", "https://logs.example/deep/")
    assert Client().url == "https://logs.example/deep"
    assert Client("http://127.0.0.1:1").url == "http://127.0.0.1:1"
    monkeypatch.setenv("JOBTAIL_URL", "logs.example")
    with pytest.raises(errors.UsageError, match=r"JOBTAIL_URL holds 'logs\.example'"):
        Client()


def test_objects_made_by_hand_follow_the_environment_until_somebody_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound, "_connected", [])
    for _ in range(2):
        with Stub(lambda asked: http(200, b'{"job_id": "x"}')) as stub:
            monkeypatch.setenv("JOBTAIL_URL", stub.url)
            assert RunResponse.from_job_id("x").logs_url == f"{stub.url}/jobs/x"
            assert RunResponse(job_id="x").get_status().logs_url == f"{stub.url}/jobs/x"
            with Stub(lambda asked: http(200, b'{"job_id": "x"}')) as other:
                connect(other.url)
                assert RunResponse.from_job_id("x").logs_url == f"{other.url}/jobs/x"
            monkeypatch.setattr(bound, "_connected", [])


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with Stub(lambda asked: http(200, b'{"job_id": "x"}')) as stub:
        assert Client(stub.url).status("x") == {"job_id": "x"}


def test_the_token_is_never_shown_or_written_down() -> None:
    client = connect("http://127.0.0.1:1", "secret-token")
    run = RunResponse.model_validate({"job_id": "x"}, context=client)
    for text in (
        repr(client),
        str(client),
        repr(run),
        str(run),
        pickle.dumps(client),
        pickle.dumps(run),
        run.model_dump_json(),
    ):
        assert "secret-token" not in str(text)
    assert copy.deepcopy(run) == run


@pytest.mark.parametrize("token", ["sn\u2603w-secret", "secret\nX-More: 1", "a secret", "secret\x00"])
def test_a_token_that_no_header_can_hold_is_said_so_and_not_shown(token: str) -> None:
    with pytest.raises(errors.UsageError, match="the token") as raised:
        Client("http://127.0.0.1:1", token).status("x")
    assert "secret" not in str(raised.value)


def test_a_connection_that_was_closed_meanwhile_is_asked_again() -> None:
    def answers(asked: Asked) -> bytes:
        return b"" if asked.number == 0 else http(200, b'{"job_id": "x"}')

    with Stub(answers) as stub:
        assert Client(stub.url).status("x") == {"job_id": "x"}


def test_what_changes_something_is_asked_once() -> None:
    with Stub(lambda asked: b"") as stub, pytest.raises(errors.ServiceDown):
        Client(stub.url).cancel("x")
    assert len(stub.asked) == 1


def test_a_log_that_breaks_off_goes_on_after_its_last_line() -> None:
    lines = [body({"id": f"e-{n}", "line": n, "timestamp": n, "message": f"a\u2028{n}"}) + b"\n" for n in range(1, 7)]

    def answers(asked: Asked) -> bytes:
        if asked.number == 0:
            return http(200, b"".join(lines[:3]) + lines[3][:9], "application/x-ndjson", length=9999)
        if asked.number == 1:
            return problem(503, "busy", "Retry-After: 0")
        return http(200, b"".join(lines[3:] if "after=e-3" in asked.path else []), "application/x-ndjson")

    with Stub(answers) as stub:
        found = list(Client(stub.url).lines("x", tail=100, level="info", limit=50))
    assert [line.message for line in found] == [f"a\u2028{n}" for n in range(1, 7)]
    assert "tail=100" in stub.asked[0].path
    assert "after=e-3" in stub.asked[2].path and "level=info" in stub.asked[2].path
    assert "limit=47" in stub.asked[2].path and "tail" not in stub.asked[2].path


def test_a_log_that_ends_early_goes_on_after_its_last_line() -> None:
    """Some proxies end an answer that broke off as if it were whole."""
    lines = [body({"id": f"e-{n}", "line": n, "timestamp": n, "message": str(n)}) + b"\n" for n in range(1, 8)]

    def answers(asked: Asked) -> bytes:
        after = int(asked.path.split("after=e-")[1].split("&")[0]) if "after=" in asked.path else 0
        cut = b"".join(lines[after : after + 2])
        return http(200, cut + (lines[2][:9] if after == 0 else b""), "application/x-ndjson")

    with Stub(answers) as stub:
        assert [line.line for line in Client(stub.url).lines("x")] == [1, 2, 3, 4, 5, 6, 7]
        assert [line.line for line in Client(stub.url).lines("x", tail=3)] == [1, 2, 3]


def test_an_answer_with_a_mark_at_its_end_is_whole_and_one_without_it_was_cut() -> None:
    lines = [body({"id": f"e-{n}", "line": n, "timestamp": n, "message": str(n)}) + b"\n" for n in range(1, 7)]
    gap = body({"gap": "trimmed", "after": "e-4", "count": 2}) + b"\n"
    end = body({"end": "finished", "id": "e-6", "count": 6, "complete": True}) + b"\n"
    script = [b"".join(lines[:3]), b"", b"".join(lines[3:4]), gap + b"".join(lines[4:]) + end]

    def answers(asked: Asked) -> bytes:
        return http(200, script[asked.number], "application/x-ndjson", "Jobtail-Last-Id: e-6")

    with Stub(answers) as stub, pytest.warns(errors.IncompleteLogWarning, match="2 lines are no longer kept"):
        assert [line.line for line in Client(stub.url).lines("x")] == [1, 2, 3, 4, 5, 6]
    assert len(stub.asked) == 4 and "end=true" in stub.asked[0].path and "after=e-4" in stub.asked[3].path
    with Stub(lambda asked: http(200, end, "application/x-ndjson")) as stub:
        assert list(Client(stub.url).lines("x")) == []
    assert len(stub.asked) == 1


def test_a_log_that_is_cut_each_time_is_given_up_and_never_taken_for_whole() -> None:
    bye = body({"end": "bye", "id": "e-0", "count": 0, "complete": None}) + b"\n"
    for text in (b"", bye):
        answer = http(200, text, "application/x-ndjson", "Jobtail-Last-Id: e-6")
        with Stub(lambda asked, a=answer: a) as stub, pytest.raises(errors.ServiceDown, match="before its end"):
            list(Client(stub.url).lines("x"))
        assert len(stub.asked) == 6


def test_a_log_that_goes_in_circles_is_given_up() -> None:
    lines = b"".join(body({"id": f"e-{n}", "line": n, "timestamp": n, "message": ""}) + b"\n" for n in (1, 2))
    with (
        Stub(lambda asked: http(200, lines, "application/x-ndjson")) as stub,
        pytest.raises(BadAnswer, match="went back"),
    ):
        list(Client(stub.url).lines("x"))
    assert len(stub.asked) == 2


def bomb(layers: int, size: int) -> bytes:
    data = b"0" * size
    for _ in range(layers):
        data = gzip.compress(data)
    return data


@pytest.mark.parametrize("path", ["status", "lines", "stream", "error"])
def test_a_few_kilobytes_never_become_gigabytes(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(ask, "MAX_BYTES", 4 << 20)
    monkeypatch.setattr("webapp.client.line.MAX_LINE_BYTES", 4 << 20)
    monkeypatch.setattr("webapp.client.sse.MAX_EVENT_BYTES", 4 << 20)
    kind = {"lines": "application/x-ndjson", "stream": "text/event-stream"}.get(path, "application/json")
    status = 503 if path == "error" else 200
    for encoding, data in (("gzip", bomb(1, 64 << 20)), ("gzip, gzip", bomb(2, 64 << 20)), ("br", b"xx")):
        with Stub(lambda asked, e=encoding, d=data: http(status, d, kind, f"Content-Encoding: {e}")) as stub:
            client = Client(stub.url)
            tracemalloc.start()
            with pytest.raises(ClientError):
                list({"lines": client.lines, "stream": client.stream}.get(path, client.status)("x"))
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert most < 24 << 20
            client.close()


def test_a_compressed_answer_is_read_and_one_cut_short_is_no_answer() -> None:
    data = gzip.compress(body({"job_id": "x"}))
    with Stub(lambda asked: http(200, data, "application/json", "Content-Encoding: gzip")) as stub:
        assert Client(stub.url).status("x") == {"job_id": "x"}
    with (
        Stub(lambda asked: http(200, data[:-9], "application/json", "Content-Encoding: gzip")) as stub,
        pytest.raises(errors.ServiceDown, match="stopped before its end"),
    ):
        Client(stub.url).status("x")


def test_a_cut_line_that_is_no_longer_kept_stays_cut_and_is_not_taken_for_the_next() -> None:
    lines = [{"id": f"e-{n}", "line": n, "timestamp": n, "message": "x", "cut": True} for n in (1, 2, 3)]
    whole = {2: {**lines[2], "message": "xxx", "cut": False}, 3: {**lines[2], "message": "xxx", "cut": False}}

    def answers(asked: Asked) -> bytes:
        if "/events" in asked.path:
            events = [b"id: e-3\nevent: lines\ndata: " + body(lines) + b"\n\n"]
            events.append(b"id: e-3.done\nevent: done\ndata: " + body({"reason": "finished"}) + b"\n\n")
            return http(200, b"".join(events), "text/event-stream")
        found = whole.get(int(asked.path.split("from_line=")[1].split("&")[0]))
        return http(200, body(found) + b"\n" if found else b"", "application/x-ndjson")

    with Stub(answers) as stub, pytest.warns(errors.IncompleteLogWarning) as warned:
        found = list(run_at(stub.url, "x").iter_logs())
    assert [(line.line, line.message) for line in found] == [(1, "x"), (2, "x"), (3, "xxx")]
    assert [str(warning.message)[:9] for warning in warned] == ["x: line 1", "x: line 2"]
    assert {warning.filename for warning in warned} == {__file__}


def test_a_log_that_never_comes_is_given_up() -> None:
    with (
        Stub(lambda asked: problem(503, "busy", "Retry-After: 0")) as stub,
        pytest.raises(errors.UpstreamFailed, match="busy"),
    ):
        list(Client(stub.url).lines("x"))
    assert len(stub.asked) == 6


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_a_log_or_stream_of_another_type_is_no_log(kind: str) -> None:
    with Stub(lambda asked: http(200, b"<html>", kind)) as stub:
        for call in (Client(stub.url).lines("x"), Client(stub.url).stream("x")):
            with pytest.raises(BadAnswer, match="something other than"):
                list(call)


def test_waiting_ends_with_the_time_given() -> None:
    with Stub(lambda asked: problem(504, "not finished yet")) as stub, pytest.raises(TimedOut) as raised:
        run_at(stub.url, "x").wait_for_job(timeout=0.2)
    assert isinstance(raised.value, TimeoutError)


def test_waiting_bears_a_service_that_restarts() -> None:
    def answers(asked: Asked) -> bytes:
        return [problem(504, "not yet"), b"", problem(503, "down", "Retry-After: 0"), http(200, b'{"job_id": "x"}')][
            min(asked.number, 3)
        ]

    with Stub(answers) as stub:
        run = run_at(stub.url, "x").wait_for_job(poll_interval_seconds=0.01)
    assert run.job_id == "x"


def test_a_wrong_id_is_refused_before_anything_is_asked() -> None:
    with Stub(lambda asked: http(200, b"{}")) as stub:
        for job in ("../../etc", "a b", "", "x" * 200):
            with pytest.raises(errors.UsageError, match="not a job id"):
                Client(stub.url).status(job)
    assert stub.asked == []
