"""Signals that reach the runner, as entries of a queue that say who sent them.

They are blocked, and one thread waits for them: so it is known whether the terminal sent one, which then has gone to
the command as well, or somebody who meant us alone. One that was ignored when we started (`nohup`) stays so.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Came:
    """`everybody`: the terminal sent it to its whole foreground process group."""

    number: int
    everybody: bool = False


class Signals:
    """A context: within it the signals are queued in `came`, and `wake` is called for each. Enter it on the main thread
    while there is no other; `restore` undoes in a child what it inherits."""

    def __init__(self, numbers: Iterable[int], wake: Callable[[], None]) -> None:
        self.came: deque[Came] = deque()
        self._wake = wake
        self._wanted = {number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN}
        self._wanted.add(signal.SIGCHLD)
        self._children_ignored = signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
        self._before: set[int] = set()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)

    def __enter__(self) -> Signals:
        if self._children_ignored:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # or nobody would keep the command's exit code
        self._before = set(signal.pthread_sigmask(signal.SIG_BLOCK, self._wanted))
        return self

    def restore(self) -> None:
        if self._children_ignored:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def start(self) -> None:
        """Once the command has been started."""
        self._thread.start()

    def _run(self) -> None:
        while not self._over:
            self.came.append(_next(self._wanted))
            self._wake()

    def stop(self) -> None:
        """All that has come by now is in the queue; what comes later stays where it is."""
        if self._over:
            return
        self._over = True
        if self._thread.ident is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pthread_kill(self._thread.ident, signal.SIGCHLD)
            self._thread.join(5)
        self._take_pending()

    def _take_pending(self) -> None:
        while pending := signal.sigpending() & self._wanted:
            self.came.append(_next(pending))

    def __exit__(self, *error: object) -> None:
        self.stop()
        self._take_pending()  # what came when all was over must not end us with another code than the command's
        self.restore()


def _next(wanted: set[int]) -> Came:
    if not hasattr(signal, "sigwaitinfo"):
        number = signal.sigwait(wanted)
        return Came(number, number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP))
    info = signal.sigwaitinfo(wanted)
    return Came(info.si_signo, info.si_pid == 0 and info.si_code > 0)
