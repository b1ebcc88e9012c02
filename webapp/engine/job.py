"""A job of the embedded engine: what is kept of it, and how it looks on the wire. No I/O."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

from ..models import JobConfig, JobRecord, JobStepConfig, RunStatus
from ..store.job import CANCELED, CANCELING, DONE, ENDED, FAILED, RUNNING, Job

__all__ = [
    "CANCELED", "CANCELING", "DONE", "ENDED", "FAILED", "LOST", "RUNNING", "Job", "config_of", "new_id", "now_ms",
    "record_of", "silent", "status_of",
]  # fmt: skip

LOST = "its runner was lost"
# A runner beats once a second; one that was silent for this long, and whose lock is free, is gone.
LOST_AFTER_MS = 4_000

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id(at_ms: int) -> str:
    """Sorts by time, can be read aloud, cannot be guessed."""
    return f"{_date(at_ms):%Y%m%d-%H%M%S}-{''.join(secrets.choice(_ALPHABET) for _ in range(10))}"


def silent(job: Job, at_ms: int) -> bool:
    """True when the heartbeat is so far off, in the future too where the clock was put back, that only its lock can say
    whether it still runs."""
    return not job.ended and abs(at_ms - job.heartbeat_ms) > LOST_AFTER_MS


def status_of(job: Job) -> RunStatus:
    status = RunStatus(
        job_id=job.id,
        job_name=job.name,
        instance_id=f"{job.host}:{job.pid}",
        instance_type="embedded",
        status="terminated" if job.ended else "running",
        terminal_status=job.ended,
        last_heartbeat=_date(job.heartbeat_ms),
        job_status=job.state,
        job_status_date=_date(job.state_ms or job.created_ms),
        finished_job_status=job.ended,
        total_tasks=1,
        finished_tasks=int(job.ended),
    )
    more = {
        "creation_date": _date(job.created_ms),
        "exit_code": job.exit_code,
        "detail": job.detail or None,
        "user": job.user or None,
    }
    return status.model_copy(update={name: value for name, value in more.items() if value is not None})


def record_of(job: Job) -> JobRecord:
    record = JobRecord(
        id=job.id,
        user_id=job.user,
        creation_date=_date(job.created_ms),
        job_status=job.state,
        job_status_date=_date(job.state_ms or job.created_ms),
        instance_id=f"{job.host}:{job.pid}",
        instance_type="embedded",
        execution_environment_id="embedded",
    )
    more = {"job_name": job.name, "exit_code": job.exit_code, "detail": job.detail or None}
    return record.model_copy(update=more)


def config_of(job: Job) -> JobConfig:
    step = JobStepConfig.model_validate(
        {"type": "command", "name": job.name, "command": list(job.command), "cwd": job.cwd}
    )
    metadata = {"host": job.host, "user": job.user, "python": job.python, "pid": job.pid}
    return JobConfig(name=job.name, steps=[step], metadata=metadata)


def _date(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
