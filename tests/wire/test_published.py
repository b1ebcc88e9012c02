"""The published client, unchanged, at `/server/v1`: what it gets is what it gets from a Fused server itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..served import Served, until
from ..upstream import Job, Upstream, upstream
from .published import VERSIONS, Published

# The first test of a version installs it, which may take minutes on a busy machine.
pytestmark = pytest.mark.timeout(600)

TOKEN = "the-access-token-of-this-test"
UDF = {"type": "geopandas_v2", "name": "u", "code": "def udf(): pass", "entrypoint": "udf"}
CONFIG = {"name": "c", "steps": [{"type": "udf", "name": "s", "udf": UDF}], "metadata": {"k": "v"}}
AT = 1_700_000_000_000


def step(name: str, *arguments: Any, **how: Any) -> list[Any]:
    return [name, list(arguments), how]


@pytest.fixture
def fused() -> Iterator[Upstream]:
    with upstream(token="upstream-token") as server:
        server.job("old").finish("Failed")
        job = server.job("job-1", config=CONFIG)
        job.lines(1, 40, AT, 250)
        job.add(
            {"timestamp": AT + 500, "message": "twin\n", "pod": "a"},
            {"timestamp": AT + 500, "message": "twin\n", "pod": "b"},
            {"timestamp": AT + 10_000, "message": "    indented\n"},
            {"timestamp": AT + 10_001, "message": "the last\n", "level": "loud", "id": 7, "line": None},
        )
        job.finish()
        yield server


def through(serve: Callable[..., Served], token: bool, fused: Upstream | None = None) -> Served:
    settings: dict[str, object] = {"access_token": TOKEN} if token else {}
    if fused is not None:
        settings |= {"upstream_url": fused.url, "upstream_token": "upstream-token"}
    return serve(**settings)


def succeeded(outcomes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert [outcome["error"] for outcome in outcomes] == [None] * len(outcomes)
    return outcomes


FINISHED = [
    step("get_status", "job-1"),
    step("get_logs", "job-1"),
    step("get_logs", "job-1", since_ms=AT + 10_000),
    step("run_get_logs", "job-1", AT + 9_500),
    step("print_logs", "job-1"),
    step("print_logs", "job-1", since_ms=AT + 10_001),
    step("get_exec_time", "job-1"),
    step("tail_logs", "job-1", refresh_seconds=0.1, timeout=20),
    step("wait_for_job", "job-1", poll_interval_seconds=0.1, timeout=20),
    step("refresh_status", "job-1"),
    step("get_job_config", "job-1"),
    step("get_jobs", 1),
    step("get_jobs", 5, skip=1),
    step("get_jobs", 5, skip=50),
    step("get_jobs", 2, per_request=1, max_requests=None),
    step("refresh", 5),
    step("get_status", "no-such-job"),
]


@pytest.mark.parametrize("token", [False, True], ids=["open", "token"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_finished_job_looks_as_it_does_at_fused(
    version: str, token: bool, fused: Upstream, serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = through(serve, token, fused)
    direct = Published(version, fused.url, tmp_path, token="upstream-token")
    ours = Published(version, f"{served.url}/server/v1", tmp_path, token=TOKEN if token else "anything")
    expected, found = direct.do(*FINISHED), ours.do(*FINISHED)
    assert found[:-1] == expected[:-1]
    succeeded(found[:-1])
    assert len(found[1]["result"]) == 44 and len(found[2]["result"]) == 2
    assert found[-1]["error"] is not None and "no-such-job" in found[-1]["error"][1]


@pytest.mark.parametrize("token", [False, True], ids=["open", "token"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_running_job_is_followed_and_cancelled(
    version: str, token: bool, fused: Upstream, serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = through(serve, token, fused)
    job = fused.job("live")
    job.lines(1, 3, AT, 10)
    fused.job("doomed").lines(1, 3, AT, 10)
    client = Published(
        version, f"{served.url}/server/v1", tmp_path, token=TOKEN if token else "anything", scheme="Bearer"
    )
    ticker = Ticker(fused, job, 20)
    outcomes = succeeded(
        client.do(
            step("until_line", "live", "tick 3"),
            step("tail_logs", "live", refresh_seconds=0.1, sample_logs=False, timeout=60),
            step("wait_for_job", "live", poll_interval_seconds=0.1, timeout=60),
            step("cancel_job", "doomed"),
            step("wait_for_job", "doomed", poll_interval_seconds=0.1, timeout=60),
            step("cancel", "live"),
        )
    )
    ticker.stop()
    assert outcomes[1]["printed"].startswith("Logs for: live\n") and "tick" in outcomes[1]["printed"]
    assert outcomes[2]["result"]["terminal_status"] is True
    assert outcomes[3]["result"]["status"] == "terminated"
    assert fused.requests["cancel"] == 1


class Ticker:
    """Writes a line to the job every moment, once somebody asks for its log, and ends it after `count` lines."""

    def __init__(self, fused: Upstream, job: Job, count: int) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, args=(fused, job, count), daemon=True)
        self._thread.start()

    def _tick(self, fused: Upstream, job: Job, count: int) -> None:
        until(lambda: fused.requests["logs"] or self._over.is_set(), "somebody to ask", 60)
        for number in range(count):
            job.log(f"tick {number}\n")
            if self._over.wait(0.15):
                break
        job.finish()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(10)


@pytest.mark.parametrize("token", [False, True], ids=["open", "token"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_job_of_this_machine_is_a_job_like_any(
    version: str, token: bool, serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = through(serve, token)
    done = served.run("sh", "-c", "echo one; echo '  two'; seq 3 2000", name="named")
    live, runner = served.begin("sh", "-c", "echo begun; sleep 600")
    client = Published(version, f"{served.url}/server/v1", tmp_path, token=TOKEN if token else "anything")
    outcomes = succeeded(
        client.do(
            step("get_status", done),
            step("get_logs", done),
            step("print_logs", done),
            step("get_exec_time", done),
            step("tail_logs", done, refresh_seconds=0.1, timeout=20),
            step("wait_for_job", done, timeout=20),
            step("get_job_config", done),
            step("get_jobs", 5),
            step("refresh", 5),
            step("until_line", live, "begun"),
            step("get_status", live),
            step("cancel_job", live),
            step("wait_for_job", live, poll_interval_seconds=0.1, timeout=60),
            step("refresh_status", live),
        )
    )
    runner.wait(20)
    results = [outcome["result"] for outcome in outcomes]
    assert results[0]["job_name"] == "named" and results[0]["terminal_status"] is True
    messages = [entry["message"] for entry in results[1]]
    assert messages == ["one\n", "  two\n", *(f"{n}\n" for n in range(3, 2001))]
    assert {"timestamp", "message", "stream"} == set(results[1][0])
    assert results[2].splitlines()[:3] == ["one", "two", "3"]
    assert outcomes[4]["printed"].startswith(f"Logs for: {done}\nJob is not running")
    assert results[6]["steps"][0]["type"] == "udf" and "seq 3 2000" in results[6]["steps"][0]["udf"]["code"]
    assert [job["id"] for job in results[7]["jobs"]] == [live, done]
    assert results[8]["same"] is True and results[8]["before"] == 2
    assert results[10]["status"] == "running" and results[12]["terminal_status"] is True


@pytest.mark.parametrize("scheme", ["Fused-Rtenv-Bearer", "Bearer"])
def test_a_wrong_token_is_refused_in_words(scheme: str, serve: Callable[..., Served], tmp_path: Path) -> None:
    served = through(serve, True)
    job = served.run("echo", "hello")
    base = f"{served.url}/server/v1"
    refused = Published("2.9.5", base, tmp_path, token="wrong", scheme=scheme).do(
        step("get_status", job), step("get_logs", job), step("get_jobs"), step("get_job_config", job)
    )
    assert all(outcome["error"][0] == "HTTPError" and "sign in" in outcome["error"][1] for outcome in refused)
