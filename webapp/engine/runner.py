"""`jobtail run`: a command of this machine as a job.

One thread runs the command: it reads and passes its output, gets the signals, keeps the times. What is
written down is written by the threads of its `Record`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from urllib.parse import urlsplit

from ..errors import JobtailError
from ..settings import Settings, loopback
from . import link
from .child import CannotStart, Child, copy_window, environment, start
from .job import FAILED, now_ms
from .keyboard import Keyboard
from .outcome import Cause, Outcome, outcome
from .record import Record, new_job
from .relay import Relay, stream

GRACE_SECONDS = 10.0
# Processes that the command left behind may hold its output open: so long we listen when they are silent, and
# when they are not. The time in which somebody slow takes what the command itself wrote is none of it.
QUIET_SECONDS = 2.0
LEFT_SECONDS = 10.0
ASK_SECONDS = 3.0
CANCEL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2)
HANDLED = (*CANCEL, *PASSED_ON, signal.SIGCHLD, signal.SIGWINCH, signal.SIGTSTP)


@dataclass(frozen=True, slots=True)
class Options:
    """`timeout`: seconds, None for none. `grace`: seconds from SIGTERM to SIGKILL."""

    name: str = ""
    quiet: bool = False
    timeout: float | None = None
    tty: bool = False
    grace: float = GRACE_SECONDS


class Runner:
    def __init__(self, command: Sequence[str], options: Options, settings: Settings) -> None:
        self._command = command
        self._options = options
        self._settings = settings
        self._relay = Relay((), self._nothing, lambda: True)
        self._record: Record | None = None
        self._asking: threading.Thread | None = None
        self._signals: deque[int] = deque()
        self._cause: Cause | None = None
        self._who = ""
        self._kill_at: float | None = None
        self._exited = self._free = False
        self._busy_at = self._looked_at = self._listened = 0.0

    def run(self) -> int:
        """What to exit with."""
        job = new_job(self._command, self._options.name, self._settings)
        try:
            self._record = Record(self._settings, job, say=self._complain, wake=self._relay.wake)
        except JobtailError as error:
            self._complain(f"this run is not recorded: {error}")
        else:
            self._announce(link.base(self._settings), job.id)
        with _Handlers(self._signals, self._relay.wakeup_fd):
            end = self._outcome(job.id)
            if self._record is not None:
                self._record.end(end)
        self._relay.close()
        return end.exits

    def _announce(self, base: str, job: str) -> None:
        """The link at once; whether somebody serves it, where that is known as soon."""
        near = loopback(urlsplit(base).hostname or "")
        unserved = near and not link.answers(base)
        self._say(f"{base}/jobs/{job}" + ("  (start jobtail serve to see it)" if unserved else ""))
        if not near:
            self._asking = threading.Thread(target=self._ask, args=(base,), daemon=True)

    def _ask(self, base: str) -> None:
        if not link.answers(base, ASK_SECONDS):
            self._say(f"no service answers at {base}: start jobtail serve to see it")

    def _outcome(self, job: str) -> Outcome:
        typed = os.isatty(0)
        try:
            child = start(self._command, environment(job), tty=self._options.tty, own_input=typed)
        except CannotStart as error:
            self._complain(str(error))
            if self._record is not None:
                self._record.start(os.getpid())
                self._record.recorder.put("stderr", now_ms(), f"jobtail: {error}\n".encode())
            return Outcome(FAILED, error.code, str(error), error.code)
        keyboard = Keyboard(child.input, self._options.tty) if child.input >= 0 else None
        if keyboard is not None:
            keyboard.start()
        try:
            returncode = self._watch(child)
        finally:
            if keyboard is not None:
                keyboard.stop()
        return outcome(returncode, self._cause, self._who, self._options.timeout or 0)

    # --- while it runs

    def _watch(self, child: Child) -> int:
        targets = {"stdout": 1, "stderr": 2}
        self._relay.streams = [stream(name, fd, targets[name]) for name, fd in child.outputs.items()]
        if self._record is not None:
            self._record.start(child.process.pid)
            self._relay.record = self._record.recorder.put
            self._relay.room = self._record.recorder.room
        if self._asking is not None:
            self._asking.start()
        started = time.monotonic()
        while True:
            now = time.monotonic()
            self._look(child, now, started)
            if self._over(child, now):
                return int(child.process.returncode)
            if self._relay.step(self._patience(now, started)):
                self._busy_at = time.monotonic()

    def _look(self, child: Child, now: float, started: float) -> None:
        """Signals, somebody's wish to end it, time-outs."""
        while self._signals:
            self._signalled(self._signals.popleft(), child)
        asked = self._record.cancel_asked if self._record is not None else None
        if asked is not None:
            self._end(child, Cause.CANCEL, asked)
        if self._options.timeout is not None and now - started >= self._options.timeout:
            if self._cause is None and child.process.poll() is None:
                self._complain(f"{self._options.timeout:g} s are up: ending it")
            self._end(child, Cause.TIMEOUT)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            child.signal(signal.SIGKILL)

    def _signalled(self, number: int, child: Child) -> None:
        if number == signal.SIGWINCH:
            if self._options.tty:
                copy_window(child.outputs["stdout"])
        elif number == signal.SIGTSTP:
            child.signal(signal.SIGTSTP)
            os.kill(os.getpid(), signal.SIGSTOP)
            child.signal(signal.SIGCONT)
        elif number in PASSED_ON:
            child.signal(number)
        elif number in CANCEL:
            if self._cause is not None and number == signal.SIGINT:
                child.signal(signal.SIGKILL)
            who = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
            if self._cause is None and child.process.poll() is None:
                if number == signal.SIGINT:
                    self._say("cancelling; Ctrl-C again kills it")
                if self._record is not None:
                    self._record.ask_cancel(who)
            self._end(child, Cause.CANCEL, who)

    def _end(self, child: Child, cause: Cause, who: str = "") -> None:
        """Asks the whole group to end. A command that was already over ended by itself."""
        if self._cause is not None or child.process.poll() is not None:
            return
        self._cause, self._who = cause, who
        self._kill_at = time.monotonic() + self._options.grace
        child.signal(signal.SIGTERM)
        child.signal(signal.SIGCONT)

    def _over(self, child: Child, now: float) -> bool:
        """The command has ended, and so has its output, or nobody can tell how long others keep it open."""
        if child.process.poll() is None:
            return False
        if not self._exited:
            self._exited, self._busy_at = True, now
        free, self._free = self._free, self._relay.room() and not self._relay.passing
        self._listened += now - self._looked_at if free and self._free else 0.0
        self._looked_at = now
        if self._cause is not None and self._kill_at is not None and child.alive():
            return False
        if self._relay.over:
            return True
        return self._free and (now - self._busy_at > QUIET_SECONDS or self._listened > LEFT_SECONDS)

    def _patience(self, now: float, started: float) -> float:
        """How long nothing has to be done if nothing happens."""
        seconds = 0.1 if self._exited or not self._relay.room() else 1.0
        if self._kill_at is not None:
            seconds = min(seconds, self._kill_at - now)
        if self._options.timeout is not None and self._cause is None:
            seconds = min(seconds, started + self._options.timeout - now)
        return seconds

    # --- what we say

    def _nothing(self, stream: str, timestamp: int, data: bytes) -> None:
        pass

    def _say(self, message: str) -> None:
        if not self._options.quiet:
            self._complain(message)

    def _complain(self, message: str) -> None:
        with contextlib.suppress(OSError):
            os.write(2, f"jobtail: {message}\n".encode())


class _Handlers:
    """Signals become entries of a queue, and wake the relay; afterwards all is as it was. One that was
    ignored (nohup) stays so."""

    def __init__(self, queue: deque[int], wakeup_fd: int) -> None:
        self._queue = queue
        self._fd = wakeup_fd

    def __enter__(self) -> None:
        self._wakeup = signal.set_wakeup_fd(self._fd, warn_on_full_buffer=False)
        self._before = {number: signal.getsignal(number) for number in HANDLED}
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._queue.append(number)

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        signal.set_wakeup_fd(self._wakeup)


def run(command: Sequence[str], options: Options, settings: Settings) -> int:
    """Runs the command, and gives what to exit with: its own code, 128 + signal, 124 when its time was up,
    127 and 126 where it can't be started."""
    sys.stdout.flush()
    return Runner(command, options, settings).run()
