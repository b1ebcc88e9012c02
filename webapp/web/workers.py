"""Several processes that accept from one socket: started, started again when they die, and stopped together."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

log = logging.getLogger("jobtail.web")
STOPPING = (signal.SIGTERM, signal.SIGINT)
AWAITED = {*STOPPING, signal.SIGCHLD}
STOP_SECONDS = 10.0
# A worker that dies sooner than this after its start is started again only after a pause.
SOON_SECONDS = 2.0
PAUSE_SECONDS = 1.0


class Workers:
    """`serve`: what a worker does, given its number and what it calls once it answers; its exit code. `started`: called
    once, when the first of them answers."""

    def __init__(
        self, count: int, serve: Callable[[int, Callable[[], None]], int], started: Callable[[], None]
    ) -> None:
        self._count = count
        self._serve = serve
        self._started = started
        self._alive: dict[int, tuple[int, float]] = {}  # by process id: its number, and when it was started
        self._begun = False

    def run(self) -> int:
        """Until SIGTERM or Ctrl-C; a second one ends all at once. The exit code of a worker that could not start."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
        # Its other end is held by this process alone: a worker whose read of it ends has lost its parent.
        self._life, held = os.pipe()
        self._ready, self._say_ready = os.pipe()
        os.set_blocking(self._ready, False)
        try:
            for number in range(self._count):
                self._start(number, held)
            return self._watch(held)
        finally:
            for descriptor in (self._life, held, self._ready, self._say_ready):
                os.close(descriptor)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start(self, number: int, held: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process:
            self._alive[process] = (number, time.monotonic())
            return
        code = 1
        try:
            os.close(held)
            for awaited in AWAITED:
                signal.signal(awaited, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, AWAITED)
            threading.Thread(target=self._until_orphaned, name="parent", daemon=True).start()
            code = self._serve(number, self._is_ready)
        except BaseException:
            log.exception("a worker failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _is_ready(self) -> None:
        os.write(self._say_ready, b"1")

    def _until_orphaned(self) -> None:
        os.read(self._life, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _watch(self, held: int) -> int:
        while True:
            found = signal.sigtimedwait(AWAITED, 0.2)
            if not self._begun and self._answers():
                self._begun = True
                self._started()
            if found is not None and found.si_signo in STOPPING:
                return self._stop()
            for process, code in self._ended():
                if not self._begun:
                    self._stop()
                    return code or 1
                log.warning("worker %d ended with %d: another is started", process, code)
                number, began = self._alive.pop(process)
                if time.monotonic() - began < SOON_SECONDS:
                    time.sleep(PAUSE_SECONDS)
                self._start(number, held)

    def _answers(self) -> bool:
        try:
            return bool(os.read(self._ready, 1))
        except BlockingIOError:
            return False

    def _ended(self) -> list[tuple[int, int]]:
        found = []
        for process in list(self._alive):
            gone, status = os.waitpid(process, os.WNOHANG)
            if gone:
                found.append((process, os.waitstatus_to_exitcode(status)))
        return found

    def _stop(self) -> int:
        """All get the signal and are waited for; what is left after a while, or at a second signal, is killed."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self._alive:
            for process, _ in self._ended():
                del self._alive[process]
            found = signal.sigtimedwait(AWAITED, 0.1) if self._alive else None
            if time.monotonic() > deadline or (found is not None and found.si_signo in STOPPING):
                self._signal(signal.SIGKILL)
        return 0

    def _signal(self, number: int) -> None:
        for process in self._alive:
            os.kill(process, number)
