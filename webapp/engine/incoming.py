"""What a command has written and nobody has taken yet: between the thread that runs it and the one that records it."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

MOST_BYTES = 32 << 20
APPEND_BYTES = 1 << 20
# A journal that takes no line for so long is treated as one that fails.
STALL_SECONDS = 10.0


@dataclass(slots=True)
class Dropped:
    """Bytes that were read and not kept: newlines in them; whether they end `within` a line."""

    lines: int
    within: bool


# A stream's name (with a level behind a blank where its lines have one), when it was read, and the bytes.
Chunk = tuple[str, int, bytes | Dropped]


class Incoming:
    """`status`: the newest that has not been written. `lost`: lines that were dropped. `closing`: no more comes."""

    def __init__(self) -> None:
        self.status: dict[str, Any] | None = None
        self.lost = 0
        self.closing = False
        self._chunks: deque[Chunk] = deque()
        self._bytes = 0
        self._moved = time.monotonic()
        self._there = threading.Condition()

    # --- for the thread that runs the command

    @property
    def waiting(self) -> int:
        """How many pieces nobody has taken."""
        return len(self._chunks)

    @property
    def behind(self) -> bool:
        """As much is held as may be while the journal works."""
        return self._bytes >= MOST_BYTES

    @property
    def stalled(self) -> bool:
        return time.monotonic() - self._moved > STALL_SECONDS

    def put(self, stream: str, timestamp: int, data: bytes) -> None:
        """Never waits. Where twice as much is held as may be, the lines are counted as lost."""
        with self._there:
            if self._bytes >= 2 * MOST_BYTES:
                self._drop(stream, timestamp, data)
                return
            if not self._chunks:
                self._moved = time.monotonic()
            self._chunks.append((stream, timestamp, data))
            self._bytes += len(data)
            self._there.notify()

    def _drop(self, stream: str, timestamp: int, data: bytes) -> None:
        lines, within = data.count(b"\n"), not data.endswith(b"\n")
        self.lost += max(1, lines)
        for name, _, last in islice(reversed(self._chunks), 2):
            if not isinstance(last, Dropped):
                break
            if name == stream:
                last.lines, last.within = last.lines + lines, within
                return
        self._chunks.append((stream, timestamp, Dropped(lines, within)))

    def set_status(self, status: dict[str, Any]) -> None:
        with self._there:
            self.status = status
            self._there.notify()

    def close(self) -> None:
        with self._there:
            self.closing = True
            self._there.notify()

    # --- for the thread that records it

    def wait(self, until: float, idle_until: float, *, failing: bool) -> None:
        """Waits for something to write, and then for the end of the beat (`until`). Without anything to write it
        returns when the sink has to be looked after (`idle_until`). At the end it waits only where the sink fails."""
        with self._there:
            if self.closing and failing and not self._chunks:
                self._there.wait(0.1)
            while not self.closing:
                now, something = time.monotonic(), bool(self._chunks or self.status)
                if self._bytes >= APPEND_BYTES or (something and now >= until) or now >= idle_until:
                    return
                self._there.wait((min(idle_until, until) if something else idle_until) - now)

    def take(self) -> tuple[list[Chunk], dict[str, Any] | None, bool]:
        """About as much as one append holds, the newest status, and whether that was the last."""
        with self._there:
            taken: list[Chunk] = []
            size = 0
            while self._chunks and size < APPEND_BYTES:
                taken.append(self._chunks.popleft())
                data = taken[-1][2]
                size += 0 if isinstance(data, Dropped) else len(data)
            self._bytes -= size
            return taken, self.status, self.closing and not self._chunks

    def written(self, status: dict[str, Any] | None) -> None:
        """This status has been written."""
        with self._there:
            if self.status is status:
                self.status = None

    def moved(self) -> None:
        """What was taken has been dealt with."""
        self._moved = time.monotonic()
