"""A network path that is slow, late, and breaks off anywhere: a proxy for TCP."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time

from ..tcp import TcpProxy

PIECE = 4096
FIRST = 200  # bytes: fewer than any request to begin a job has


class Weather(TcpProxy):
    """`cut`: a connection breaks off after a number of bytes, up and down together, between these two, but the first
    within its first request; None: none does. `delay`: seconds by which each piece is late, at most. `rate`: bytes a
    second of all connections together, each way. `seen`: bytes that passed up; `cuts`: connections that broke."""

    def __init__(
        self, port: int, *, seed: int, cut: tuple[int, int] | None = None, delay: float = 0.0, rate: float = 0.0
    ) -> None:
        super().__init__(port)
        self._random = random.Random(seed)
        self._cut = cut
        self._delay = delay
        self._rate = rate
        self._free = {"up": 0.0, "down": 0.0}
        self._lock = threading.Lock()
        self._met = False
        self.seen = 0
        self.cuts = 0

    def carry(self, near: socket.socket, far: socket.socket) -> None:
        with self._lock:
            left = [self._random.randint(*self._cut) if self._met else FIRST] if self._cut else [1 << 62]
            self._met = True
        ways = [
            threading.Thread(target=self._pass, args=(*ends, way, left), daemon=True)
            for way, ends in (("up", (near, far)), ("down", (far, near)))
        ]
        for thread in ways:
            thread.start()
        for thread in ways:
            thread.join()

    def _pass(self, source: socket.socket, target: socket.socket, way: str, left: list[int]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                self._wait(way, len(data))
                data = data[: max(0, left[0])]
                left[0] -= len(data)
                target.sendall(data)
                self.seen += len(data) if way == "up" else 0
                if left[0] <= 0:
                    self.cuts += 1
                    self._reset(source)
                    self._reset(target)
                    return
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _wait(self, way: str, size: int) -> None:
        until = 0.0
        with self._lock:
            late = self._random.uniform(0, self._delay)
            if self._rate:
                self._free[way] = until = max(self._free[way], time.monotonic()) + size / self._rate
        time.sleep(max(late, until - time.monotonic(), 0))

    def _reset(self, end: socket.socket) -> None:
        """Half of them end as if the other side had closed, the rest with a reset."""
        with contextlib.suppress(OSError):
            if self._random.random() < 0.5:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.shutdown(socket.SHUT_RDWR)
