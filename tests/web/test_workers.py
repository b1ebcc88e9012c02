"""Several processes on one socket, and a socket that outlives the process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from ..served import Served, environment, until
from ..sse import EventStream

# As systemd starts a service whose socket it has opened.
GIVEN = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "webapp", "serve"])
"""
linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")


def children(process: int) -> set[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return {int(child) for child in text.split()}


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@linux
def test_a_worker_that_dies_is_started_again_and_its_viewers_go_on(serve: Callable[..., Served]) -> None:
    served = serve(workers=2)
    before = children(served.process.pid)
    assert len(before) == 2
    job, runner = served.begin("sh", "-c", "for n in $(seq 40); do echo line $n; sleep 0.1; done")
    seen: list[str] = []
    last, killed = "", 0
    while True:
        try:
            with EventStream(
                f"{served.url}/api/jobs/{job}/events?sample_logs=false&refresh_seconds=0.1",
                headers={"Last-Event-ID": last} if last else {},
            ) as stream:
                for event in stream:
                    last = event.id or last
                    if event.name in ("message", "") and "message" in event.data:
                        seen.append(event.data["message"])
                    if len(seen) >= 5 and not killed:
                        killed = 1
                        for worker in before:
                            os.kill(worker, signal.SIGKILL)
                    if event.name == "done":
                        assert seen == [f"line {n}" for n in range(1, 41)]
                        assert runner.wait(30) == 0
                        after = until(lambda: len(children(served.process.pid)) == 2 and children(served.process.pid))
                        assert not before & after
                        return
        except (OSError, ValueError, AssertionError):
            if not killed:
                raise
            time.sleep(0.05)


@linux
def test_workers_stop_together_and_tell_their_viewers(serve: Callable[..., Served]) -> None:
    served = serve(workers=2)
    workers = children(served.process.pid)
    job, runner = served.begin("sleep", "60")
    streams = [EventStream(f"{served.url}/api/jobs/{job}/events") for _ in range(6)]
    try:
        for stream in streams:
            assert next(iter(stream)).name == "status"
        assert served.stop() == 0
        for stream in streams:
            assert "bye" in [event.name for event in stream]
        assert not any(map(alive, workers))
    finally:
        for stream in streams:
            stream.close()
        runner.kill()
        runner.wait()
    assert "Traceback" not in served.output


@linux
def test_workers_whose_parent_is_killed_end_too(serve: Callable[..., Served]) -> None:
    served = serve(workers=2)
    workers = children(served.process.pid)
    served.kill()
    until(lambda: not any(map(alive, workers)), "the workers to end")


@linux
def test_no_connection_is_refused_while_a_service_with_a_given_socket_is_restarted(tmp_path: Path) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        port = listening.getsockname()[1]
        env = environment({"data_dir": tmp_path / "data", "port": port})

        def start() -> subprocess.Popen[str]:
            given = [sys.executable, "-c", GIVEN, str(listening.fileno())]
            return subprocess.Popen(
                given, env=env, cwd=tmp_path, text=True, pass_fds=[listening.fileno()],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip

        process = start()
        url = f"http://127.0.0.1:{port}/healthz"
        with httpx.Client(trust_env=False, timeout=30) as http:
            assert http.get(url).status_code == 200
        for _ in range(2):
            process.terminate()
            assert process.wait(20) == 0
            process = start()
            with httpx.Client(trust_env=False, timeout=30) as http:  # it waits in the socket's queue
                assert http.get(url).status_code == 200
        process.terminate()
        assert process.wait(20) == 0


def test_more_workers_than_are_sensible_are_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "webapp", "serve"], capture_output=True, text=True, timeout=60, cwd=tmp_path,
        env=environment({"workers": "0", "data_dir": tmp_path}),
    )  # fmt: skip
    assert done.returncode == 2 and "JOBTAIL_WORKERS holds '0'" in done.stderr
