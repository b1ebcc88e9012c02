"""A network that is too slow for what comes: a proxy in front of the service, by bytes, whatever these say."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from types import TracebackType

CHUNK = 1024  # bytes; so little that a change of pace is felt at once


class SlowProxy:
    """`bytes_per_second`: of each connection, towards the browser; 0: as fast as it goes."""

    def __init__(self, port: int) -> None:
        self.bytes_per_second = 0
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> SlowProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.bytes_per_second = 0
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                near = self._listener.accept()[0]
                # What waits in buffers has left the service: little of it may.
                near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 * CHUNK)
                far = socket.create_connection(("127.0.0.1", self._port))
                far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * CHUNK)
                for source, target, slow in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._pump, args=(source, target, slow), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK if self.bytes_per_second else 64 * CHUNK):
                target.sendall(data)
                if slow and self.bytes_per_second:
                    time.sleep(len(data) / self.bytes_per_second)
            target.shutdown(socket.SHUT_WR)
