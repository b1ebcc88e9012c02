"""What `jobtail run --to` costs a command, beside the local one and the command alone, and what many runners cost the
service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from process import LOAD_CPU
from servers import JOBTAIL, ROOT, Jobtail
from table import Row

RUNNERS, RATE = 200, 100
# Compiled again and again: much CPU, and a line now and then.
SOURCE = ROOT / "bench" / "load.c"
COMPILE = 'n=0; while [ $n -lt {times} ]; do n=$((n+1)); echo "cc $n"; cc -O2 -w -c {source} -o /dev/null; done'


def ran(command: list[str], folder: str) -> float:
    """Seconds until everything is where it belongs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JOBTAIL_")}
    environment["JOBTAIL_DATA_DIR"] = folder
    began = time.perf_counter()
    subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def measure(quick: bool) -> list[Row]:
    lines, times = (200_000, 10) if quick else (2_000_000, 40)
    rows = []
    with Jobtail(None) as service, tempfile.TemporaryDirectory() as folder:
        to = ["--to", f"http://127.0.0.1:{service.port}"]

        def ways(command: list[str]) -> tuple[float, float, float]:
            """Alone, under `run`, and under `run --to`."""
            run = [JOBTAIL, "run", "--quiet"]
            return tuple(ran([*how, *command], folder) for how in ([], [*run, "--"], [*run, *to, "--"]))  # type: ignore[return-value]

        bare, local, remote = ways(["seq", str(lines)])
        figure = f"{remote:.2f} s, {lines / remote:,.0f} lines a second until all are there"
        rows.append(Row(f"`jobtail run --to -- seq {lines}`", figure, f"local {local:.2f} s, bare {bare:.2f} s"))
        if shutil.which("cc") is not None:
            command = ["sh", "-c", COMPILE.format(times=times, source=SOURCE)]
            ran(command, folder)  # once, so that all read the compiler from memory
            # Each three times in turn, and the quickest of them: a machine is disturbed, never sped up.
            bare, local, remote = (min(taken) for taken in zip(*(ways(command) for _ in range(3)), strict=True))
            figure = f"{remote:.2f} s, {100 * (remote / bare - 1):.1f} % more than alone"
            beside = f"local {local:.2f} s ({100 * (local / bare - 1):.1f} %), bare {bare:.2f} s"
            rows.append(Row(f"`jobtail run --to`, {times} runs of the C compiler", figure, beside))
    return [*rows, many(5 if quick else 30)]


def many(seconds: int) -> Row:
    """One service process on a core of its own; the runners have the other."""
    with Jobtail(None) as service:
        command = [sys.executable, str(Path(__file__).parents[1] / "runners.py")]
        command += [str(each) for each in (service.port, RUNNERS, RATE, seconds, LOAD_CPU)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
            assert load.stdout is not None
            load.stdout.readline()
            before = service.cpu()
            found = json.loads(load.stdout.readline())
            used = service.cpu() - before
            load.communicate("\n")
    took, taken = found["seconds"], found["lines"]
    figure = (
        f"{used / took:.2f} of a core, {1e6 * used / taken:.1f} µs a line, {found['requests'] / took:,.0f} requests/s; "
        f"{taken / took:,.0f} lines/s taken, from the line to the answer p50 {found['p50']:.2f} s, "
        f"p95 {found['p95']:.2f} s, p99 {found['p99']:.2f} s"
    )
    goal = f"{RUNNERS} runners of {RATE} lines/s against one service process on one core: all taken as they come"
    return Row(goal, figure, "", "", taken == RUNNERS * RATE * seconds and took < seconds + 3)
