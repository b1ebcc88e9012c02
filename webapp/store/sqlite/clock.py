"""The clock that leases are counted by.

A wall clock that is put back would keep a dead holder's lease alive, one that is put forward would end a living
holder's. So a lease counts by the seconds since the machine started, which go on while it sleeps and which nobody can
set, and it names that start: after a restart of the machine no holder lives any more. Where the system has no such
clock the wall clock has to do; a lease that ends further ahead than its own length then counts as over, and the fence
keeps a holder that lost its lease too early from writing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Clock:
    """`boot`: names what `seconds` counts from. `wall_ms`: the time of day, for what is kept for days."""

    boot: str
    seconds: Callable[[], float]
    wall_ms: Callable[[], int]


@dataclass(frozen=True, slots=True)
class StoredLease:
    """As it stands in the journal's row. `length`: seconds, 0 where it was given back."""

    holder: str
    boot: str
    until: float
    length: float

    def left(self, clock: Clock) -> float:
        """Seconds until it ends, 0 where it is over."""
        if self.length <= 0 or self.boot != clock.boot:
            return 0.0
        left = self.until - clock.seconds()
        return left if 0 < left <= self.length else 0.0


def system_clock() -> Clock:
    boot = ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    since_boot = getattr(time, "CLOCK_BOOTTIME", None)
    if boot and since_boot is not None:
        return Clock(boot, lambda: time.clock_gettime(since_boot), _wall_ms)
    return Clock("", time.time, _wall_ms)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


SYSTEM = system_clock()
