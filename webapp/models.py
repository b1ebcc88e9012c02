"""The objects of the Fused wire: data only, both ages of it, unknown keys kept.

The shapes are those of `RunResponse`, `JobResponse`, `Jobs`, `JobConfig` and `JobStepConfig` of the published
client (1.14.0 and 2.9.5). What an older server leaves out has a default. The methods that people call on them
(`get_logs`, `tail_logs`, ...) are in `webapp.client.objects`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .errors import BadJobId

JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def check_job_id(job: str) -> str:
    """The id itself, or BadJobId: it becomes part of upstream addresses, so nothing else may pass."""
    if not JOB_ID.fullmatch(job):
        raise BadJobId(job)
    return job


class Wire(BaseModel):
    """Keeps what it does not know: the wire grows."""

    model_config = ConfigDict(extra="allow")


class RunStatus(Wire):
    """One job's status. Times are datetimes (ISO 8601 on the wire), tasks are counts."""

    job_id: str
    job_name: str = ""
    instance_id: str | None = None
    instance_type: str | None = None
    status: str = ""
    terminal_status: bool = False
    last_heartbeat: datetime | None = None
    job_status: str | None = None
    job_status_date: datetime | None = None
    finished_job_status: bool | None = None
    total_tasks: int = 0
    finished_tasks: int = 0

    @property
    def finished(self) -> bool:
        """`finished_job_status`, or `terminal_status` where that is null or missing (the wire's own rule)."""
        return self.terminal_status if self.finished_job_status is None else self.finished_job_status


class JobRecord(Wire):
    """One row of the list of jobs."""

    id: str
    user_id: str | None = None
    creation_date: datetime | None = None
    job_status: str | None = None
    job_status_date: datetime | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    execution_environment_id: str | None = None


class JobList(Wire):
    """A page of jobs, newest first, and what is needed to ask for it again."""

    jobs: list[JobRecord] = Field(default_factory=list)
    n: int = 5
    skip: int = 0
    per_request: int = 25
    max_requests: int | None = 1


class JobStepConfig(Wire):
    """One step: `type` is udf, partition_geospatial, partition_nongeospatial, command, or newer."""

    type: str
    name: str | None = None


class JobConfig(Wire):
    name: str | None = None
    steps: list[JobStepConfig] = Field(default_factory=list)
    metadata: dict[str, Any] | None = None
