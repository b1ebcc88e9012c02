"""How the service starts, refuses to start, and ends."""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ..served import Served, jobtail, spawn, until


def test_it_says_where_it_is_and_how_to_start_a_job(serve: Callable[..., Served]) -> None:
    served = serve()
    until(lambda: "jobtail run -- CMD" in served.output, "how to start a job")
    assert served.get("/healthz").status_code == 200
    served.run("true")
    assert "jobtail run" not in served.restart().output.rpartition("serves on")[2]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"port": "abc"}, "JOBTAIL_PORT holds 'abc'"),
        ({"host": "0.0.0.0"}, "JOBTAIL_HOST is '0.0.0.0'"),
        ({"host": "no.such.host.invalid", "access_token": "t" * 20}, "JOBTAIL_HOST holds 'no.such.host.invalid'"),
        ({"upstream_url": "nonsense"}, "JOBTAIL_UPSTREAM_URL holds 'nonsense'"),
        ({"trusted_user_header": "X-User"}, "JOBTAIL_TRUSTED_PROXIES"),
        ({"redact": "("}, "is no RE2 expression"),
        ({"refresh_seconds": "0"}, "JOBTAIL_REFRESH_SECONDS holds '0'"),
        ({"data_dir": "/dev/null/x"}, "/dev/null/x"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    done = jobtail("serve", settings={"port": 0, "data_dir": tmp_path, **settings}, cwd=tmp_path)
    assert done.returncode not in (0, -signal.SIGKILL)
    assert says in done.stderr and done.stderr.count("\n") == 1


def test_too_few_descriptors_stop_the_start_with_one_line_and_doctor_says_so(tmp_path: Path) -> None:
    few = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (100, 100))
    settings = {"port": 0, "data_dir": tmp_path / "data"}
    done = jobtail("serve", settings=settings, cwd=tmp_path, preexec_fn=few)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "may have 100 files open, and the service needs 128 at least: raise the limit" in done.stderr
    done = jobtail("doctor", settings=settings, cwd=tmp_path, preexec_fn=few)
    assert done.returncode == 1 and "bad  open files: at most 100" in done.stdout
    more = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (100, 4096))  # the service raises that itself
    done = jobtail("doctor", settings=settings, cwd=tmp_path, preexec_fn=more)
    assert "ok   open files: at most 4096" in done.stdout


def test_a_secret_that_is_wrong_is_not_shown(tmp_path: Path) -> None:
    done = jobtail("serve", "--max-viewers", "0", settings={"access_token": "hunter2hunter2", "data_dir": tmp_path})
    assert done.returncode == 2 and "JOBTAIL_MAX_VIEWERS holds '0'" in done.stderr and "hunter2" not in done.stderr


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = jobtail("serve", "--port", str(port), settings={"data_dir": tmp_path}, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port} can't be listened on: Address already in use" in done.stderr


def test_a_flag_wins_over_the_environment_and_that_over_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("JOBTAIL_MAX_VIEWERS=file\nJOBTAIL_RETENTION_DAYS=file\nJOBTAIL_PORT=file\n")
    settings = {"max_viewers": "variable", "port": "variable", "data_dir": tmp_path}
    done = jobtail("serve", "--port", "flag", settings=settings, cwd=tmp_path)
    for held in (
        "JOBTAIL_PORT holds 'flag'",
        "JOBTAIL_MAX_VIEWERS holds 'variable'",
        "JOBTAIL_RETENTION_DAYS holds 'file'",
    ):
        assert held in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_tells_its_viewers_first(serve: Callable[..., Served], number: int) -> None:
    served = serve()
    job, runner = served.begin("sh", "-c", "echo one; sleep 60")
    url = f"{served.url}/api/jobs/{job}/events"
    try:
        with subprocess.Popen(["curl", "-sSN", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as viewer:
            assert viewer.stdout is not None and viewer.stderr is not None
            while b'"one"' not in viewer.stdout.readline():
                pass
            begun = time.monotonic()
            served.process.send_signal(number)
            rest = viewer.stdout.read()
            assert viewer.wait(20) == 0 and viewer.stderr.read() == b""
        assert b"event: bye" in rest
        assert served.process.wait(20) == 0
        assert time.monotonic() - begun < 20
        assert "Traceback" not in served.output
    finally:
        runner.terminate()
        runner.wait()


def test_two_services_and_a_runner_share_one_data_folder(serve: Callable[..., Served]) -> None:
    first, second = serve(), serve()
    job = first.run("sh", "-c", "echo one; echo two")
    one = first.get(f"/api/jobs/{job}/logs").json()
    two = second.get(f"/api/jobs/{job}/logs").json()
    assert [line["message"] for line in one] == ["one", "two"] and one == two


def test_a_job_whose_runner_was_killed_is_seen_as_lost(serve: Callable[..., Served]) -> None:
    served = serve()
    job, runner = served.begin("sh", "-c", "echo one; sleep 60")
    until(lambda: served.get(f"/api/jobs/{job}/logs").json(), "its line")
    runner.kill()
    runner.wait()
    status = served.get(f"/api/jobs/{job}/wait", params={"timeout": 20}).json()
    assert (status["job_status"], status["detail"]) == ("Failed", "its runner was lost")
    with spawn("tail", job, settings={"url": served.url}, stdout=subprocess.PIPE) as tail:
        assert tail.communicate(timeout=30)[0].startswith(b"one\n") and tail.returncode == 1


def test_a_job_is_cancelled_through_the_service(serve: Callable[..., Served]) -> None:
    served = serve()
    job, runner = served.begin("sleep", "60")
    answer = served.post(f"/api/jobs/{job}/cancel")
    assert answer.status_code == 202 and answer.json()["job_status"] == "Canceling"
    assert runner.wait(30) == 143
    assert served.post(f"/api/jobs/{job}/cancel").status_code == 200
