"""The job of `make demo`, cut short, and the demo as a whole."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from .served import environment, until

SCRIPTS = Path(__file__).parent.parent / "scripts"


def test_its_job_does_real_work_and_comes_to_an_end() -> None:
    command = [sys.executable, SCRIPTS / "demo_job.py", "--seconds", "30"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert '"event": "report"' in done.stdout and done.stdout.count("::group::") >= 4
    assert "INFO finished after" in done.stderr and " DEBUG " in done.stderr


def test_the_demo_serves_a_running_job_until_ctrl_c(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = environment({"data_dir": "data", "port": port})
    # What is meant for a client or another service, and another's `.env`.
    env |= {"JOBTAIL_URL": "http://127.0.0.1:1", "JOBTAIL_TOKEN": "t", "JOBTAIL_ACCESS_TOKEN": "secret" * 4}
    env |= {"JOBTAIL_PUBLIC_URL": "https://logs.example", "JOBTAIL_UPSTREAM_URL": "http://127.0.0.1:1"}
    (tmp_path / ".env").write_text("JOBTAIL_REFRESH_SECONDS=often\nJOBTAIL_ACCESS_TOKEN=secretsecretsecret\n")
    with subprocess.Popen(
        [sys.executable, SCRIPTS / "demo.py"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        said: list[str] = []
        until(lambda: said.append(demo.stdout.readline()) or "Ctrl-C" in said[-1], "the demo to say all")
        (link,) = [line.split()[-1] for line in said if "A job runs" in line]
        assert link.startswith(f"http://127.0.0.1:{port}/jobs/2")
        again = subprocess.run(
            [sys.executable, SCRIPTS / "demo.py"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert again.returncode == 1 and "something listens at" in again.stderr
        assert (tmp_path / "data").is_dir()
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait(60) == 0
    with socket.socket() as closed:
        assert closed.connect_ex(("127.0.0.1", port)) != 0
