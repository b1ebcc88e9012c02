"""The load client: compiled on the spot, one process of many viewers."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from process import LOAD_CPU, stop

SOURCE = Path(__file__).with_name("load.c")


def compiled() -> Path:
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    binary = Path(tempfile.gettempdir()) / f"jobtail-load-{digest}"
    if not binary.exists():
        subprocess.run(["cc", "-O2", "-o", str(binary), str(SOURCE)], check=True)
    return binary


class Viewers:
    """`count` viewers of `path`; with `until`, `wait` returns once each has line `until`. `each`: every line's number
    is checked, else that of each bundle's first and how many follow it."""

    def __init__(self, port: int, path: str, count: int, until: int = 0, each: bool = True) -> None:
        self.process = subprocess.Popen(
            [str(compiled()), str(port), path, str(count), str(LOAD_CPU), str(until), str(int(each))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def wait(self) -> dict[str, Any]:
        return self.ask("wait")

    def mark(self) -> dict[str, Any]:
        """Totals since the last mark (or wait)."""
        return self.ask("mark")

    def __enter__(self) -> Viewers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        stop(self.process)
