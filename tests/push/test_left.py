"""What a runner could not send, and who sends it later."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from ..served import Served, jobtail, spawn, until
from .reported import (
    ACCESS,
    OWNER,
    RUN,
    begin,
    check,
    count,
    elsewhere,
    job_of,
    lines,
    messages,
    outbox,
    status,
)  # fmt: skip


def left(service: Served, tmp_path: Path, n: int, **settings: object) -> str:
    """A job whose lines and end wait in the outbox, since the service was away."""
    service.stop()
    done = jobtail(
        "run", "--linger", "0", "--", *count(n, code=7), settings=elsewhere(tmp_path, service.url) | settings
    )
    assert done.returncode == 7 and f"{2 * n} lines stay in" in done.stderr, done.stderr
    service.start()
    return job_of(done.stderr)


def test_two_who_push_at_once_send_each_line_once(service: Served, tmp_path: Path) -> None:
    job = left(service, tmp_path, 500)
    service.process.send_signal(signal.SIGSTOP)  # so that the first can't be done before the others look
    pushes = [spawn("push", settings=elsewhere(tmp_path, service.url), stderr=subprocess.PIPE) for _ in range(3)]
    until(lambda: sum(push.poll() is not None for push in pushes) == 2)
    service.process.send_signal(signal.SIGCONT)
    said = [push.communicate(timeout=60)[1].decode() for push in pushes]
    assert [push.returncode for push in pushes] == [0, 0, 0], said
    assert sum("all are there" in each for each in said) == 1
    assert sum("another push, sends it" in each for each in said) == 2
    check(service, job, 500)
    assert status(service, job)["exit_code"] == 7 and not outbox(tmp_path)


def test_a_push_that_is_killed_is_gone_on_with(service: Served, tmp_path: Path) -> None:
    job = left(service, tmp_path, 15_000)
    push = spawn("push", settings=elsewhere(tmp_path, service.url), stderr=subprocess.DEVNULL)
    until(lambda: service.get(f"/api/jobs/{job}/logs?limit=1", headers=OWNER).text.startswith("[{"))
    push.kill()
    push.wait()
    assert jobtail("push", settings=elsewhere(tmp_path, service.url)).returncode == 0
    check(service, job, 15_000)
    assert status(service, job)["exit_code"] == 7 and not outbox(tmp_path)


def test_a_grant_that_has_ended_is_replaced_by_the_token(service: Served, tmp_path: Path) -> None:
    settings = elsewhere(tmp_path, service.url)
    job, runner = begin(tmp_path, service.url, "sh", "-c", "echo one; sleep 60", start_new_session=True)
    until(lambda: messages(service, job) == ["one"])
    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
    service.stop()
    service.settings["secret_key"] = "another-key-0123456789abcdef0123456789abcdef"
    service.start()
    assert jobtail("push", settings=settings | {"token": ""}).returncode == 1
    pushed = jobtail("push", settings=settings)
    assert pushed.returncode == 0, pushed.stderr
    assert status(service, job)["detail"] == "its runner was lost" and messages(service, job) == ["one"]


def test_what_came_by_a_token_that_was_taken_out_is_pushed_by_an_owner_alone(service: Served, tmp_path: Path) -> None:
    settings = elsewhere(tmp_path, service.url)
    job, runner = begin(
        tmp_path, service.url, "sh", "-c", "echo one; read x; seq 100", stdin=subprocess.PIPE, options=("--linger", "0")
    )
    until(lambda: messages(service, job) == ["one"])
    service.stop()
    runner.communicate(b"\n", timeout=60)
    service.settings["run_token"] = "ci=run-another-9d1e4f60"
    service.start()
    for token, says in ((RUN, "sign in"), ("run-another-9d1e4f60", "which another runner began")):
        refused = jobtail("push", settings=settings | {"token": token})
        assert refused.returncode == 1 and says in refused.stderr, refused.stderr
    pushed = jobtail("push", settings=settings | {"token": ACCESS})
    assert pushed.returncode == 0, pushed.stderr
    assert messages(service, job) == ["one", *(str(n) for n in range(1, 101))] and not outbox(tmp_path)
    assert status(service, job)["exit_code"] == 0 and status(service, job)["user"].endswith("(ci)")


def test_whoever_waits_for_the_rest_is_told_for_how_long_and_ctrl_c_ends_the_wait(
    service: Served, tmp_path: Path
) -> None:
    service.stop()
    job, runner = begin(tmp_path, service.url, *count(3, code=5), options=("--linger", "60"))
    assert runner.stderr is not None
    told = "6 lines are still to be sent: for 60 s at most, or till Ctrl-C"
    while told not in (line := runner.stderr.readline().decode()):
        assert line
    runner.send_signal(signal.SIGINT)
    _, err = runner.communicate(timeout=60)
    assert runner.returncode == 5
    folder = tmp_path / "elsewhere" / "outbox" / job
    assert f"6 lines stay in {folder}: jobtail push sends what is there" in err.decode(), err
    service.start()
    assert jobtail("push", settings=elsewhere(tmp_path, service.url)).returncode == 0
    check(service, job, 3)
    assert status(service, job)["exit_code"] == 5


def test_what_was_left_is_pushed_though_the_service_threw_the_job_away(service: Served, tmp_path: Path) -> None:
    job, runner = begin(
        tmp_path, service.url, "sh", "-c", "seq 100; read x; seq 100 150", stdin=subprocess.PIPE,
        options=("--linger", "0"),
    )  # fmt: skip
    until(lambda: len(lines(service, job)) == 100)
    service.stop()
    runner.communicate(b"\n", timeout=60)
    for path in service.data_dir.rglob("*"):  # another service, or one that was set up anew
        if path.is_file() and path.name != "secret_key":
            path.unlink()
    service.start()
    pushed = jobtail("push", settings=elsewhere(tmp_path, service.url))
    assert pushed.returncode == 0, pushed.stderr
    assert messages(service, job) == [str(n) for n in range(100, 151)]
    gaps = service.get(f"/api/jobs/{job}/overview", headers=OWNER).json()["gaps"]
    assert gaps == [{"after": 0, "reason": "trimmed", "count": 100}]


def test_a_disk_that_takes_nothing_costs_no_line_while_the_service_is_there(service: Served, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.write_text("a file where the data folder should be")
    done = jobtail("run", "--", *count(200, code=3), settings=elsewhere(tmp_path, service.url))
    assert done.returncode == 3 and done.stderr.count("nothing can be kept on this machine") == 1, done.stderr
    job = job_of(done.stderr)
    check(service, job, 200)
    assert status(service, job)["exit_code"] == 3


@pytest.mark.parametrize("linger", ["0", "0.5"])
def test_what_no_disk_takes_and_no_service_is_said_to_be_lost(service: Served, tmp_path: Path, linger: str) -> None:
    service.stop()
    (tmp_path / "elsewhere").write_text("a file where the data folder should be")
    done = jobtail("run", "--linger", linger, "--", *count(20), settings=elsewhere(tmp_path, service.url))
    assert done.returncode == 0 and done.stdout.split() == [str(k) for k in range(20)]
    assert "40 lines" in done.stderr and "could not be" in done.stderr and "Traceback" not in done.stderr, done.stderr
    service.start()


def test_what_is_left_is_for_its_owner_alone(service: Served, tmp_path: Path) -> None:
    left(service, tmp_path, 3)
    found = list((tmp_path / "elsewhere").rglob("*"))
    assert not [path for path in found if path.name != "outbox" and stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert RUN not in "".join(path.read_text() for path in found if path.is_file())
