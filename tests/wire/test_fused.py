"""The routes under `/server/v1` themselves: errors, bounds, what is slow, what may be reached."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from ..served import Served
from ..upstream import Fault, Upstream, upstream

TOKEN = "the-access-token-of-this-test"
AT = 1_700_000_000_000


@pytest.fixture(scope="module")
def fused() -> Iterator[Upstream]:
    with upstream() as server:
        yield server


@pytest.fixture(scope="module")
def served(fused: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("fused")
    served = Served({"data_dir": folder / "data", "upstream_url": fused.url, "access_token": TOKEN}).start()
    yield served
    served.stop()


def ask(served: Served, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    sent = {"Authorization": f"Any-Scheme-At-All {TOKEN}"} | headers
    return httpx.request(method, f"{served.url}/server/v1{path}", headers=sent, timeout=60, trust_env=False)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/run/by-id/no-such-job", 404),
        ("GET", "/logs/no-such-job", 404),
        ("GET", "/job/by-id/no-such-job/config", 404),
        ("POST", "/run/by-id/no-such-job/cancel", 404),
        ("GET", "/run/by-id/-x", 400),
        ("GET", "/logs/plain?since_ms=x", 400),
        ("GET", "/job/self?limit=-1", 400),
        ("GET", "/job/self?limit=99999", 400),
        ("GET", "/nothing/here", 404),
        ("POST", "/logs/plain", 405),
        ("GET", "/config/forged", 404),
    ],
)
def test_errors_are_as_the_wire_has_them(fused: Upstream, served: Served, method: str, path: str, status: int) -> None:
    fused.job("plain").lines(1, 3, AT)
    answer = ask(served, path, method)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["detail"], str) and "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/run/by-id/plain"),
        ("GET", "/logs/plain"),
        ("GET", "/job/self"),
        ("GET", "/job/by-id/plain/config"),
        ("POST", "/run/by-id/plain/cancel"),
    ],
)
def test_nobody_gets_in_without_the_token(served: Served, method: str, path: str) -> None:
    for header in ("", "Bearer wrong", f"Basic {TOKEN}x", TOKEN):
        answer = ask(served, path, method, Authorization=header)
        assert answer.status_code == 401 and answer.headers["content-type"] == "application/json"
        assert "detail" in answer.json()


def test_a_configuration_is_given_at_a_signed_address_that_needs_no_token(fused: Upstream, served: Served) -> None:
    fused.job("configured", config={"name": "c", "steps": [{"type": "udf", "x": "password=hunter2hunter2"}]})
    redirect = ask(served, "/job/by-id/configured/config")
    assert redirect.status_code == 307
    location = redirect.headers["location"]
    assert location.startswith(f"{served.url}/server/v1/config/")
    answer = httpx.get(location, trust_env=False)
    assert answer.status_code == 200 and answer.json()["name"] == "c"
    assert "hunter2hunter2" not in answer.text
    assert httpx.get(location[:-2] + "xx", trust_env=False).status_code == 404


def test_a_log_that_takes_long_to_load_keeps_the_connection_alive(fused: Upstream, served: Served) -> None:
    """The published client waits five seconds for the next byte: a blank comes sooner, and JSON may begin with it."""
    fused.job("slow").lines(1, 500, AT)
    fused.always["logs"] = Fault("hang")
    try:
        with httpx.stream(
            "GET",
            f"{served.url}/server/v1/logs/slow",
            headers={"Authorization": f"B {TOKEN}"},
            timeout=60,
            trust_env=False,
        ) as answer:
            assert answer.status_code == 200
            assert next(answer.iter_raw()).strip() == b""
    finally:
        del fused.always["logs"]


def test_a_log_that_is_refused_after_a_while_breaks_off(fused: Upstream, served: Served) -> None:
    fused.job("refused").lines(1, 5, AT)
    fused.always["logs"] = Fault("status", 401)
    fused.latency = 2.5
    try:
        with pytest.raises(httpx.RemoteProtocolError):
            ask(served, "/logs/refused")
    finally:
        fused.latency = 0
        del fused.always["logs"]
    assert "Traceback" not in served.output and "ERROR" not in served.output


def test_a_large_log_arrives_whole_and_in_order(fused: Upstream, served: Served) -> None:
    job = fused.job("large")
    job.lines(1, 60_000, AT)
    job.finish()
    entries = ask(served, "/logs/large").json()
    assert [entry["message"] for entry in entries] == [f"line {n}\n" for n in range(1, 60_001)]
    assert json.dumps(entries[:2]) == json.dumps(
        [{"timestamp": AT, "message": "line 1\n"}, {"timestamp": AT + 1, "message": "line 2\n"}]
    )


def test_one_failed_answer_of_the_upstream_is_no_empty_log(fused: Upstream, served: Served) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for job, path in (("stumbled", "/api/jobs/stumbled/logs"), ("tripped", "/server/v1/logs/tripped")):
        fused.job(job).lines(1, 5, AT)
        fused.fail("logs", "status", 1, code=503)
        answer = served.get(path, headers=headers)
        assert answer.status_code == 200 and len(answer.json()) == 5
