"""`GET /api/openapi.json`: the API's own description, made from the routes that there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from .. import __version__
from ..access.decide import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..models import JOB_ID, JobConfig, JobList, JobRecord, JobStepConfig, RunStatus
from ..service import Service
from .operations import OPERATIONS, Json, gives, ref
from .params import described
from .route import GuardedRoute, guarded

# Names of the wire for our classes.
_PUBLIC = {"RunStatus": "RunResponse", "JobRecord": "JobResponse", "JobList": "Jobs"}
_TIME = {"type": "string", "format": "date-time"}
_TIME_OR_NONE = {"type": ["string", "null"], "format": "date-time"}
_LINES = {"type": ["array", "null"], "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2}

_TRUE = {"type": "boolean", "const": True}
_ALTERED = {
    "type": "array",
    "items": {"type": "string"},
    "description": "keys of what the upstream sent that could not be kept as they came",
}
# What stands in a status beside the upstream's own: only where it is so.
_STATUS_MARKS = {
    "stale": {**_TRUE, "description": "the upstream does not answer: this is the newest that is known"},
    "as_of": {"type": ["integer", "null"], "description": "with `stale`: when the upstream answered last, ms"},
}

_PATH = {
    "job": {"type": "string", "pattern": f"^{JOB_ID.pattern}$"},
    "share": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
}
_ERRORS = {
    "400": "what was sent is wrong",
    "401": "sign in first",
    "403": "not allowed",
    "404": "no such job, link or line",
    "409": "not in this state",
    "413": "what was sent is too large",
    "429": "too many wrong tokens, or more than a run token may bring: `Retry-After` says when",
    "500": "our fault",
    "502": "the upstream answered wrongly",
    "503": "not now: `Retry-After` says when",
}


async def openapi(request: Request, service: Service, grant: Grant) -> Response:
    return JSONResponse(document(request.app.routes), headers=PRIVATE_HEADERS)


def document(routes: Iterable[BaseRoute]) -> Json:
    """OpenAPI 3.1 of the guarded routes in OPERATIONS; pages and the Fused wire are left out."""
    paths: dict[str, Json] = {}
    for route in routes:
        if isinstance(route, GuardedRoute):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                known = OPERATIONS.get((method, route.path))
                if known is not None:
                    paths.setdefault(route.path, {})[method.lower()] = operation(route, known)
    return {
        "openapi": "3.1.0",
        "info": {"title": "jobtail", "version": __version__, "summary": "Live logs of batch jobs"},
        "paths": paths,
        "components": {"schemas": schemas(), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


def operation(route: GuardedRoute, known: Json) -> Json:
    path = [{"name": name, "in": "path", "required": True, "schema": _PATH[name]} for name in route.param_convertors]
    errors = {status: gives(ref("Problem"), does, "application/problem+json") for status, does in _ERRORS.items()}
    found: Json = {
        **known,
        "operationId": route.name,
        "parameters": [*path, *described(route.query), *known.get("parameters", [])],
        "responses": {**errors, **_as_problems(known["responses"])},
    }
    if route.action is Action.OPEN:
        found["security"] = []
    return found


def _as_problems(responses: Json) -> Json:
    """Errors are problems by their media type, too."""
    return {
        status: gives(ref("Problem"), answer["description"], "application/problem+json")
        if answer.get("content", {}).get("application/json", {}).get("schema") == ref("Problem")
        else answer
        for status, answer in responses.items()
    }


def schemas() -> Json:
    made: Json = {}
    for model in (RunStatus, JobRecord, JobList, JobStepConfig, JobConfig):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schema.pop("$defs", None)
        schema["properties"] |= {"altered": _ALTERED} | (_STATUS_MARKS if model is RunStatus else {})
        made[_PUBLIC.get(model.__name__, model.__name__)] = renamed(schema)
    return {**made, **OWN}


def renamed(value: Any) -> Any:
    """References and titles by the names of the wire."""
    if isinstance(value, dict):
        return {key: renamed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner) for inner in value]
    if isinstance(value, str):
        head, slash, name = value.rpartition("/")
        return head + slash + _PUBLIC.get(name, name)
    return value


def _object(required: Json, optional: Json | None = None, *, closed: bool = False) -> Json:
    made: Json = {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}
    return made | ({"additionalProperties": False} if closed else {})


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


_COUNT = {"type": "integer", "minimum": 0}
_STRING, _INTEGER, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_PARTS = dict.fromkeys(("first", "last", "low_ms", "high_ms", "warnings", "errors"), _COUNT)
_GAP = {"after": _COUNT, "reason": _STRING, "count": {"type": ["integer", "null"]}}
_SPANS = {
    **_list(_list(_list(_INTEGER))),
    "description": "for each line where the matches are: start and end in UTF-16 code units of `message`",
}
_EVENTS = (
    "message", "lines", "cursor", "omitted", "gap", "partial", "status", "upstream", "reset", "done", "bye",
)  # fmt: skip
_SHARE = {
    "id": _PATH["share"], "expires_at": _TIME, "can_cancel": _FLAG, "note": _STRING, "lines": _LINES,
    "made_by": _STRING, "made_at": _TIME, "last_used_at": _TIME_OR_NONE, "revoked": _FLAG,
    "revoked_at": _TIME_OR_NONE, "works": _FLAG,
}  # fmt: skip

OWN: Json = {
    "Problem": _object({"type": _STRING, "title": _STRING, "status": _COUNT, "detail": _STRING}),
    "Line": _object(
        {
            "id": _STRING,
            "line": {"type": "integer", "minimum": 1},
            "timestamp": _INTEGER,
            "message": _STRING,
            "level": {"enum": ["error", "warning", "info", "debug", None]},
        },
        {
            "late": {**_TRUE, "description": "it came in after lines with a later timestamp had been sent"},
            "cut": {**_TRUE, "description": "the message is longer, see `message_bytes`"},
            "partial": {**_TRUE, "description": "the command's runner was lost before the line had ended"},
            "altered": _ALTERED,
            "upstream": {"type": "object", "description": "keys of the upstream's entry whose names are taken here"},
            "message_bytes": _COUNT,
            "states": _COUNT,
            "stream": {"enum": ["stdout", "stderr"]},
        },
    ),
    "Event": _object(
        {"data": {"type": "string", "contentMediaType": "application/json"}},
        {"event": {"enum": list(_EVENTS)}, "id": _STRING},
    ),
    "Found": _object(
        {
            "lines": _list(ref("Line")),
            "spans": _SPANS,
            "count": _INTEGER,
            "scanned_to": _STRING,
            "complete": _FLAG,
        }
    ),
    "ExecTime": _object({"seconds": {"type": "number"}, "in_progress": _FLAG, "first": _INTEGER, "last": _INTEGER}),
    "Overview": _object(
        {
            "epoch": _STRING,
            "first_line": _COUNT,
            "last_line": _COUNT,
            "complete": {"type": ["boolean", "null"]},
            "viewers": _COUNT,
            "parts": _list(_object(_PARTS)),
            "gaps": _list(_object(_GAP)),
        }
    ),
    "ShareTerms": _object(
        {},
        {
            "expires_in": {"type": "string", "pattern": "^[0-9]{1,9}[smhdw]$", "default": "7d"},
            "can_cancel": {"type": "boolean", "default": False},
            "note": {"type": ["string", "null"], "maxLength": 200},
            "lines": _LINES,
        },
        closed=True,
    ),
    "Share": _object(_SHARE),
    "NewShare": _object({**_SHARE, "url": _STRING, "warning": {"type": ["string", "null"]}}),
}

routes = [guarded("/api/openapi.json", openapi, Action.OPEN)]
