"""How a job of this machine is ended from outside, and what is seen when its runner is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..served import environment, spawn, until
from .kept import catalog_of, journal_of, newest


@contextmanager
def running(data_dir: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A job that has written its first line."""
    with spawn(
        "run", "--", *command, settings={"data_dir": data_dir}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as runner:
        assert runner.stdout is not None
        try:
            assert runner.stdout.readline() == b"ready\n"
            yield runner
        finally:
            runner.kill()


def cancel(data_dir: Path, who: str = "ada") -> str:
    with catalog_of(data_dir) as catalog:
        job = catalog.newest(1)[0].id
        catalog.request_cancel(job, who)
        return job


def gone(pid: int) -> bool:
    """A zombie has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_another_process_cancels_it(data_dir: Path) -> None:
    with running(data_dir, "sh", "-c", "echo ready; exec sleep 60") as runner:
        cancel(data_dir)
        assert runner.wait(30) == 143
    job = newest(data_dir)
    assert (job.state, job.exit_code, job.detail) == ("Canceled", 143, "cancelled by ada")
    with journal_of(data_dir, job.id) as journal:
        state = journal.state()
    assert state.finished and state.status is not None and state.status["job_status"] == "Canceled"


def test_cancelling_ends_the_whole_process_group(data_dir: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! >{pids}; sleep 60 & echo $! >>{pids}; echo ready; wait"
    with running(data_dir, "sh", "-c", script) as runner:
        cancel(data_dir)
        runner.wait(30)
    for pid in pids.read_text().split():
        until(lambda pid=pid: gone(int(pid)), "its children to end")


def test_what_ignores_the_request_is_killed_after_the_grace(data_dir: Path) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    code = (
        "import sys; from webapp.engine.runner import Options, run; from webapp.settings import load_settings;"
        f"sys.exit(run(['sh', '-c', {script!r}], Options(grace=0.3), load_settings()))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment({"data_dir": data_dir}), stdout=subprocess.PIPE
    ) as runner:
        assert runner.stdout is not None and runner.stdout.readline() == b"ready\n"
        cancel(data_dir)
        assert runner.wait(30) == 137
    assert newest(data_dir).state == "Canceled"


def test_a_command_that_tidies_up_exits_with_its_own_code(data_dir: Path) -> None:
    with running(
        data_dir, "sh", "-c", "trap 'echo tidy; exit 7' TERM; echo ready; while :; do sleep 0.1; done"
    ) as runner:
        cancel(data_dir)
        assert runner.wait(30) == 7
        assert runner.stdout is not None and runner.stdout.read() == b"tidy\n"
    job = newest(data_dir)
    assert (job.state, job.exit_code) == ("Canceled", 7)


@pytest.mark.parametrize(
    ("number", "who"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")]
)
def test_a_signal_to_the_runner_cancels_the_job(data_dir: Path, number: int, who: str) -> None:
    with running(data_dir, "sh", "-c", "echo ready; exec sleep 60") as runner:
        runner.send_signal(number)
        _, err = runner.communicate(timeout=30)
    assert runner.returncode == 128 + number and b"Traceback" not in err
    job = newest(data_dir)
    assert (job.state, job.detail) == ("Canceled", f"cancelled by {who}")
    with catalog_of(data_dir) as catalog:
        assert [entry.who for entry in catalog.cancels(job.id)] == [who]


def test_a_second_ctrl_c_kills_it(data_dir: Path) -> None:
    with running(data_dir, "sh", "-c", "trap 'echo no' INT; echo ready; while :; do sleep 0.1; done") as runner:
        runner.send_signal(signal.SIGINT)
        assert runner.stdout is not None and runner.stdout.readline() == b"no\n"
        runner.send_signal(signal.SIGINT)
        assert runner.wait(30) == 137


def test_one_that_had_ended_stays_as_it_was(data_dir: Path) -> None:
    with running(data_dir, "echo", "ready") as runner:
        assert runner.wait(30) == 0
    cancel(data_dir)
    assert newest(data_dir).state == "Done"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
def test_a_killed_runner_takes_its_command_along_and_is_seen_as_lost(data_dir: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with running(data_dir, "sh", "-c", f"echo $$ >{pid}; echo ready; exec sleep 60") as runner:
        os.kill(runner.pid, signal.SIGKILL)
        runner.wait(30)
        until(lambda: gone(int(pid.read_text())), "the command to end")
        job = until(lambda: (found := newest(data_dir)).ended and found, "the loss to be seen", 15)
    assert (job.state, job.detail, job.lost) == ("Failed", "its runner was lost", True)
