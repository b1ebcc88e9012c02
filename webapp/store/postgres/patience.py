"""How long a connection waits for the server. libpq would wait for ever: a server that is stopped, or whose disk hangs,
says nothing, and its kernel goes on acknowledging packets."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg

# A statement that takes longer is given up: what it wrote is then not known, and asked before anything else is written.
# Less than `engine.incoming.STALL_SECONDS`, so that lines in hand are kept elsewhere in time.
ANSWER_SECONDS = 8.0
# For statements that read or remove much.
LONG_SECONDS = 120.0
LOOK_SECONDS = 0.5


class Patience:
    """A thread that cuts connections whose time is up: the thread that waits for one of them gets an error then."""

    def __init__(self) -> None:
        self._until: dict[Any, float] = {}  # by connection in use, on the monotonic clock
        self._deadline = float("inf")
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="jobtail-patience", daemon=True)
        self._thread.start()

    @property
    def left(self) -> float:
        """Seconds that are left for everything together; endless before `hurry`."""
        return self._deadline - time.monotonic()

    def hurry(self, seconds: float) -> None:
        """Whatever waits now or later has no longer than this."""
        self._deadline = min(self._deadline, time.monotonic() + seconds)
        self._changed.set()

    def close(self) -> None:
        """Whatever still waits is cut."""
        self._closed = True
        self.hurry(0.0)

    @contextlib.contextmanager
    def bounded(self, connection: Any, seconds: float | None) -> Iterator[None]:
        """`seconds`: None for as long as it takes."""
        with self._lock:
            self._until[connection] = float("inf") if seconds is None else time.monotonic() + seconds
        try:
            if self._closed:
                cut(connection)
            yield
        finally:
            with self._lock:
                del self._until[connection]

    def _run(self) -> None:
        while not self._closed or self._until:
            left = self.left
            self._changed.wait(min(LOOK_SECONDS, left) if left > 0 else LOOK_SECONDS / 10)
            self._changed.clear()
            now = time.monotonic()
            with self._lock:
                for connection, until in self._until.items():
                    if now >= min(until, self._deadline):
                        cut(connection)


def cut(connection: Any) -> None:
    """Its socket is shut down, not closed: it belongs to libpq, which finds it at its end."""
    with contextlib.suppress(OSError, psycopg.Error):
        number = os.dup(connection.fileno())
        with socket.socket(fileno=number) as found:
            found.shutdown(socket.SHUT_RDWR)


def ended(connection: Any) -> bool:
    """Whether the server has ended the session while nobody used it, as far as that has arrived: it says so unasked."""
    try:
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        while waiting.poll(0):  # what it says, and then the end
            connection.pgconn.consume_input()
        return bool(connection.pgconn.status != psycopg.pq.ConnStatus.OK)
    except (OSError, ValueError, psycopg.Error):
        return True
