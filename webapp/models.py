"""The objects of the Fused wire: data only, both ages of it, unknown keys kept.

The shapes are those of `RunResponse`, `JobResponse`, `Jobs`, `JobConfig` and `JobStepConfig` of the published
client (1.14.0 and 2.9.5). What an older server leaves out has a default. The methods that people call on them
(`get_logs`, `tail_logs`, ...) are in `webapp.client.objects`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import BadJobId
from .strictjson import dumps

# How often an object is validated: once a wrong field is left out, another may turn out to be wrong.
_ATTEMPTS = 4
_INT64 = 1 << 63
JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def check_job_id(job: str) -> str:
    """The id itself, or BadJobId: it becomes part of upstream addresses, so nothing else may pass."""
    if not JOB_ID.fullmatch(job):
        raise BadJobId(job)
    return job


class WireModel(BaseModel):
    """Keeps what it does not know: the wire grows."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    @classmethod
    def read(cls, value: Any, **known: Any) -> Self:
        """What an upstream sent, field by field: what cannot be read is left out and named in `altered`, and the rest
        stands. `known`: values of fields that the answer leaves out. ValueError: it is not an object, or lacks a
        field that is needed."""
        if not isinstance(value, dict):
            raise ValueError(f"it is {type(value).__name__} and no object")
        _, kept, altered = dumps(value)
        fields = {name: _short(item) for name, item in kept.items() if item is not None or name not in cls.model_fields}
        names = list(altered)
        for _ in range(_ATTEMPTS):
            try:
                model = cls.model_validate({**known, **fields})
            except ValidationError as error:
                problems = error.errors(include_url=False, include_context=False, include_input=False)
                if not all(_left_out(fields, problem["loc"]) for problem in reversed(problems)):
                    where = ".".join(map(str, problems[0]["loc"]))
                    raise ValueError(f"{where}: {problems[0]['msg']}") from None
                names += [str(problem["loc"][0]) for problem in problems]
                continue
            model.name_altered(names)
            return model
        raise ValueError("too little of it can be read")

    def name_altered(self, names: Sequence[str]) -> None:
        """Adds to `altered` these keys, whose values are not as they came."""
        extra = self.__pydantic_extra__ or {}
        held = extra.get("altered")
        said = [name for name in held if isinstance(name, str)] if isinstance(held, list) else []
        if names:
            self.__pydantic_extra__ = {**extra, "altered": sorted({*said, *names})}


class RunStatus(WireModel):
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


class JobRecord(WireModel):
    """One row of the list of jobs."""

    id: str
    user_id: str | None = None
    creation_date: datetime | None = None
    job_status: str | None = None
    job_status_date: datetime | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    execution_environment_id: str | None = None


class JobList(WireModel):
    """A page of jobs, newest first, and what is needed to ask for it again."""

    jobs: list[JobRecord] = Field(default_factory=list)
    n: int = 5
    skip: int = 0
    per_request: int = 25
    max_requests: int | None = 1


class JobStepConfig(WireModel):
    """One step: `type` is udf, partition_geospatial, partition_nongeospatial, command, or newer."""

    type: str = ""
    name: str | None = None


class JobConfig(WireModel):
    name: str | None = None
    steps: list[JobStepConfig] = Field(default_factory=list)
    metadata: dict[str, Any] | None = None


def _left_out(fields: Any, path: tuple[int | str, ...]) -> bool:
    """Removes the value at the path or, failing that, the nearest container of it; False where neither is there."""
    for end in range(len(path), 0, -1):
        holder = fields
        try:
            for step in path[: end - 1]:
                holder = holder[step]
            del holder[path[end - 1]]
            return True
        except (KeyError, IndexError, TypeError):
            continue
    return False


def _short(value: Any) -> Any:
    """The value, with integers past 64 bits as texts: these objects are written by more than one encoder, and not all
    of them can write such a number."""
    if type(value) is int and not -_INT64 <= value < _INT64:
        return str(value)
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    return value
