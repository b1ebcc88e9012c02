"""What is recorded of a job while it runs: that it is alive, its lines and its status, and how it ended.

A runner goes on without it: where nothing can be recorded, the command still runs and its output still passes.
"""

from __future__ import annotations

import getpass
import os
import platform
import shlex
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..errors import JobtailError
from ..journal.redact import Redactor
from .backlog import Backlog
from .job import CANCELING, Job, new_id, now_ms, status_of
from .outcome import Outcome
from .recorder import Recorder
from .sink import Sink

BEAT_SECONDS = 0.2
CLOSE_SECONDS = 5.0
NAME_LENGTH = 80


class RunRecord:
    """Open from just before the command starts to just after it ended. JobtailError where it can't be begun.

    `wake`: called from other threads when somebody asks for the job's end, and when there is room again.
    """

    def __init__(
        self, sink: Sink, backlog: Backlog, job: Job, *, say: Callable[[str], None], wake: Callable[[], None]
    ) -> None:
        self.job = job
        self.cancel_asked: str | None = None
        self._sink = sink
        self._backlog = backlog
        self._wake = wake
        self._say = say
        sink.begin(job)
        self.recorder = Recorder(sink, backlog, say=say, caught_up=wake)
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self, pid: int) -> None:
        """The command runs."""
        self.job = replace(self.job, pid=pid)
        self.recorder.set_status(self._status())
        self.recorder.start()
        self._keeper.start()

    def _status(self) -> dict[str, Any]:
        return status_of(self.job).model_dump(mode="json")

    def _keep(self) -> None:
        """Says that we live, and sees within a moment that somebody asks for the end."""
        trouble = ""
        while not self._over.wait(BEAT_SECONDS):
            try:
                beat = self._sink.beat(self.job)
                if beat.revived:
                    self.recorder.set_status(self._status())
                if beat.cancelled_by is not None and self.cancel_asked is None:
                    self._cancelled(beat.cancelled_by)
                trouble = ""
            except JobtailError as error:
                if not trouble:
                    self._say(f"its heartbeat can't be written: {error}")
                trouble = str(error)

    def _cancelled(self, who: str) -> None:
        self.job = replace(self.job, state=CANCELING, state_ms=now_ms())
        self.recorder.set_status(self._status())
        self.cancel_asked = who
        self._wake()

    def ask_cancel(self, who: str) -> None:
        """The person in front of the terminal asks for the end: recorded, so that others see it."""
        threading.Thread(target=self._ask_cancel, args=(who,), daemon=True).start()

    def _ask_cancel(self, who: str) -> None:
        try:
            self._sink.ask_cancel(self.job, who)
        except JobtailError as error:
            self._say(f"that it was cancelled can't be written: {error}")

    def end(self, end: Outcome) -> None:
        """Everything that was read gets to the sink, then the end does. Says so where it can't, and returns."""
        whole = self.recorder.close(CLOSE_SECONDS)
        self._over.set()
        at = now_ms()
        self.job = replace(
            self.job,
            state=end.state,
            state_ms=at,
            heartbeat_ms=at,
            exit_code=end.exit_code,
            detail=end.detail,
        )
        try:
            if whole:
                self._sink.finish(self.job, complete=not self.recorder.lost)
            else:
                self._say(self.recorder.left())
                self._sink.leave(self.job)
        except JobtailError as error:
            self._say(f"its end can't be written: {error}")
            if whole:
                self._backlog.save()  # says that nothing is missing, for the process that writes the end later
        self._close()

    def _close(self) -> None:
        if self._keeper.ident is not None:
            self._keeper.join(5)
        try:
            self._sink.close()
        except (OSError, JobtailError) as error:
            self._say(f"the data folder can't be closed: {error}")


def new_job(command: Sequence[str], name: str, redactor: Redactor) -> Job:
    """A job that is about to start, without the secrets of its command line."""
    at = now_ms()
    shown = redactor.value([clean(part) for part in command])
    title = clean(name) or shlex.join([os.path.basename(shown[0]) or shown[0], *shown[1:]])
    return Job(
        id=new_id(at),
        name=shortened(redactor.text(title)),
        command=tuple(shown),
        cwd=redactor.text(clean(_folder())),
        host=socket.gethostname(),
        user=_user(),
        python=platform.python_version(),
        pid=os.getpid(),
        created_ms=at,
        heartbeat_ms=at,
    )


def clean(text: str) -> str:
    """Names on this machine may hold bytes that are not UTF-8, and JSON may not."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def visible(text: str) -> str:
    """What a stranger says of a job: nothing in it moves a terminal's cursor or turns a page's text around."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def shortened(title: str) -> str:
    """On one line, and no longer than a list can show."""
    title = " ".join("".join(char if char.isprintable() else " " for char in title).split())
    return title if len(title) <= NAME_LENGTH else title[: NAME_LENGTH - 1] + "…"


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return os.environ.get("PWD", "")  # it has been removed


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
