"""`webapp.run`: a job from Python. A block of a program reports what it prints and how it ends; a command is run."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO, overload

from ..client.address import service_url
from ..engine.backlog import Backlog, backlog_path
from ..engine.job import CANCELED, DONE, FAILED, now_ms
from ..engine.journal_sink import JournalSink
from ..engine.link import base
from ..engine.outcome import Outcome
from ..engine.record import Record, new_job
from ..engine.sink import Sink
from ..journal.redact import Redactor
from ..room import Disk
from ..settings import Settings, load_settings_for_a_command
from .sink import LINGER_SECONDS, PushSink

ROOM_SECONDS = 0.01


def _say(message: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        if sys.__stderr__ is not None:
            print(f"jobtail: {message}", file=sys.__stderr__, flush=True)


class Tee(io.TextIOBase):
    """Writes where it was written before, and to the job."""

    def __init__(self, under: TextIO, put: Callable[[bytes], None]) -> None:
        self._under = under
        self._put = put

    def write(self, text: str) -> int:
        self._put(text.encode("utf-8", "replace"))
        return self._under.write(text)

    def flush(self) -> None:
        self._under.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._under.isatty()

    def fileno(self) -> int:
        return self._under.fileno()


class Reporting:
    """A context. What `print` and whatever else writes to `sys.stdout` and `sys.stderr` becomes lines of the job, and
    so does the traceback of an exception that leaves it; processes that the block starts write past it.

    `id`, `url`: of the job. `cancel_asked`: who wants its end ("" for nobody in particular), None while nobody does;
    a block that can stop early looks at it.
    """

    def __init__(self, name: str, to: str | None, token: str | None, linger: float) -> None:
        self._settings = load_settings_for_a_command(_say)
        address = os.environ.get("JOBTAIL_RUN_TO", "") if to is None else to
        self._to = service_url(address, "to") if address else ""
        self._token = os.environ.get("JOBTAIL_TOKEN", "") if token is None else token
        self._linger = linger
        secrets = [*self._settings.credentials(), *([self._token] if self._token else [])]
        self._redactor = Redactor(self._settings.redact, tuple(secrets))
        self._job = new_job(sys.argv or ["python"], name, self._redactor)
        self.id = self._job.id
        self.url = f"{self._to or base(self._settings)}/jobs/{self.id}"
        self._record: Record | None = None
        self._before: list[tuple[str, Any]] = []

    @property
    def cancel_asked(self) -> str | None:
        return None if self._record is None else self._record.cancel_asked

    def __enter__(self) -> Reporting:
        try:
            sink = self._sink(self._settings)
            disk = Disk(self._settings.data_dir, self._settings.disk_reserve_bytes)
            backlog = Backlog(backlog_path(self._settings.data_dir, self.id), disk=disk)
            self._record = Record(sink, backlog, self._job, say=_say, wake=lambda: None)
            self._record.start(os.getpid())
        except Exception as error:  # whatever it is, the block runs
            _say(f"this run is not recorded: {error}")
            return self
        _say(self.url)
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
            settings, self._job, self._to, self._token, linger=self._linger, say=_say, hurried=lambda: False
        )

    def write(self, data: bytes, stream: str = "stdout") -> None:
        """Bytes of the job's output, as they are: a line ends at its newline."""
        if self._record is None or not data:
            return
        while not self._record.recorder.room():
            time.sleep(ROOM_SECONDS)
        self._record.recorder.put(stream, now_ms(), data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream, under in self._before:
            setattr(sys, stream, under)
        if error is not None and not isinstance(error, SystemExit):
            self.write("".join(traceback.format_exception(kind, error, trace)).encode("utf-8", "replace"), "stderr")
        if self._record is not None:
            self._record.end(_outcome(error, self._redactor))


def _outcome(error: BaseException | None, redactor: Redactor) -> Outcome:
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        return Outcome(FAILED if code else DONE, code, f"exit code {code}" if code else "", code)
    if error is None:
        return Outcome(DONE, 0, "", 0)
    if isinstance(error, KeyboardInterrupt):
        return Outcome(CANCELED, 130, "cancelled by Ctrl-C", 130)
    text = redactor.text(f"{type(error).__name__}: {error}")[:500]
    return Outcome(FAILED, 1, text, 1)


class Handler(logging.Handler):
    """Log records as lines of a job that is under way: `logging.getLogger().addHandler(Handler(job))`. A line begins
    with its level, by which the service knows it; `setFormatter` with a format that keeps it there."""

    def __init__(self, job: Reporting, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._job = job
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._job.write(self.format(record).encode("utf-8", "replace") + b"\n", "stderr")
        except Exception:
            self.handleError(record)


@overload
def run(
    what: str, *, to: str | None = None, token: str | None = None, linger: float = LINGER_SECONDS
) -> Reporting: ...


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
    code = subprocess.run([sys.executable, "-m", "webapp", "run", *options, "--", *what], env=env, check=False)
    return code.returncode if code.returncode >= 0 else 128 - code.returncode
