"""The sink of a job that is reported to a service on another machine: nothing that it does waits for the network."""

from __future__ import annotations

import contextlib
import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from ..engine.backlog import Hole
from ..engine.job import Job
from ..engine.lock import RunnerLock
from ..engine.sink import Beat, Place, Unfinished
from ..journal.text import Text
from ..room import Disk
from ..settings import Settings
from . import outbox
from .outbox import Letter
from .sender import Sender
from .spool import Spool

LINGER_SECONDS = 60.0
COMMAND_BYTES = 24 << 10
ARGUMENT_LENGTH = 2000
HURRY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def in_a_hurry() -> bool:
    """Somebody wants this process to end: the runner holds its signals back until all is over."""
    return bool(signal.sigpending() & set(HURRY))


class PushSink:
    """Implements `engine.sink.Sink`. What it has taken is in the spool; the sender brings it on."""

    holds_up = False

    def __init__(
        self, settings: Settings, job: Job, url: str, token: str, *, linger: float, say: Callable[[str], None],
        hurried: Callable[[], bool] = in_a_hurry,
    ) -> None:  # fmt: skip
        self._folder = outbox.folder_of(settings.data_dir, job.id)
        self._lock = RunnerLock(settings.data_dir / outbox.FOLDER, job.id)
        self._spool = Spool(self._folder, disk=Disk(settings.data_dir, settings.disk_reserve_bytes))
        self._letter = Letter(url, job.id, begin_of(job), f"run-{secrets.token_hex(8)}")
        self._sender = Sender(self._letter, self._spool, token, say)
        self._linger = linger
        self._say = say
        self._hurried = hurried
        self._taken = 0

    def begin(self, job: Job) -> None:
        try:
            self._lock.hold()
            outbox.write(self._folder, self._letter)
        except OSError as error:
            self._say(f"nothing can be kept on this machine ({self._folder}: {error.strerror}): lines wait in memory")

    def ready(self, *, unsure: bool) -> Place:
        """The sender starts only now, when the command has been started: libraries open files that a command which
        is started meanwhile would inherit, and that `let_go` would close."""
        self._sender.start()
        return "spool", self._taken

    def put(self, lines: Sequence[Text], unfinished: Unfinished) -> Place:
        self._spool.push(lines)
        self._taken += sum(each.count for each in lines)
        self._sender.show(unfinished)
        return "spool", self._taken

    def miss(self, reason: str, count: int | None) -> None:
        self._spool.push([Hole(count or 0)])
        self._sender.wake()

    def set_status(self, status: Mapping[str, Any]) -> None:
        """Nothing to send: the service derives the status from the job's beginning, heartbeats and end."""

    def show(self, unfinished: Unfinished) -> None:
        self._sender.show(unfinished)

    def beat(self, job: Job) -> Beat:
        return Beat(self._sender.cancelled_by)

    def ask_cancel(self, job: Job, who: str) -> None:
        """Nothing to send: the job's end says who asked."""

    def finish(self, job: Job, complete: bool) -> None:
        self._sender.start()
        complete = complete and not self._spool.lost
        self._letter.end = end_of(job) | {"complete": complete}
        with contextlib.suppress(OSError):
            outbox.write(self._folder, self._letter)
        if self._sender.finish(self._linger, self._hurried):
            outbox.remove(self._folder)
            return
        waiting = self._spool.waiting
        if self._spool.save():
            what = f"{waiting} lines stay" if waiting else "its end stays"
            self._say(f"{what} in {self._folder}: jobtail push sends what is there")
        else:
            what = f"not all of {waiting} lines" if waiting else "its end"
            self._say(f"{what} could be sent, and what is left could not be kept in {self._folder}")

    def leave(self, job: Job) -> None:
        self.finish(job, complete=False)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._lock.release()


def begin_of(job: Job) -> dict[str, Any]:
    """Within the bounds of the wire."""
    return {
        "name": job.name[:1000], "command": shown(job.command), "cwd": job.cwd[:4096], "host": job.host[:255],
        "user": job.user[:255], "python": job.python[:100], "pid": job.pid, "created_ms": job.created_ms,
    }  # fmt: skip


def shown(command: Sequence[str]) -> list[str]:
    """As much of a command line as one request should hold."""
    kept: list[str] = []
    size = 0
    for part in command:
        part = part if len(part) <= ARGUMENT_LENGTH else part[:ARGUMENT_LENGTH] + "…"
        size += len(orjson.dumps(part)) + 1
        if size > COMMAND_BYTES:
            return [*kept, f"… and {len(command) - len(kept)} more"]
        kept.append(part)
    return kept


def end_of(job: Job) -> dict[str, Any]:
    return {"exit_code": job.exit_code, "state": job.state, "detail": job.detail[:1000]}
