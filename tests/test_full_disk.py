"""The service on a disk that fills up: said everywhere, met before it is full, and over once there is room."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .disk import MB, SmallDisk, small_disk
from .served import Served, jobtail, until

RUN = "run-0123456789abcdef"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


@pytest.fixture
def served(disk: SmallDisk) -> Iterator[Served]:
    (disk.folder / "data").mkdir()
    service = Served({"data_dir": disk.folder / "data", "run_token": RUN, "log_format": "json"})
    yield service
    service.stop()


def earlier(served: Served, name: str) -> str:
    """A job of an hour ago."""
    where = {"data_dir": served.data_dir, "port": served.settings["port"]}
    done = jobtail("run", "--name", name, "--", "sh", "-c", "seq 200000", settings=where)
    job = done.stderr.split("/jobs/", 1)[1].split()[0]
    for path in (served.data_dir / "jobs").glob("*.sqlite3"):
        db = sqlite3.connect(path)
        (held,) = db.execute("SELECT job FROM state").fetchone()
        if held == job:
            db.execute("UPDATE state SET changed_ms = changed_ms - 3600000")
            db.commit()
        db.close()
        if held == job:
            os.utime(path, (time.time() - 3600,) * 2)
    return job


def metric(served: Served, name: str) -> float:
    lines = [line for line in served.get("/metrics").text.splitlines() if line.startswith(f"jobtail_{name}{{")]
    return sum(float(line.split()[-1]) for line in lines)


def test_a_disk_that_is_nearly_full_is_said_everywhere_and_old_jobs_go(disk: SmallDisk, served: Served) -> None:
    old = earlier(served, "old")
    served.start()
    assert served.get("/readyz").json() == {"status": "ok"}
    assert metric(served, "disk_free_bytes") > metric(served, "disk_reserve_bytes") > 3_000_000
    disk.leave(2 * MB)
    until(lambda: old not in served.get("/api/jobs").text, "the old job to be forgotten", 60)
    assert metric(served, "journals_forgotten_total") == 1
    said = [json.loads(line) for line in served.output.splitlines() if "oldest finished jobs" in line]
    assert len(said) == 1 and said[0]["level"] == "warning"
    disk.leave(2 * MB)
    assert "oldest finished jobs are forgotten" in served.get("/readyz").json()["warning"]
    looked = jobtail("doctor", "--url", served.url, settings={"data_dir": served.data_dir})
    assert re.search(r"^look +disk: ", looked.stdout, re.MULTILINE) and "journal prune" in looked.stdout
    disk.clear()
    until(lambda: "room enough" in served.output, "the log to say so", 60)


def test_a_disk_that_is_full_takes_no_lines_and_misses_none_once_there_is_room(
    disk: SmallDisk, served: Served
) -> None:
    served.start()
    job, runner = served.begin("sh", "-c", "echo before; read go; echo meanwhile; read go; echo after", stdin=-1)
    assert runner.stdin is not None and runner.stderr is not None
    until(lambda: "before" in served.get(f"/api/jobs/{job}/logs").text, "the first line", 60)
    disk.leave(MB // 2)
    runner.stdin.write(b"\n")
    runner.stdin.flush()
    assert b"no new lines are taken" in runner.stderr.readline()
    assert served.get("/readyz").status_code == 503
    assert "no new lines are taken" in served.get("/readyz").json()["reason"]
    until(lambda: "no new lines are taken" in served.get(f"/jobs/{job}").text, "the page to say so", 60)
    assert "no new lines are taken" in served.get("/").text
    assert not list((served.data_dir / "backlog").glob("*.ndjson"))

    pushed = f"{served.url}/api/jobs/pushed"
    producer = {"Authorization": f"Bearer {RUN}", "Producer-Id": "p", "Producer-Epoch": "0", "Producer-Seq": "0"}
    begun = httpx.put(pushed, headers=producer, json={"name": "pushed", "host": "gpu-7", "user": "ada"}, timeout=30)
    assert begun.is_success, begun.text
    fed = {**producer, "Authorization": f"Bearer {begun.json()['grant']}"}
    lines = {"lines": [{"timestamp": 1_700_000_000_000, "message": "pushed", "stream": "stdout"}]}
    refused = httpx.post(f"{pushed}/lines", headers=fed, json=lines, timeout=30)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30"), refused.text
    looked = jobtail("doctor", "--url", served.url, settings={"data_dir": served.data_dir})
    assert looked.returncode == 1 and re.search(r"^bad +disk: ", looked.stdout, re.MULTILINE)

    disk.clear()
    runner.stdin.write(b"\n")
    runner.stdin.close()
    assert runner.wait(60) == 0
    text = until(
        lambda: (found := served.get(f"/api/jobs/{job}/logs?format=text").text).count("\n") == 3 and found,
        "all lines",
        60,
    )
    assert text == "before\nmeanwhile\nafter\n"
    assert httpx.post(f"{pushed}/lines", headers=fed, json=lines, timeout=30).is_success
    assert "Traceback" not in served.output
