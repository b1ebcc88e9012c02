"""What a process takes, looked at from outside while something goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pytest


@dataclass(frozen=True)
class Taken:
    """`memory`: resident, in MiB."""

    memory: int
    threads: int
    files: int


def taken(pid: int) -> Taken:
    proc = Path(f"/proc/{pid}")
    if not proc.exists():
        pytest.skip("needs /proc")
    fields = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    return Taken(int(fields["VmRSS"].split()[0]) >> 10, int(fields["Threads"]), len(list((proc / "fd").iterdir())))


class Bounds:
    """`before`: what the process took when this began; `most`: the most of each since then."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.before = self.most = taken(pid)
        self._stop = threading.Event()

    def __enter__(self) -> Bounds:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _sample(self) -> None:
        while not self._stop.wait(0.25):
            self._look()

    def _look(self) -> None:
        now, most = taken(self._pid), self.most
        self.most = Taken(
            max(now.memory, most.memory), max(now.threads, most.threads), max(now.files, most.files)
        )  # fmt: skip
