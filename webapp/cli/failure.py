"""What a terminal command exits with when it can't do what it was asked for."""

from __future__ import annotations

from ..client.errors import BadAnswer, ClientError, Conflict, ServiceDown, TimedOut, UpstreamFailed
from ..errors import JobtailError, SettingsError

OK, JOB_FAILED, USAGE, TIMED_OUT, UNREACHABLE = 0, 1, 2, 124, 69


def exit_code(error: Exception) -> int | None:
    """None for what is our own fault: that keeps its traceback."""
    match error:
        case TimedOut():
            return TIMED_OUT
        case ServiceDown() | UpstreamFailed() | BadAnswer():
            return UNREACHABLE
        case Conflict():
            return JOB_FAILED
        case ClientError() | SettingsError():
            return USAGE
        case JobtailError():
            return JOB_FAILED
    return None


def ended(status: dict[str, object]) -> int:
    """0 where the job is done, else 1. `status`: a RunResponse; one without `job_status` ended well."""
    return JOB_FAILED if status.get("job_status") in ("Failed", "Canceled", "Cancelled") else OK
