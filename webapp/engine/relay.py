"""Passes a command's output through, unchanged and at once, while a copy of it is recorded.

One loop reads both streams, so that their order is the order in which they were written as nearly as two
pipes can tell. A destination that does not take its bytes holds up its own stream only, as a pipe would.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .job import now_ms

READ = 64 << 10
# What a destination that polls as writable takes without blocking (POSIX: PIPE_BUF).
WRITE = select.PIPE_BUF
# A clock that was put back by less than this must not make a line older than the one before it.
BACKWARDS_MS = 5_000


@dataclass(slots=True, eq=False)
class Stream:
    """`source`: -1 once it has ended. `target`: -1 where nobody takes the output. `steady`: its writes
    never block."""

    name: str
    source: int
    target: int
    steady: bool = False
    pending: bytes = b""

    @property
    def over(self) -> bool:
        return self.source < 0 and not self.pending


def stream(name: str, source: int, target: int) -> Stream:
    try:
        mode = os.fstat(target).st_mode
    except OSError:
        return Stream(name, source, -1)
    steady = stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not os.isatty(target))
    return Stream(name, source, target, steady)


class Relay:
    """`record(stream, ms, bytes)` gets every piece as it was read; while `room()` is False nothing is read."""

    def __init__(
        self,
        streams: Sequence[Stream],
        record: Callable[[str, int, bytes], None],
        room: Callable[[], bool],
    ) -> None:
        self.streams = streams
        self.record = record
        self.room = room
        self._last_ms = 0
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)

    @property
    def wakeup_fd(self) -> int:
        return self._wake_in

    def wake(self) -> None:
        """From any thread: `step` returns soon."""
        with contextlib.suppress(OSError):
            os.write(self._wake_in, b".")

    @property
    def over(self) -> bool:
        return all(each.over for each in self.streams)

    @property
    def passing(self) -> bool:
        """Bytes wait for a destination that is slow."""
        return any(each.pending for each in self.streams)

    def step(self, seconds: float) -> bool:
        """Waits for something to do, `seconds` at most, and does it. True: output was read or passed."""
        poll = select.poll()
        poll.register(self._wake_out, select.POLLIN)
        room = self.room()
        for each in self.streams:
            if each.pending:
                poll.register(each.target, select.POLLOUT)
            elif each.source >= 0 and room:
                poll.register(each.source, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(max(0, seconds) * 1000)}
        if self._wake_out in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_out, 4096)
        busy = [each for each in self.streams if ready & {each.source, each.target}]
        for each in busy:
            if each.pending:
                self._pass(each)
            elif each.source in ready:
                self._read(each)
        return bool(busy)

    def _read(self, each: Stream) -> None:
        try:
            data = os.read(each.source, READ)
        except BlockingIOError:
            return
        except OSError:  # EIO: the last process on the terminal has gone
            data = b""
        if not data:
            return self._end(each)
        self.record(each.name, self._now(), data)
        if each.target >= 0:
            each.pending = data
            self._pass(each)

    def _now(self) -> int:
        now = now_ms()
        if 0 < self._last_ms - now < BACKWARDS_MS:
            now = self._last_ms
        self._last_ms = now
        return now

    def _pass(self, each: Stream) -> None:
        """As much as the destination takes now. Where it is gone, the command finds its own pipe closed, as
        without us."""
        try:
            while each.pending:
                if not each.steady and not _writable(each.target):
                    return
                done = os.write(each.target, each.pending if each.steady else each.pending[:WRITE])
                each.pending = each.pending[done:]
        except BlockingIOError:
            return
        except OSError:
            each.pending = b""
            each.target = -1
            self._end(each)

    def _end(self, each: Stream) -> None:
        if each.source >= 0:
            os.close(each.source)
            each.source = -1

    def close(self) -> None:
        for each in self.streams:
            self._end(each)
        os.close(self._wake_in)
        os.close(self._wake_out)


def _writable(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))
