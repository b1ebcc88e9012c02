"""Our objects as the Fused wire has them: entries with their newline back, records and steps that the published client
takes."""

from __future__ import annotations

import shlex
from typing import Any

from ..journal.line import OURS
from ..models import JobRecord
from ..strictjson import dump, loads

_NEVER = "1970-01-01T00:00:00Z"


def published_entry(line: bytes) -> bytes:
    """A line as the entry that it came as: with its newline and its own keys, without ours."""
    value = loads(line)
    entry = {"timestamp": value["timestamp"], "message": value["message"] + "\n"}
    entry |= {name: kept for name, kept in value.items() if name not in OURS}
    clashed = value.get("upstream")
    if isinstance(clashed, dict):
        entry |= {name: kept for name, kept in clashed.items() if name not in ("timestamp", "message")}
    return dump(entry)


def published_record(job: JobRecord) -> dict[str, Any]:
    """The published client refuses a job without these."""
    record = job.model_dump(mode="json")
    for name, default in (("user_id", ""), ("creation_date", _NEVER), ("execution_environment_id", "")):
        record[name] = record[name] or default
    return record


def published_config(config: dict[str, Any]) -> dict[str, Any]:
    """The published client refuses a step of a kind that it does not know, so a command is given as a `udf`."""
    steps = [_udf_of(step) if step["type"] == "command" else step for step in config["steps"]]
    return {**config, "steps": steps}


def _udf_of(step: dict[str, Any]) -> dict[str, Any]:
    command = step.get("command") or []
    code = shlex.join(command) if isinstance(command, list) else str(command)
    udf = {"type": "geopandas_v2", "name": step.get("name"), "code": code, "entrypoint": "udf", "metadata": None}
    return {**step, "type": "udf", "udf": udf}
