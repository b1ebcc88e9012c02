"""Jobs that are reported to a service elsewhere: what they write, and whether all of it arrived."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from ..served import Served, environment, spawn

RUN = "run-8f3b2a7c9d1e4f60"
ACCESS = "sesame-0f6b1c7e9a5d4832"
OWNER = {"Authorization": f"Bearer {ACCESS}"}
COUNT = """import sys, time
for n in range({n}):
    print(n, flush=True)
    print('e', n, file=sys.stderr, flush=True)
    time.sleep({pause})
sys.exit({code})"""


def elsewhere(tmp_path: Path, url: str) -> dict[str, object]:
    """Settings of a machine that is not the service's."""
    return {"data_dir": tmp_path / "elsewhere", "token": RUN, "run_to": url}


def outbox(tmp_path: Path) -> list[Path]:
    """What is left of jobs that were not sent in full."""
    return sorted((tmp_path / "elsewhere" / "outbox").glob("*/*"))


def count(n: int, pause: float = 0.0, code: int = 0) -> tuple[str, ...]:
    """A command that writes numbered lines to both streams."""
    return (sys.executable, "-c", COUNT.format(n=n, pause=pause, code=code))


def python(code: str, settings: dict[str, object], **how: Any) -> subprocess.CompletedProcess[str]:
    how = {"capture_output": True, "text": True, "timeout": 60, "env": environment(settings), **how}
    return subprocess.run([sys.executable, "-c", code], check=False, **how)


def begin(tmp_path: Path, url: str, *command: str, **how: Any) -> tuple[str, subprocess.Popen[bytes]]:
    """A runner that runs on, and its job."""
    runner = spawn(
        "run", *how.pop("options", ()), "--", *command, settings=how.pop("settings", elsewhere(tmp_path, url)),
        **{"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **how},
    )  # fmt: skip
    assert runner.stderr is not None
    return job_of(runner.stderr.readline().decode()), runner


def job_of(stderr: str) -> str:
    return stderr.split("/jobs/", 1)[1].split()[0]


def lines(service: Served, job: str) -> list[dict[str, Any]]:
    """All of them, or none where the service does not have the job or does not answer."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["id"] if found else ""
        answer = service.get(f"/api/jobs/{job}/logs?limit=10000&after={after}", headers=OWNER)
        part = answer.json() if answer.status_code == 200 else []
        found += part
        if len(part) < 10_000:
            return found


def messages(service: Served, job: str, stream: str = "stdout") -> list[str]:
    return [line["message"] for line in lines(service, job) if line["stream"] == stream]


def status(service: Served, job: str) -> dict[str, Any]:
    found: dict[str, Any] = service.get(f"/api/jobs/{job}", headers=OWNER).json()
    return found


def check(service: Served, job: str, n: int) -> None:
    """Each line once, and in order for each stream."""
    found = lines(service, job)
    for stream, form in (("stdout", "{}"), ("stderr", "e {}")):
        assert [line["message"] for line in found if line["stream"] == stream] == [form.format(k) for k in range(n)]
