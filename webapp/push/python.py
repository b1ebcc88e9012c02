"""`webapp.run`: a job from Python. A block of a program reports what it prints and how it ends; a command is run."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Any, TextIO, overload

from ..client.address import service_url
from ..engine.backlog import Backlog, backlog_path
from ..engine.job import CANCELED, FAILED, now_ms
from ..engine.journal_sink import JournalSink
from ..engine.ladder import GRACE_SECONDS
from ..engine.link import base
from ..engine.outcome import Cause, Outcome, outcome
from ..engine.record import RunRecord, new_job
from ..engine.sink import Sink
from ..journal.redact import Redactor
from ..room import Disk
from ..settings import Settings, load_settings_for_a_command
from .sink import LINGER_SECONDS, PushSink
from .tee import Tee

ROOM_SECONDS = 0.01
# The page's level of a log record: the first of these whose number the record reaches.
LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info"), (1, "debug"))


class Reporting:
    """A context. What `print` and whatever else writes to `sys.stdout` and `sys.stderr` becomes lines of the job, on
    every thread, and so does the traceback of an exception that leaves it. Processes that the block starts, forks
    included, write past it.

    `id`, `url`: of the job. `cancel_asked`: who wants its end ("" for nobody in particular), None while nobody does;
    a block that can stop early looks at it.
    """

    def __init__(self, name: str, to: str | None, token: str | None, linger: float) -> None:
        self._stderr: TextIO | None = sys.stderr
        self._settings = load_settings_for_a_command(self._say)
        address = os.environ.get("JOBTAIL_RUN_TO", "") if to is None else to
        self._to = service_url(address, "to") if address else ""
        self._token = (os.environ.get("JOBTAIL_TOKEN", "") if token is None else token).strip()
        self._linger = linger
        secrets = [*self._settings.credentials(), *([self._token] if self._token else [])]
        self._redactor = Redactor(self._settings.redact, tuple(secrets))
        self._job = new_job(sys.argv or ["python"], name, self._redactor)
        self.id = self._job.id
        self.url = f"{self._to or base(self._settings)}/jobs/{self.id}"
        self._record: RunRecord | None = None
        self._before: list[tuple[str, Any]] = []
        self._pid = os.getpid()
        self._over = False
        self._hurry = threading.Event()

    @property
    def cancel_asked(self) -> str | None:
        return None if self._record is None else self._record.cancel_asked

    def __enter__(self) -> Reporting:
        try:
            sink = self._sink(self._settings)
            disk = Disk(self._settings.data_dir, self._settings.disk_reserve_bytes)
            backlog = Backlog(backlog_path(self._settings.data_dir, self.id), disk=disk)
            self._record = RunRecord(sink, backlog, self._job, say=self._say, wake=lambda: None)
            self._record.start(os.getpid())
        except Exception as error:  # whatever it is, the block runs
            self._record = None
            self._say(f"this run is not recorded: {error}")
            return self
        self._say(self.url)
        for stream in ("stdout", "stderr"):
            under = getattr(sys, stream)
            self._before.append((stream, under))
            if under is not None:
                setattr(sys, stream, Tee(under, lambda data, stream=stream: self.write(data, stream)))  # type: ignore[misc]
        return self

    def _sink(self, settings: Settings) -> Sink:
        if not self._to:
            return JournalSink(settings, self._redactor, self.id)
        return PushSink(
            settings, self._job, self._to, self._token,
            linger=self._linger, say=self._say, hurried=self._hurry.is_set,
        )  # fmt: skip

    def _say(self, message: str) -> None:
        """Tells whoever runs the block, on the standard error that it had before (in a notebook: its cell). It is
        no line of the job."""
        with contextlib.suppress(OSError, ValueError):
            if self._stderr is not None:
                print(f"jobtail: {message}", file=self._stderr, flush=True)

    def write(self, data: bytes, stream: str = "stdout") -> None:
        """Bytes of the job's output, as they are: a line ends at its newline. `stream`: "stdout" or "stderr". Once the
        block is over, and in another process, nothing is done."""
        self._put(data, stream)

    def log(self, message: str, level: str) -> None:
        """Whole lines with a level of their own: "error", "warning", "info" or "debug"."""
        self._put(message.encode("utf-8", "replace") + b"\n", "stderr", level)

    def _put(self, data: bytes, stream: str, level: str = "") -> None:
        # A forked process has no recorder thread, and in its copy of our locks some may be held for good.
        if self._record is None or self._over or not data or os.getpid() != self._pid:
            return
        while not self._record.recorder.room():
            time.sleep(ROOM_SECONDS)
        self._record.recorder.put(stream, now_ms(), data, level)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream, under in self._before:
            setattr(sys, stream, under)
        if self._record is None or os.getpid() != self._pid:
            return
        if error is not None and not isinstance(error, SystemExit):
            self.write("".join(traceback.format_exception(kind, error, trace)).encode("utf-8", "replace"), "stderr")
        self._over = True
        self._end(self._record, _outcome(error, self.cancel_asked, self._redactor))

    def _end(self, record: RunRecord, how: Outcome) -> None:
        """On a thread of its own, so that Ctrl-C ends only the wait for the network: the job's end is still written."""
        over = threading.Event()

        def end() -> None:
            try:
                record.end(how)
            finally:
                over.set()

        try:
            threading.Thread(target=end, name="ender", daemon=True).start()
        except RuntimeError:  # no thread can be started while the interpreter shuts down
            end()
        pressed = False
        while not over.is_set():
            try:
                over.wait()
            except KeyboardInterrupt:
                pressed = True
                self._hurry.set()
        if pressed:
            raise KeyboardInterrupt


