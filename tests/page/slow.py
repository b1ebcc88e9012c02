"""A network that is too slow for what comes: a proxy in front of the service, by bytes, whatever these say."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from ..tcp import TcpProxy

CHUNK = 1024  # bytes; so little that a change of pace is felt at once


class SlowProxy(TcpProxy):
    """`bytes_per_second`: of each connection, towards the browser; 0: as fast as it goes."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.bytes_per_second = 0

    def __exit__(self, *what: object) -> None:
        self.bytes_per_second = 0
        super().__exit__(*what)

    def carry(self, near: socket.socket, far: socket.socket) -> None:
        # What waits in buffers has left the service: little of it may.
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 * CHUNK)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * CHUNK)
        up = threading.Thread(target=self._pump, args=(near, far, False), daemon=True)
        up.start()
        self._pump(far, near, True)
        up.join()

    def _pump(self, source: socket.socket, target: socket.socket, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK if self.bytes_per_second else 64 * CHUNK):
                target.sendall(data)
                if slow and self.bytes_per_second:
                    time.sleep(len(data) / self.bytes_per_second)
            target.shutdown(socket.SHUT_WR)
