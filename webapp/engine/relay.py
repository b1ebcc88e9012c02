"""Passes a command's output through, unchanged and at once, while a copy of it is recorded.

One loop reads both streams. A destination that does not take its bytes holds up the streams that go there, as a pipe
would, and no other. Where its reader has gone away, the command's own pipe is closed once what it has written is
recorded, so that it meets the same end as without us.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
import struct
import termios
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .job import now_ms
from .order import Order, arrange

READ = 64 << 10
# What is read of a stream before the other gets its turn, and of both before it is passed on.
PACKETS = 32
MOST_READ = 256 << 10
# What a destination that polls as writable takes without blocking (POSIX: PIPE_BUF).
WRITE = select.PIPE_BUF
# A clock that was put back by less than this must not make a line older than the one before it.
BACKWARDS_MS = 5_000
GONE = (errno.EPIPE, errno.ECONNRESET)


@dataclass(slots=True, eq=False)
class OutputTarget:
    """Where output goes. `fd`: -1 where nobody takes it. `steady`: its writes never block. `gone`: its reader went
    away. `trouble`: why it could not be written."""

    fd: int
    steady: bool = False
    pending: bytes = b""
    gone: bool = False
    trouble: str = ""


@dataclass(slots=True, eq=False)
class OutputStream:
    """`source`: -1 once it has ended. `left`: bytes that are still read of it, since nobody takes them; None: all."""

    name: str
    source: int
    target: OutputTarget
    left: int | None = None

    @property
    def over(self) -> bool:
        return self.source < 0 and not self.target.pending


def streams(sources: Mapping[str, int], targets: Mapping[str, int]) -> list[OutputStream]:
    """Streams whose destinations are one file share it, so that neither cuts into what waits of the other."""
    found: list[OutputStream] = []
    known: dict[tuple[int, int], OutputTarget] = {}
    for name, source in sources.items():
        try:
            status = os.fstat(targets[name])
        except OSError:
            found.append(OutputStream(name, source, OutputTarget(-1)))
            continue
        steady = stat.S_ISREG(status.st_mode) or (stat.S_ISCHR(status.st_mode) and not os.isatty(targets[name]))
        target = known.setdefault((status.st_dev, status.st_ino), OutputTarget(targets[name], steady))
        os.set_blocking(source, False)
        found.append(OutputStream(name, source, target))
    return found


class Relay:
    """`record(stream, ms, bytes)` gets every piece as it was read; while `room()` is False nothing is read.
    `failed(stream, why)`: a destination could not be written; called once for each."""

    def __init__(
        self,
        record: Callable[[str, int, bytes], None],
        room: Callable[[], bool],
        failed: Callable[[str, str], None],
    ) -> None:
        self.streams: list[OutputStream] = []
        self.record = record
        self.room = room
        self._failed = failed
        self._order = Order({})
        self._last_ms = 0
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)

    def begin(self, streams: list[OutputStream], order: Order) -> None:
        self.streams, self._order = streams, order

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
        return any(each.target.pending for each in self.streams)

    @property
    def gone(self) -> bool:
        """Somebody went away who should have read more."""
        return any(each.target.gone for each in self.streams)

    def trouble(self, stream: str) -> str:
        return next((each.target.trouble for each in self.streams if each.name == stream), "")

    def step(self, seconds: float) -> bool:
        """Waits for something to do, `seconds` at most, and does it. True: output was read or passed."""
        poll = select.poll()
        poll.register(self._wake_out, select.POLLIN)
        room = self.room()
        for each in self.streams:
            if each.target.pending:
                poll.register(each.target.fd, select.POLLOUT)
            elif each.source >= 0 and (room or each.left is not None):
                poll.register(each.source, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(max(0, seconds) * 1000)}
        if self._wake_out in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_out, 4096)
        writable = [each for each in self.streams if each.target.pending and each.target.fd in ready]
        for each in writable:
            self._pass(each)
        readable = [each for each in self.streams if each.source in ready and not each.target.pending]
        if readable:
            self._read(readable)
        return bool(writable or readable)

    def _read(self, ready: list[OutputStream]) -> None:
        # A stream that was not ready a moment ago may be ready now: then it was written to later.
        others = [each for each in self.streams if each.source >= 0 and each not in ready and not each.target.pending]
        open_now = [*ready, *others]
        packets: dict[str, list[bytes]] = {each.name: [] for each in open_now}
        runs: list[str] = []
        size = 0
        # Until nothing more is found: then each write that was announced has been read.
        while size < MOST_READ:
            taken = {each.name: self._taken(each) for each in open_now if each.source >= 0}
            for name, found in taken.items():
                packets[name] += found
                size += sum(map(len, found))
            runs += self._order.runs()
            if not any(taken.values()):
                break
        at = self._now()
        targets = {each.name: each.target for each in open_now}
        for name, data in arrange(runs, packets):
            self.record(name, at, data)
            if targets[name].fd >= 0:
                targets[name].pending += data
        for each in open_now:
            if each.target.pending:
                self._pass(each)

    def _taken(self, each: OutputStream) -> list[bytes]:
        """What can be read now, as it comes; ends the stream where it has ended."""
        taken: list[bytes] = []
        size = 0
        most = MOST_READ if each.left is None else each.left
        while size < most and len(taken) < PACKETS:
            try:
                data = os.read(each.source, READ)  # less than a packet would lose the rest of it
            except BlockingIOError:
                break
            except OSError:  # EIO: the last process on the terminal has gone
                data = b""
            if not data:
                self._end(each)
                break
            taken.append(data)
            size += len(data)
        if each.left is not None and each.source >= 0:
            each.left -= size
            if each.left <= 0 or not size:
                self._end(each)
        return taken

    def _now(self) -> int:
        now = now_ms()
        if 0 < self._last_ms - now < BACKWARDS_MS:
            now = self._last_ms
        self._last_ms = now
        return now

    def _pass(self, each: OutputStream) -> None:
        """As much as the destination takes now."""
        target = each.target
        try:
            while target.pending:
                if not target.steady and not _writable(target.fd):
                    return
                done = os.write(target.fd, target.pending if target.steady else target.pending[:WRITE])
                target.pending = target.pending[done:]
        except BlockingIOError:
            return
        except OSError as error:
            target.pending = b""
            if error.errno in GONE:
                self._leave(target)
            elif not target.trouble:
                target.trouble = error.strerror or str(error)
                self._failed(each.name, target.trouble)

    def _leave(self, target: OutputTarget) -> None:
        """What the command has written by now is still read. What it writes from now on, it writes to nobody."""
        target.fd, target.gone = -1, True
        for each in self.streams:
            if each.target is target and each.source >= 0:
                each.left = _waiting(each.source)
                if not each.left:
                    self._end(each)

    def _end(self, each: OutputStream) -> None:
        if each.source >= 0:
            os.close(each.source)
            each.source = -1

    def close(self) -> None:
        for each in self.streams:
            self._end(each)
        self._order.close()
        os.close(self._wake_in)
        os.close(self._wake_out)


def _waiting(fd: int) -> int:
    """Bytes that can be read now."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0])
    except OSError:
        return 0


def _writable(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))
