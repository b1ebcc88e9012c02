"""A proxy that cuts every connection after so many bytes of the answer, wherever that is."""

from __future__ import annotations

import contextlib
import socket
import threading


class Cutter:
    """`limit`: bytes; `cuts`: how many connections came to it."""

    def __init__(self, port: int, limit: int) -> None:
        self._port = port
        self._limit = limit
        self.cuts = 0

    def __enter__(self) -> Cutter:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._port)) as far:
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
