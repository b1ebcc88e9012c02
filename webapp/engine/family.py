"""Processes that a command has started and that share our process group: on a terminal they can't have a
group of their own, because then the terminal's keys would not reach them and the rest of our pipeline together.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def family(group: int) -> list[int]:
    """Descendants of this process in the process group `group`, zombies left out."""
    children: dict[int, list[int]] = {}
    inside: set[int] = set()
    for pid, parent, own in _processes():
        children.setdefault(parent, []).append(pid)
        if own == group:
            inside.add(pid)
    found: list[int] = []
    waiting = list(children.get(os.getpid(), ()))
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, ())
        if pid in inside:
            found.append(pid)
    return found


def _processes() -> Iterator[tuple[int, int, int]]:
    """Process, parent and group of all that live."""
    if not (PROC / "self" / "stat").exists():
        yield from _asked_of_ps()
        return
    for name in os.listdir(PROC):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                state, parent, group = (PROC / name / "stat").read_bytes().rpartition(b")")[2].split()[:3]
                if state not in (b"Z", b"X"):
                    yield int(name), int(parent), int(group)


def _asked_of_ps() -> Iterator[tuple[int, int, int]]:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        listing = subprocess.run(
            ["ps", "-axo", "pid=,ppid=,pgid=,state="], capture_output=True, text=True, timeout=5, check=True
        ).stdout
        for line in listing.splitlines():
            pid, parent, group, state = line.split()[:4]
            if not state.startswith("Z"):
                yield int(pid), int(parent), int(group)
