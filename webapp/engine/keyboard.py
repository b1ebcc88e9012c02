"""What is typed goes on to the command, while we are the ones in front of the terminal.

The command has a process group of its own, so it may not read our terminal itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
from typing import Any

EOT = b"\x04"


class Keyboard:
    """`target`: the command's end, ours to close. `tty`: a terminal, which itself shows what is typed."""

    def __init__(self, target: int, tty: bool, *, source: int = 0) -> None:
        self._target = target
        self._tty = tty
        self._source = source
        self._stop = threading.Event()
        self._held: list[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="keyboard", daemon=True)

    def start(self) -> None:
        if self._tty and os.isatty(self._source) and self._in_front():
            self._held = termios.tcgetattr(self._source)
            each_key = termios.tcgetattr(self._source)
            each_key[3] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self._source, termios.TCSADRAIN, each_key)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._held is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._source, termios.TCSADRAIN, self._held)

    def _in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._source) == os.getpgrp()
        except OSError:
            return True  # no terminal: nobody else reads it either

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                if not poll.poll(200):
                    continue
                if not self._in_front():
                    self._stop.wait(0.2)
                    continue
                data = os.read(self._source, 4096)
                if not data:
                    break
                _write_all(self._target, data)
            if self._tty and not self._stop.is_set():
                _write_all(self._target, EOT)
        with contextlib.suppress(OSError):
            os.close(self._target)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
