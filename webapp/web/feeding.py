"""What the routes take by which runners on other machines report their jobs, for `openapi.py`."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_NUMBER: Json = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
_MS: Json = {"type": "integer", "minimum": 0}
_WORD: Json = {"type": "string"}
_OBJECT: Json = {"type": "object"}


def _header(name: str, schema: Json, does: str) -> Json:
    return {"name": name, "in": "header", "required": name != "Producer-Seq", "schema": schema, "description": does}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _takes(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _gives(does: str, **properties: Json) -> Json:
    schema = {"type": "object", "properties": properties}
    return {"description": does, "content": {"application/json": {"schema": schema}}}


_PRODUCER = [
    _header("Producer-Id", {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"}, "who sends"),
    _header("Producer-Epoch", _NUMBER, "which run of it; a later one ends those before"),
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

FEEDING: dict[tuple[str, str], Json] = {
    ("PUT", "/api/jobs/{job}"): {
        "summary": "Begin a job that runs on another machine; with a run token, or as an owner",
        "parameters": _PRODUCER,
        "requestBody": _takes(
            _object(
                name=_WORD, command={"type": "array", "items": _WORD}, cwd=_WORD, host=_WORD, user=_WORD, python=_WORD,
                pid=_NUMBER, created_ms=_MS,
            )
        ),
        "responses": {
            status: _gives(does, job=_WORD, url=_WORD, grant=_WORD, **_STAND)
            for status, does in (("201", "it has begun"), ("200", "it had begun before"))
        },
    },
    ("POST", "/api/jobs/{job}/lines"): {
        "summary": "Bring lines of a job, with its grant",
        "parameters": [*_PRODUCER, _SEQ],
        "requestBody": _takes(
            _object(lines={"type": "array", "items": _LINE, "maxItems": 20_000}, partial=_OBJECT, missing=_OBJECT)
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
        "summary": "Say that the runner lives, with the job's grant",
        "parameters": _PRODUCER,
        "responses": {"200": _gives("noted", cancelled_by=_WHO)},
    },
    ("POST", "/api/jobs/{job}/end"): {
        "summary": "End the job, with its grant",
        "parameters": _PRODUCER,
        "requestBody": _takes(
            _object(
                exit_code=_NUMBER, signal={"type": "integer", "minimum": 1, "maximum": 128},
                state={"enum": ["Done", "Failed", "Canceled"]}, detail=_WORD, complete={"type": "boolean"},
            )
        ),
        "responses": {"200": _gives("it has ended so", job=_WORD, state=_WORD, detail=_WORD)},
    },
}  # fmt: skip
