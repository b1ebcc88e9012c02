"""Jobs that run elsewhere are reported to several processes at once: each request reaches whichever the balancer
picks, processes die in between, and every line is there once, in order, under one id everywhere."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import free_port
from tests.served import Served, jobtail, spawn, until

RUN = "run-3c9e5a7b1d2f4680"
TOKEN = "the-owner-of-this-test-0123456789"
OWNER = {"Authorization": f"Bearer {TOKEN}"}
COUNT = "import sys, time\nfor n in range({n}):\n    print(n, flush=True)\n    time.sleep({pause})\nsys.exit(3)"
LINES, RUNNERS = 120, 3
BALANCER = """
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  retries 2
  option redispatch
listen replicas
  bind 127.0.0.1:{port}
  balance roundrobin
  http-reuse never
{servers}
"""


@pytest.fixture
def balanced(tmp_path: Path) -> Iterator[Callable[[list[Served]], str]]:
    """The address of HAProxy, which sends each request to the next replica."""
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    if not Path(program).exists():
        pytest.skip("HAProxy is not here: sudo apt install haproxy")
    running: list[subprocess.Popen[bytes]] = []

    def start(services: list[Served]) -> str:
        port, settings = free_port(), tmp_path / "haproxy.cfg"
        servers = "\n".join(f"  server r{n} 127.0.0.1:{each.port}" for n, each in enumerate(services))
        settings.write_text(BALANCER.format(port=port, servers=servers))
        running.append(subprocess.Popen([program, "-db", "-f", settings], stdout=subprocess.DEVNULL, stderr=-3))
        return f"http://127.0.0.1:{port}"

    yield start
    for each in running:
        each.kill()
        each.wait()


def begun(url: str, folder: Path, number: int, *command: str) -> tuple[str, subprocess.Popen[bytes]]:
    settings = {"data_dir": folder / f"machine-{number}", "token": RUN, "run_to": url}
    runner = spawn("run", "--", *command, settings=settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert runner.stderr is not None
    return runner.stderr.readline().decode().split("/jobs/", 1)[1].split()[0], runner


def lines(service: Served, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get(f"/api/jobs/{job}/logs?limit=10000", headers=OWNER).json()
    return found


def ended(service: Served, job: str) -> dict[str, Any] | None:
    told: dict[str, Any] = service.get(f"/api/jobs/{job}", headers=OWNER).json()
    return told if told.get("finished_job_status") else None


@pytest.mark.parametrize("kind", ["replicas", "workers"])
def test_every_line_is_there_once_although_processes_die(
    kind: str,
    serve: Callable[..., Served],
    balanced: Callable[[list[Served]], str],
    request: pytest.FixtureRequest,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    settings: dict[str, object] = {"access_token": TOKEN, "run_token": f"ci={RUN}"}
    data_dir.mkdir()
    if kind == "replicas":
        settings["database_url"] = request.getfixturevalue("database")
        services = [serve(**settings) for _ in range(3)]
        url = balanced(services)
    else:
        services = [serve(workers=2, **settings)]
        url = services[0].url
    code = COUNT.format(n=LINES, pause=0.03)
    runners = [begun(url, tmp_path, number, sys.executable, "-c", code) for number in range(RUNNERS)]
    over = threading.Event()

    def kill() -> None:
        chance = random.Random(7)
        for _ in range(6):
            if over.wait(chance.uniform(0.3, 1.0)):
                return
            service = chance.choice(services)
            service.kill()
            service.start()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        ends = [runner.communicate(timeout=300) for _, runner in runners]
    finally:
        over.set()
        killer.join(120)
    # Where the services were away for longer than a runner lingers, what it left is sent as its last words say.
    for number in range(RUNNERS):
        jobtail("push", settings={"data_dir": tmp_path / f"machine-{number}", "token": RUN, "run_to": url}, timeout=120)
    assert [runner.returncode for _, runner in runners] == [3] * RUNNERS, ends
    for job, _ in runners:
        whole = lines(services[0], job)
        assert [line["message"] for line in whole] == [str(n) for n in range(LINES)], ends
        assert [lines(service, job) for service in services[1:]] == [whole] * (len(services) - 1)
        for service in services:
            told = until(lambda: ended(service, job), "its end to be known", 60)  # noqa: B023
            assert (told["job_status"], told["exit_code"]) == ("Failed", 3), (told, ends)


def test_a_cancel_at_one_replica_ends_a_job_that_reports_to_another(
    serve: Callable[..., Served], database: str, data_dir: Path, tmp_path: Path
) -> None:
    settings = {"access_token": TOKEN, "run_token": f"ci={RUN}", "database_url": database}
    data_dir.mkdir()
    first, second = serve(**settings), serve(**settings)
    job, runner = begun(first.url, tmp_path, 0, "sleep", "600")
    until(lambda: second.get(f"/api/jobs/{job}", headers=OWNER).status_code == 200, "the job to be known")
    assert second.post(f"/api/jobs/{job}/cancel", headers=OWNER).status_code in (200, 202)
    assert runner.wait(60) == 143
    until(
        lambda: first.get(f"/api/jobs/{job}", headers=OWNER).json()["job_status"] == "Canceled", "the end to be known"
    )
