"""In which order two pipes were written to.

Linux says, for each write to a pipe, that it was written to (inotify), in one queue for both; a pipe in packet mode
(O_DIRECT) gives each write of up to 4 KiB apart. Together they tell the order of writes that alternate, however late
we look. Several writes in a row to the same pipe are announced as one. Where a reader comes late to several of them on
both sides, it distributes them evenly, and may be wrong by some lines. On other systems the order is that of reading.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

IN_MODIFY = 0x2
_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows (none here)
O_DIRECT = getattr(os, "O_DIRECT", 0)


def packet_pipe() -> tuple[int, int]:
    """Read and write end. In packet mode where there is one."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            return os.pipe2(os.O_CLOEXEC | O_DIRECT)
    return os.pipe()


class Order:
    """Watches pipes by their read ends, named. Where that can't be done, `runs` is always empty."""

    def __init__(self, pipes: Mapping[str, int]) -> None:
        self._fd = -1
        self._names: dict[int, str] = {}
        if not sys.platform.startswith("linux"):
            return
        with contextlib.suppress(OSError, AttributeError):
            libc = ctypes.CDLL(None)
            self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            for name, fd in pipes.items():
                self._names[libc.inotify_add_watch(self._fd, b"/proc/self/fd/%d" % fd, IN_MODIFY)] = name

    def runs(self) -> list[str]:
        """Who was written to since the last call, in order; many writes in a row to one count once."""
        with contextlib.suppress(OSError):
            data = os.read(self._fd, 1 << 16) if self._fd >= 0 else b""
            found = [self._names.get(watch, "") for watch, _, _, _ in _EVENT.iter_unpack(data)]
            return [name for name in found if name]
        return []

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def arrange(runs: Sequence[str], packets: Mapping[str, Sequence[bytes]]) -> list[tuple[str, bytes]]:
    """The packets in the order that `runs` tell, packets of one run joined.

    All writes that were announced have been read. So a run without a packet is older than all of these: it was
    announced only after its packet had been read the last time. Packets without a run will be announced later, and go
    last."""
    left = {name: list(found) for name, found in packets.items()}
    announced = Counter(runs)
    found: list[tuple[str, bytes]] = []
    for name in runs:
        waiting, share = left.get(name, []), announced[name]
        announced[name] -= 1
        if len(waiting) < share:
            continue
        size = len(waiting) // share
        found.append((name, b"".join(waiting[:size])))
        del waiting[:size]
    return found + [(name, b"".join(waiting)) for name, waiting in left.items() if waiting]
