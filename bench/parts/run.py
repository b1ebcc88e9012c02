"""What `jobtail run` costs a command that writes as fast as it can, beside the same command without it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from servers import JOBTAIL, ROOT
from table import Row

# What it took when every line was an object of its own.
BEFORE_SECONDS_A_LINE = 39.5 / 5_000_000
# Line by line and unbuffered: each is a write, and thus a read of ours.
SINGLE = "import os\nfor n in range(%d): os.write(1, b'line %%d\\n' %% n)"


def ran(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds by the clock, and of CPU, to the end of the command and of its record."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JOBTAIL_")}
    environment["JOBTAIL_DATA_DIR"] = str(folder)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    taken = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def row(what: str, command: list[str], lines: int, limit: float | None) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        bare, _ = ran(command, Path(folder))
        taken, cpu = ran([JOBTAIL, "run", "--quiet", "--", *command], Path(folder))
    figure = f"{taken:.2f} s, {1e6 * taken / lines:.2f} µs a line, {1e6 * cpu / lines:.2f} µs of CPU"
    return Row(what, figure, f"bare {bare:.2f} s", f"{taken / bare:.0f}", None if limit is None else taken < limit)


def measure(quick: bool) -> list[Row]:
    lines, single = (500_000, 50_000) if quick else (5_000_000, 500_000)
    return [
        row(
            f"`jobtail run -- seq {lines}`: a fifth of {1e6 * BEFORE_SECONDS_A_LINE:.1f} µs a line",
            ["seq", str(lines)], lines, BEFORE_SECONDS_A_LINE * lines / 5,
        ),
        row(f"{single} lines, a write each", [sys.executable, "-c", SINGLE % single], single, None),
    ]  # fmt: skip