def _outcome(error: BaseException | None, cancel_asked: str | None, redactor: Redactor) -> Outcome:
    cause = None if cancel_asked is None else Cause.CANCEL
    if error is None or isinstance(error, SystemExit):
        code = error.code if isinstance(error, SystemExit) else 0
        number = code & 0xFF if isinstance(code, int) else 0 if code is None else 1
        return outcome(number, cause, cancel_asked or "")
    if isinstance(error, KeyboardInterrupt):
        return Outcome(CANCELED, 130, "cancelled by Ctrl-C", 130)
    text = redactor.text(f"{type(error).__name__}: {error}")[:500]
    return Outcome(FAILED, 1, text, 1)


class Handler(logging.Handler):
    """Log records as lines of a job that is under way: `logging.getLogger().addHandler(Handler(job))`. Each line of a
    record, its traceback too, bears the record's level, whatever the format. They are lines of standard error."""

    def __init__(self, job: Reporting, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._job = job
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = next((name for least, name in LEVELS if record.levelno >= least), "")
            self._job.log(self.format(record), level)
        except Exception:
            self.handleError(record)


@overload
def run(what: str, *, to: str | None = None, token: str | None = None, linger: float = LINGER_SECONDS) -> Reporting: ...


@overload
def run(
    what: list[str] | tuple[str, ...], *, to: str | None = None, token: str | None = None,
    linger: float = LINGER_SECONDS, name: str = "",
) -> int: ...  # fmt: skip


def run(
    what: str | list[str] | tuple[str, ...], *, to: str | None = None, token: str | None = None,
    linger: float = LINGER_SECONDS, name: str = "",
) -> Reporting | int:  # fmt: skip
    """With a name, a context that reports what the block prints and how it ends. With a list, runs that command as
    `jobtail run` does, and gives its exit code. `to`: the service, or JOBTAIL_RUN_TO; neither: the journal of this
    machine. `token`: a run token of that service, or JOBTAIL_TOKEN. `linger`: seconds for which the rest is sent once
    all is over.
    """
    if isinstance(what, str):
        return Reporting(what, to, token, linger)
    options = [*(("--to", to) if to else ()), *(("--name", name) if name else ()), "--linger", f"{linger:g}"]
    env = os.environ | ({} if token is None else {"JOBTAIL_TOKEN": token})
    with subprocess.Popen([sys.executable, "-m", "webapp", "run", *options, "--", *what], env=env) as child:
        code = _waited(child)
    return code if code >= 0 else 128 - code


def _waited(child: subprocess.Popen[bytes]) -> int:
    """The child's return code. A terminal sends Ctrl-C to all processes in its foreground, so `jobtail run` has
    received it too and cancels the command, which may take some time to tidy up. A second Ctrl-C is passed on. Where
    the first reached this process alone, the child is asked to end after a while."""
    pressed = 0
    while True:
        try:
            code = child.wait(GRACE_SECONDS if pressed == 1 else None)
        except subprocess.TimeoutExpired:
            pressed += 1
            child.send_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            pressed += 1
            if pressed > 1:
                child.send_signal(signal.SIGINT)
        else:
            if pressed:
                raise KeyboardInterrupt
            return code
