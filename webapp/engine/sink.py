"""Where a job is reported: the seam between what runs a command and what keeps its lines.

The runner reads and passes the command's output and never waits for a sink. A `Recorder` takes the output apart,
holds what a sink can't take now (in memory, then in a `Backlog` on the disk), and tries again. A sink has to do no
more than what its methods say, each of which may raise JobtailError: it could not be done now, and what was given is
given again later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..journal.text import Text
from .job import Job

# A journal and its last line: what has been taken, for good. ("", 0): nothing, and where to is not known yet.
Place = tuple[str, int]
# By stream, what was written after the last newline: {"stderr": {"message": "41%", "timestamp": ms}}. None: nothing.
Unfinished = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Beat:
    """What the other side says of the job. `cancelled_by`: who asked for its end ("" for nobody in particular), None
    while nobody does. `revived`: it had been given up, and its status is set again."""

    cancelled_by: str | None
    revived: bool = False


class LineSink(Protocol):
    """Where lines go. All is called by one thread, the recorder's."""

    holds_up: bool
    """True: while it works and is merely slower than the command, the command waits, as for a pipe. False: the command
    does not wait; what the sink can't take yet goes to the backlog."""

    def ready(self, *, unsure: bool) -> Place:
        """Called before anything is given, and once a second where nothing is. What has been taken. `unsure`: a call
        has failed, so that this is to be asked for anew: more may have been taken than was confirmed, or what had been
        taken may be gone."""
        ...

    def put(self, lines: Sequence[Text], unfinished: Unfinished) -> Place:
        """Takes all of them or none. What has been taken now. `unfinished`: see `show`."""
        ...

    def miss(self, reason: str, count: int | None) -> None:
        """Lines are missing here, so many where that is known. `reason`: "upstream", they never got this far;
        "trimmed", they had been taken and are there no more."""
        ...

    def set_status(self, status: Mapping[str, Any]) -> None:
        """The job's status has changed."""
        ...

    def show(self, unfinished: Unfinished) -> None:
        """What the command has written after its last newline, in place of what was shown before."""
        ...


class Sink(LineSink, Protocol):
    """Where a job is reported. `beat` and `ask_cancel` are called on threads of their own, the rest on the runner's,
    `finish` and `leave` after the recorder's has ended."""

    def begin(self, job: Job) -> None:
        """The job is known from now on. An error: it is not, and nothing is recorded."""
        ...

    def beat(self, job: Job) -> Beat:
        """The runner lives. Called five times a second; a sink may answer from what it knows."""
        ...

    def ask_cancel(self, job: Job, who: str) -> None:
        """Somebody in front of the command wants its end: for the others to see."""
        ...

    def finish(self, job: Job, complete: bool) -> None:
        """All has been given, and this is how the job has ended."""
        ...

    def leave(self, job: Job) -> None:
        """The job has ended, but not all could be given."""
        ...

    def close(self) -> None: ...
