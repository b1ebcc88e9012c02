"""What each route of the API does and gives, for `openapi.py`; what it takes in its query is in `queries.py`."""

from __future__ import annotations

from typing import Any

from .feeding import FEEDING

Json = dict[str, Any]


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def gives(schema: Json | None, does: str, media: str = "application/json") -> Json:
    answer: Json = {"description": does}
    if schema is not None:
        answer["content"] = {media: {"schema": schema}}
    return answer


def many(does: str, **media: Json) -> Json:
    """An answer in several forms: `media` by the short names below."""
    names = {
        "json": "application/json",
        "ndjson": "application/x-ndjson",
        "text": "text/plain",
        "sse": "text/event-stream",
    }
    return {"description": does, "content": {names[name]: {"schema": schema} for name, schema in media.items()}}


LINES: Json = {"type": "array", "items": ref("Line")}
STATUS = gives(ref("RunResponse"), "the job's status")
SHARE_BODY: Json = {"required": False, "content": {"application/json": {"schema": ref("ShareTerms")}}}

OPERATIONS: dict[tuple[str, str], Json] = {
    ("GET", "/api/seen"): {
        "summary": "What this request looks like to the service, for `jobtail doctor`",
        "responses": {"200": {"description": "Addresses, the base of links, the clock", "content": {
            "application/json": {"schema": {"type": "object"}}}}},
    },
    ("GET", "/api/jobs"): {
        "summary": "Jobs, newest first",
        "responses": {"200": gives(ref("Jobs"), "a page of jobs")},
    },
    ("GET", "/api/jobs/{job}"): {"summary": "A job's status", "responses": {"200": STATUS}},
    ("GET", "/api/jobs/{job}/logs"): {
        "summary": "Lines: a page, the whole log, or followed",
        "responses": {
            "200": many(
                "lines, oldest first; a page of JSON with `Link: <...>; rel=next` where there is more",
                json=LINES,
                ndjson={"type": "string"},
                text={"type": "string"},
            ),
            "206": many("the part that `Range` asks for", ndjson={"type": "string"}, text={"type": "string"}),
            "416": gives(ref("Problem"), "`Range` lies past the end, which `Content-Range` names"),
        },
    },
    ("GET", "/api/jobs/{job}/events"): {
        "summary": "The live tail, as Server-Sent Events",
        "parameters": [{"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}}],
        "responses": {
            "200": many("a stream of events, which ends with `done`", sse=ref("Event")),
            "204": gives(None, "nothing came since `done`: do not come back"),
        },
    },
    ("GET", "/api/jobs/{job}/search"): {
        "summary": "Matching lines of the whole log, oldest first",
        "responses": {"200": gives(ref("Found"), "what was found, and how far the search has come")},
    },
    ("GET", "/api/jobs/{job}/exec-time"): {
        "summary": "Time from the first to the last line",
        "responses": {"200": gives(ref("ExecTime"), "the time"), "409": gives(ref("Problem"), "there is no line yet")},
    },
    ("GET", "/api/jobs/{job}/overview"): {
        "summary": "The whole log in a few parts, for a map of it",
        "responses": {"200": gives(ref("Overview"), "the parts")},
    },
    ("GET", "/api/jobs/{job}/wait"): {
        "summary": "The status once the job has finished",
        "responses": {"200": STATUS, "504": gives(ref("Problem"), "it still runs: ask again")},
    },
    ("POST", "/api/jobs/{job}/cancel"): {
        "summary": "Cancel the job",
        "responses": {
            "202": gives(ref("RunResponse"), "asked to stop"),
            "200": gives(ref("RunResponse"), "it had already finished"),
        },
    },
    ("GET", "/api/jobs/{job}/config"): {
        "summary": "The one step of a job that has exactly one; owners only",
        "responses": {
            "200": gives(ref("JobStepConfig"), "the step"),
            "409": gives(ref("Problem"), "it has another number of steps"),
        },
    },
    ("GET", "/api/jobs/{job}/steps-config"): {
        "summary": "The whole configuration; owners only",
        "responses": {"200": gives(ref("JobConfig"), "the configuration")},
    },
    ("DELETE", "/api/jobs/{job}/journal"): {
        "summary": "Throw the job's lines away; owners only",
        "responses": {"204": gives(None, "they are gone")},
    },
    ("POST", "/api/jobs/{job}/shares"): {
        "summary": "Make a link to the job; owners only",
        "requestBody": SHARE_BODY,
        "responses": {"201": gives(ref("NewShare"), "the link; its address is shown this once")},
    },
    ("GET", "/api/jobs/{job}/shares"): {
        "summary": "The job's links, newest first; owners only",
        "responses": {"200": gives({"type": "array", "items": ref("Share")}, "links, ended and revoked ones too")},
    },
    ("DELETE", "/api/jobs/{job}/shares/{share}"): {
        "summary": "Revoke a link; owners only",
        "responses": {"204": gives(None, "it no longer works")},
    },
    ("GET", "/api/openapi.json"): {
        "summary": "This description",
        "responses": {"200": gives({"type": "object"}, "OpenAPI 3.1")},
    },
    ("GET", "/healthz"): {"summary": "Alive", "responses": {"200": gives({"type": "object"}, "alive")}},
    ("GET", "/readyz"): {
        "summary": "Can serve",
        "responses": {"200": gives({"type": "object"}, "yes"), "503": gives({"type": "object"}, "no, and why")},
    },
    **FEEDING,
}
