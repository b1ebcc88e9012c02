"""What a command's end means for its job. No I/O."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum

from .job import CANCELED, DONE, FAILED

TIMED_OUT = 124


class Cause(Enum):
    """Why we ended the command, where it was us."""

    CANCEL = "cancel"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`exit_code`: the command's own, as a shell gives it (128 + signal). `exits`: what `jobtail run` exits
    with."""

    state: str
    exit_code: int
    detail: str
    exits: int


def outcome(returncode: int, cause: Cause | None, who: str = "", seconds: float = 0.0) -> Outcome:
    """`returncode`: as `subprocess` gives it. `seconds`: the time-out that was up, for `Cause.TIMEOUT`."""
    code = 128 - returncode if returncode < 0 else returncode
    if cause is Cause.CANCEL:
        return Outcome(CANCELED, code, f"cancelled by {who}" if who else "cancelled", code)
    if cause is Cause.TIMEOUT:
        return Outcome(FAILED, code, f"timed out after {seconds:g} s", TIMED_OUT)
    if returncode == 0:
        return Outcome(DONE, 0, "", 0)
    if returncode < 0:
        return Outcome(FAILED, code, f"killed by {_name(-returncode)}", code)
    return Outcome(FAILED, code, f"exit code {code}", code)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
