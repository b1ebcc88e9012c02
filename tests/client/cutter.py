"""A proxy that cuts every connection after so many bytes of the answer, wherever that is."""

from __future__ import annotations

import contextlib
import socket
import threading

from ..tcp import TcpProxy


class Cutter(TcpProxy):
    """`limit`: bytes; `cuts`: how many connections came to it."""

    def __init__(self, port: int, limit: int) -> None:
        super().__init__(port)
        self._limit = limit
        self.cuts = 0

    def carry(self, near: socket.socket, far: socket.socket) -> None:
        threading.Thread(target=self._upwards, args=(near, far), daemon=True).start()
        with contextlib.suppress(OSError):
            self._downwards(near, far)
        for end in (near, far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _downwards(self, near: socket.socket, far: socket.socket) -> None:
        left = self._limit
        while left > 0:
            data = far.recv(min(left, 4096))
            if not data:
                return
            near.sendall(data)
            left -= len(data)
        self.cuts += 1

    def _upwards(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                far.sendall(data)
