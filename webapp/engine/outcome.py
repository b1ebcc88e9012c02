"""What a command's end means for its job. No I/O."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum

from .job import CANCELED, DONE, FAILED

TIMED_OUT = 124
READER_GONE = 128 + signal.SIGPIPE


class Cause(Enum):
    """Why we ended the command, where it was us."""

    CANCEL = "cancel"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Output that the command wrote and nobody got. `trouble`: why its standard output could not be written; empty:
    its reader went away."""

    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`exit_code`: the command's own, as a shell gives it (128 + signal). `exits`: what `jobtail run` exits
    with."""

    state: str
    exit_code: int
    detail: str
    exits: int


def outcome(
    returncode: int, cause: Cause | None, who: str = "", seconds: float = 0.0, undelivered: Undelivered | None = None
) -> Outcome:
    """`returncode`: as `subprocess` gives it. `seconds`: the time-out that was up, for `Cause.TIMEOUT`."""
    code = 128 - returncode if returncode < 0 else returncode
    if cause is Cause.CANCEL:
        return Outcome(CANCELED, code, f"cancelled by {who}" if who else "cancelled", code)
    if cause is Cause.TIMEOUT:
        return Outcome(FAILED, code, f"timed out after {seconds:g} s", TIMED_OUT)
    if returncode == 0:
        return Outcome(DONE, 0, "", 0) if undelivered is None else _undelivered(undelivered)
    if returncode < 0:
        return Outcome(FAILED, code, f"killed by {_name(-returncode)}", code)
    return Outcome(FAILED, code, f"exit code {code}", code)


def _undelivered(undelivered: Undelivered) -> Outcome:
    """Our pipe took what the command's own would have refused: it would not have ended well without us."""
    if undelivered.trouble:
        return Outcome(FAILED, 1, f"its output could not be written: {undelivered.trouble}", 1)
    return Outcome(FAILED, READER_GONE, "the reader of its output went away (SIGPIPE)", READER_GONE)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
