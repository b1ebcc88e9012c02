"""`jobtail run`: a command of this machine as a job.

One thread runs the command: it reads and passes its output, gets the signals, keeps the times. What is
written down is written by the threads of its `RunRecord`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..journal.redact import Redactor
from ..room import Disk
from ..settings import Settings
from . import terminal
from .aftermath import Aftermath
from .backlog import Backlog, backlog_path
from .child import TERMINAL_STOPS, CannotStart, Child, StartOptions, let_go, start
from .environment import for_command, hide_secrets
from .job import FAILED, Job, now_ms
from .journal_sink import JournalSink
from .keyboard import Keyboard, source
from .ladder import GRACE_SECONDS, Ladder
from .link import announcement
from .outcome import Cause, Outcome, Undelivered, outcome
from .record import RunRecord, new_job
from .relay import Relay, streams
from .signals import Came, Signals
from .sink import Sink

# How long the thread that passes output may wait for those that record it.
SWITCH_SECONDS = 0.0005
CANCEL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2)
HANDLED = (*CANCEL, *PASSED_ON, signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH, signal.SIGTSTP)


@dataclass(frozen=True, slots=True)
class Options:
    """`timeout`: seconds, None for none. `grace`: seconds from one signal that ends it to the next. `alone`: this
    process is there for the command only, so that its open files and standard input are the command's. `closed`:
    which of the three standard files it was started without. `sink`: makes the place where the job is reported, from a
    function that says something to people; without it that is the journal of this machine. `url`: the service that
    shows the job then."""

    name: str = ""
    quiet: bool = False
    timeout: float | None = None
    tty: bool = False
    grace: float = GRACE_SECONDS
    alone: bool = False
    closed: frozenset[int] = frozenset()
    sink: Callable[[Settings, Job, Callable[[str], None]], Sink] | None = None
    url: str = ""


class Runner:
    def __init__(self, command: Sequence[str], options: Options, settings: Settings) -> None:
        self._command = command
        self._options = options
        self._settings = settings
        self._relay = Relay(self._nothing, lambda: True, self._unwritable)
        self._signals = Signals(HANDLED, self._relay.wake)
        self._record: RunRecord | None = None
        self._keyboard: Keyboard | None = None
        self._ladder: Ladder | None = None
        self._cause: Cause | None = None
        self._who = ""
        self._stopping = self._pressed = self._interrupted = False
        self._aftermath = Aftermath()

    def run(self) -> int:
        """What to exit with; negative: the signal to die of."""
        sys.setswitchinterval(SWITCH_SECONDS)
        with self._signals:
            self._begin()
            end = self._outcome()
            if self._record is not None:
                self._record.end(end)
        self._relay.close()
        return -signal.SIGINT if self._pressed and self._interrupted and self._options.alone else end.exits

    def _begin(self) -> None:
        redactor = Redactor(self._settings.redact, self._settings.credentials())
        if self._options.alone:
            hide_secrets()
        self._job = new_job(self._command, self._options.name, redactor)
        try:
            sink: Sink
            if self._options.sink is None:
                sink = JournalSink(self._settings, redactor, self._job.id)
            else:
                sink = self._options.sink(self._settings, self._job, self._complain)
            disk = Disk(self._settings.data_dir, self._settings.disk_reserve_bytes)
            backlog = Backlog(backlog_path(self._settings.data_dir, self._job.id), disk=disk)
            self._record = RunRecord(sink, backlog, self._job, say=self._complain, wake=self._relay.wake)
        except Exception as error:  # whatever it is, the command runs
            self._complain(f"this run is not recorded: {error}")
            return
        if self._options.url:
            self._say(f"{self._options.url}/jobs/{self._job.id}")
        elif not self._options.quiet:
            announcement(self._settings, self._job.id, self._say)

    def _outcome(self) -> Outcome:
        how = StartOptions(
            for_command(self._job.id), self._options.tty, 0 in self._options.closed, before=self._signals.restore
        )
        try:
            child = start(self._command, how)
        except CannotStart as error:
            self._complain(str(error))
            if self._record is not None:
                self._record.start(os.getpid())
                self._record.recorder.put("stderr", now_ms(), f"jobtail: {error}\n".encode())
            return Outcome(FAILED, error.code, str(error), error.code)
        if child.keys >= 0 and (keys := source()) >= 0:
            self._keyboard = Keyboard(child.keys, keys)
            self._keyboard.start()
        if self._options.alone:
            let_go()
        self._signals.start()
        try:
            returncode = self._watch(child)
        finally:
            if self._keyboard is not None:
                self._keyboard.stop()
        return outcome(returncode, self._cause, self._who, self._options.timeout or 0, self._undelivered())

    def _undelivered(self) -> Undelivered | None:
        if self._relay.gone:
            return Undelivered()
        trouble = self._relay.trouble("stdout")
        return Undelivered(trouble) if trouble else None

    # --- while it runs

    def _watch(self, child: Child) -> int:
        if self._record is not None:
            self._record.start(child.process.pid)
            self._relay.record = self._record.recorder.put
            self._relay.room = self._record.recorder.room
        for number in self._options.closed - {0}:
            _unwritable(number)
        self._relay.begin(streams(child.outputs, {"stdout": 1, "stderr": 2}), child.order)
        started = time.monotonic()
        while True:
            now = time.monotonic()
            self._look(child, now, started)
            if self._over(child, now):
                self._signals.stop()
                self._look(child, now, started)  # what ended it may be known only now
                return self._returncode(child)
            if self._relay.step(self._patience(now, started)):
                self._aftermath.wrote(time.monotonic())

    def _returncode(self, child: Child) -> int:
        code = int(child.process.returncode)
        self._interrupted = code == -signal.SIGINT
        pressed = self._keyboard is not None and self._keyboard.interrupted
        if self._cause is None and pressed and code in (-signal.SIGINT, 128 + signal.SIGINT):
            self._cause, self._who = Cause.CANCEL, "Ctrl-C"
        return code

    def _look(self, child: Child, now: float, started: float) -> None:
        """Signals, somebody's wish to end it, time-outs."""
        while self._signals.came:
            self._signalled(self._signals.came.popleft(), child)
        if self._cause is None and child.process.poll() is None:
            asked = self._record.cancel_asked if self._record is not None else None
            timeout = self._options.timeout
            if asked is not None:
                self._end(child, Cause.CANCEL, asked)
            elif timeout is not None and now - started >= timeout:
                self._complain(f"{timeout:g} s are up: ending it")
                self._end(child, Cause.TIMEOUT)
        if self._ladder is not None:
            for number in self._ladder.due(now):
                child.signal(number)

    def _signalled(self, came: Came, child: Child) -> None:
        number = came.number
        passed = came.everybody and child.shares  # the command has got it too
        if number == signal.SIGCHLD:
            child.reap()
            self._stopped(child)
        elif number == signal.SIGWINCH and self._options.tty:
            terminal.copy_size(child.outputs["stdout"])
        elif number == signal.SIGTSTP and not passed:
            self._stopping = True
            child.stop()
        elif number in (*PASSED_ON, signal.SIGCONT):
            if not passed:
                child.signal(number)
        elif number in CANCEL:
            self._asked_to_end(came, child, passed)

    def _stopped(self, child: Child) -> None:
        """Where the terminal, or a signal to the whole group, has stopped the command, our parent has to see us stop
        too."""
        number = child.stopped()
        if number and (self._stopping or (child.shares and number in TERMINAL_STOPS)):
            for _ in range(100):
                if not self._relay.step(0):
                    break
            self._stop(child)

    def _stop(self, child: Child) -> None:
        if self._keyboard is not None:
            self._keyboard.pause()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._stopping = False
        if self._keyboard is not None:
            self._keyboard.resume()
        child.signal(signal.SIGCONT)

    def _asked_to_end(self, came: Came, child: Child, passed: bool) -> None:
        number = came.number
        who = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        self._pressed = self._pressed or (number == signal.SIGINT and came.everybody)
        code = child.process.poll()
        if self._cause is not None and code is None:
            child.signal(signal.SIGKILL if number == signal.SIGINT else number)
        elif self._cause is None and code in (None, -number):
            if number == signal.SIGINT and code is None:
                self._say("cancelling; Ctrl-C again kills it")
            if self._record is not None:
                self._record.ask_cancel(who)
            self._end(child, Cause.CANCEL, who, number, passed)

    def _end(
        self, child: Child, cause: Cause, who: str = "", number: int = signal.SIGTERM, passed: bool = False
    ) -> None:
        """Asks the whole group to end, with one signal after the other."""
        self._cause, self._who = cause, who
        self._ladder = Ladder(number, self._options.grace, time.monotonic())
        if not passed:
            child.signal(number)
        child.signal(signal.SIGCONT)

    def _over(self, child: Child, now: float) -> bool:
        """The command has ended, and so has its output, or nobody can tell how long others keep it open."""
        if child.process.poll() is None:
            return False
        self._aftermath.look(now, free=self._relay.room() and not self._relay.passing)
        if self._ladder is not None and not self._ladder.over and child.alive():
            return False
        if self._relay.over:
            return True
        return self._aftermath.over(now)

    def _patience(self, now: float, started: float) -> float:
        """How long nothing has to be done if nothing happens."""
        seconds = 0.1 if self._aftermath.begun or not self._relay.room() else 1.0
        if self._ladder is not None:
            seconds = min(seconds, self._ladder.next_at - now)
        if self._options.timeout is not None and self._cause is None:
            seconds = min(seconds, started + self._options.timeout - now)
        return seconds

    # --- what we say

    def _nothing(self, stream: str, timestamp: int, data: bytes) -> None:
        pass

    def _unwritable(self, stream: str, why: str) -> None:
        name = "standard output" if stream == "stdout" else "standard error"
        self._complain(f"{name} can't be written: {why}; the job's log has all of it")

    def _say(self, message: str) -> None:
        if not self._options.quiet:
            self._complain(message)

    def _complain(self, message: str) -> None:
        with contextlib.suppress(OSError):
            os.write(2, f"jobtail: {message}\n".encode("utf-8", "replace"))


def run(command: Sequence[str], options: Options, settings: Settings) -> int:
    """Runs the command, and gives what to exit with: its own code, 128 + signal, 124 when its time was up,
    127 and 126 where it can't be started; 1 and 141 where it ended well, but its output reached nobody."""
    sys.stdout.flush()
    code = Runner(command, options, settings).run()
    if code < 0:
        # A shell that runs us in a loop must see that its Ctrl-C has ended what it ran (and stop the loop).
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return abs(code)


def _unwritable(number: int) -> None:
    """A standard file that was closed has been replaced by one that takes everything, and what the command writes there
    is lost. This one can't be written, so that the loss is reported as for any such file."""
    held = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(held, number)
    os.close(held)
