"""The embedded engine: how long a line takes from a command's own clock to a viewer."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time

from process import LOAD_CPU, pinned, stop
from servers import JOBTAIL, Jobtail
from table import Row

CLOCK = """
import time
for _ in range({lines}):
    print(time.time_ns() // 1000, flush=True)
    time.sleep(0.037)
"""


def measure(quick: bool) -> list[Row]:
    lines = 60 if quick else 300
    with Jobtail(None) as jobtail:
        command = [JOBTAIL, "run", "--", sys.executable, "-c", CLOCK.format(lines=lines)]
        runner = subprocess.Popen(
            pinned(LOAD_CPU, command), env=jobtail.environment, text=True, stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        assert runner.stderr
        link = next(line for line in runner.stderr if "/jobs/" in line)
        job = link.rsplit("/jobs/", 1)[1].split()[0]
        taken = followed(jobtail.port, job)
        stop(runner)
    slow = statistics.quantiles(taken, n=20)[-1]
    return [
        Row(
            "a command's line to its viewer (`jobtail run`): p95 under 300 ms",
            f"p50 {statistics.median(taken):.0f} ms, p95 {slow:.0f} ms, {len(taken)} of {lines} lines",
            "",
            "",
            slow < 300 and len(taken) == lines,
        )
    ]


def followed(port: int, job: str) -> list[float]:
    """Milliseconds of each line that was written after the viewer came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/api/jobs/{job}/events?sample_logs=false&refresh_seconds=0.1")
    answer = connection.getresponse()
    taken = []
    while line := answer.readline():
        if line.startswith(b'data: {"id":"'):
            age = time.time() * 1000 - int(json.loads(line[6:])["message"]) / 1000
            taken.append(age)
        elif line.startswith(b"event: done"):
            break
    connection.close()
    return taken
