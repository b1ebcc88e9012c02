"""What `jobtail run --to` costs a command, beside the local one and the command alone."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time

from servers import JOBTAIL, ROOT, Jobtail
from table import Row


def ran(command: list[str], folder: str) -> float:
    """Seconds until everything is where it belongs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JOBTAIL_")}
    environment["JOBTAIL_DATA_DIR"] = folder
    began = time.perf_counter()
    subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def measure(quick: bool) -> list[Row]:
    lines = 200_000 if quick else 2_000_000
    command = ["seq", str(lines)]
    with Jobtail(None) as service, tempfile.TemporaryDirectory() as folder:
        bare = ran(command, folder)
        local = ran([JOBTAIL, "run", "--quiet", "--", *command], folder)
        to = f"http://127.0.0.1:{service.port}"
        remote = ran([JOBTAIL, "run", "--quiet", "--to", to, "--", *command], folder)
    figure = f"{remote:.2f} s, {lines / remote:,.0f} lines a second until all are there"
    return [Row(f"`jobtail run --to -- seq {lines}`", figure, f"local {local:.2f} s, bare {bare:.2f} s")]
