"""The routes by which runners on other machines report their jobs: their bodies, and their description for OpenAPI."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UsageError

PRODUCER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
M = TypeVar("M", bound=BaseModel)


class ReportModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Begin(ReportModel):
    name: str = Field("", max_length=1000)
    command: list[str] = Field([], max_length=10_000)
    cwd: str = Field("", max_length=4096)
    host: str = Field("", max_length=255)
    user: str = Field("", max_length=255)
    python: str = Field("", max_length=100)
    pid: int = Field(0, ge=0, le=1 << 40)
    created_ms: int | None = Field(None, ge=0, le=1 << 53)


class EndBody(ReportModel):
    exit_code: int | None = Field(None, ge=0, le=1 << 31)
    signal: int | None = Field(None, ge=1, le=128)
    state: Literal["Done", "Failed", "Canceled"] | None = None
    detail: str = Field("", max_length=1000)
    complete: bool = True


def read(model: type[M], body: bytes) -> M:
    """UsageError names the field, and what it takes."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "the body"
        raise UsageError(f"{where}: {problem['msg']}") from None


Json = dict[str, Any]
_NUMBER: Json = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
_MS: Json = {"type": "integer", "minimum": 0}
_WORD: Json = {"type": "string"}


def _header(name: str, schema: Json, does: str) -> Json:
    return {"name": name, "in": "header", "required": name != "Producer-Seq", "schema": schema, "description": does}


def _takes(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _gives(does: str, **properties: Json) -> Json:
    schema = {"type": "object", "properties": properties}
    return {"description": does, "content": {"application/json": {"schema": schema}}}


_PRODUCER = [
    _header("Producer-Id", {"type": "string", "pattern": f"^{PRODUCER_ID.pattern}$"}, "who sends"),
    _header("Producer-Epoch", _NUMBER, "which run of the producer; a later run ends the earlier ones"),
]
_SEQ = _header("Producer-Seq", _NUMBER, "which batch of that run, from 0; needed where there are lines")
_WHO = {"type": ["string", "null"], "description": "who asked for the job's end; null while nobody does"}
_STAND: Json = {"epoch": _WORD, "line": _NUMBER, "cancelled_by": _WHO}
_PLACE: Json = {"description": "another run, or another runner, has begun"}
_LINE: Json = {
    "type": "object",
    "required": ["message"],
    "properties": {"timestamp": _MS, "message": _WORD, "stream": _WORD, "level": _WORD},
}
_DELIVERY = {
    "lines": {"type": "array", "items": _LINE, "maxItems": 20_000},
    "partial": {"type": "object"},
    "missing": {"type": "object"},
}

FEEDING: dict[tuple[str, str], Json] = {
    ("PUT", "/api/jobs/{job}"): {
        "summary": "Begin a job that runs on another machine; with a run token, or as an owner",
        "parameters": _PRODUCER,
        "requestBody": _takes(Begin.model_json_schema()),
        "responses": {
            status: _gives(does, job=_WORD, url=_WORD, grant=_WORD, **_STAND)
            for status, does in (("201", "it has begun"), ("200", "it had begun before"))
        },
    },
    ("POST", "/api/jobs/{job}/lines"): {
        "summary": "Bring lines of a job, with its grant",
        "parameters": [*_PRODUCER, _SEQ],
        "requestBody": _takes(
            {"type": "object", "properties": _DELIVERY, "additionalProperties": False}
        ),
        "responses": {
            "200": _gives("they are on disk", **_STAND),
            "204": {"description": "they were there already"},
            "403": _PLACE | {"headers": {"Producer-Epoch": {"schema": _NUMBER}}},
            "409": {
                "description": "a batch before it never came, or the job has ended",
                "headers": {name: {"schema": _NUMBER} for name in ("Producer-Expected-Seq", "Producer-Received-Seq")},
            },
        },
    },
    ("POST", "/api/jobs/{job}/heartbeat"): {
        "summary": "Say that the runner is alive, with the job's grant",
        "parameters": _PRODUCER,
        "responses": {"200": _gives("noted", cancelled_by=_WHO)},
    },
    ("POST", "/api/jobs/{job}/end"): {
        "summary": "End the job, with its grant",
        "parameters": _PRODUCER,
        "requestBody": _takes(EndBody.model_json_schema()),
        "responses": {"200": _gives("it has ended so", job=_WORD, state=_WORD, detail=_WORD)},
    },
}  # fmt: skip
