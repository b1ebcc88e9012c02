"""With `--tty`, every key goes on to the command's own terminal, Ctrl-C and Ctrl-Z too, as long as we are the ones in
front of ours."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import threading
from typing import Any

CTRL_C = b"\x03"


def source() -> int:
    """The descriptor that keys come from: standard input, or the terminal behind it. -1: there is none."""
    if os.isatty(0):
        return os.dup(0)
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return -1


class Keyboard:
    """`target`: the command's end. `source`: ours. Both are its own to close."""

    def __init__(self, target: int, source: int) -> None:
        self.interrupted = False  # Ctrl-C was among the keys
        self._target = target
        self._source = source
        self._stop = threading.Event()
        self._held: list[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="keyboard", daemon=True)

    def start(self) -> None:
        self.resume()
        self._thread.start()

    def resume(self) -> None:
        """Takes each key as it comes, where we are in front."""
        if self._held is None and self._in_front():
            with contextlib.suppress(termios.error):
                held = termios.tcgetattr(self._source)
                raw = termios.tcgetattr(self._source)
                raw[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON)
                raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
                termios.tcsetattr(self._source, termios.TCSADRAIN, raw)
                self._held = held

    def pause(self) -> None:
        """The terminal is as we found it."""
        if self._held is None:
            return
        # Not blocked, the signal would stop a process that is in the background by now.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._source, termios.TCSADRAIN, self._held)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        self._held = None

    def stop(self) -> None:
        self._stop.set()
        self.pause()
        self._thread.join(1)
        if not self._thread.is_alive():
            os.close(self._target)
            os.close(self._source)

    def _in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._source) == os.getpgrp()
        except OSError:
            return True  # it is nobody's controlling terminal, so nobody else reads it

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
                self.interrupted = self.interrupted or CTRL_C in data
                _write_all(self._target, data)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
