"""Goal 9: how soon things answer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from process import SERVER_CPU, pinned
from servers import JOBTAIL, ROOT, Jobtail
from table import Row


def seconds(command: list[str], rounds: int) -> float:
    """The best of some, by the clock, on one core; the files are in memory after the first."""
    taken = []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JOBTAIL_")}
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(pinned(SERVER_CPU, command), env=environment, cwd=ROOT, capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    return min(taken)


def serving(rounds: int) -> float:
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            began = time.perf_counter()
            with Jobtail(None, Path(folder)):
                taken.append(time.perf_counter() - began)
    return min(taken)


def measure(quick: bool) -> list[Row]:
    rounds = 2 if quick else 7
    nothing = seconds([sys.executable, "-c", "pass"], rounds)
    figures = [
        ("9. `jobtail serve` to the first answer under 0.7 s", serving(rounds), 0.7),
        ("9. `jobtail --help` under 0.25 s", seconds([JOBTAIL, "--help"], rounds), 0.25),
        ("9. `import webapp` under 0.2 s", seconds([sys.executable, "-c", "from webapp import connect"], rounds), 0.2),
    ]
    return [
        Row(goal, f"{taken:.2f} s", f"python -c pass {nothing:.3f} s", f"{taken / nothing:.0f}", taken < limit)
        for goal, taken, limit in figures
    ]
