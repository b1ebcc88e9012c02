"""What a terminal command exits with when it can't do what it was asked for."""

from __future__ import annotations

from ..client.errors import BadAnswer, ClientError, Conflict, ServiceDown, TimedOut, Untrusted, UpstreamFailed
from ..errors import JobtailError, SettingsError

OK, JOB_FAILED, USAGE, TIMED_OUT, UNREACHABLE = 0, 1, 2, 124, 69


def exit_code(error: Exception) -> int | None:
    """None for an error in this program itself: that one keeps its traceback."""
    match error:
        case TimedOut():
            return TIMED_OUT
        case ServiceDown() | UpstreamFailed() | Untrusted() | BadAnswer():
            return UNREACHABLE
        case Conflict():
            return JOB_FAILED
        case ClientError() | SettingsError():
            return USAGE
        case JobtailError():
            return JOB_FAILED
    return None
