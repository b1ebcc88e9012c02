"""What each route of the API takes and gives, for `openapi.py`. A test holds it against the routes and the code."""

from __future__ import annotations

from typing import Any

from .feeding import FEEDING

Json = dict[str, Any]

MS = {"type": "integer", "minimum": 0, "maximum": 1 << 53}
NATURAL = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
CURSOR = {"type": "string", "pattern": r"^[0-9a-z]{1,16}-[0-9]{1,15}(\.done)?$"}
FLAG = {"type": "boolean"}
TEXT = {"type": "string", "maxLength": 2000}
SOUGHT = {"type": "string", "maxLength": 1000}
LEVELS = {"type": "string", "description": "error, warning, info, debug or none; several with commas"}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def query(name: str, schema: Json, does: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": does}


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


COUNT: Json = {"type": "integer", "minimum": 0, "maximum": 1000}

SINCE = query("since_ms", MS, "a filter: only lines whose timestamp (ms since the epoch) is this or later")
LEVEL = query("level", LEVELS, "a filter: only lines of these levels")
WORDS = query("q", SOUGHT, "a filter: only lines that hold this text")
AFTER = query("after", CURSOR, "only lines after this one, which is not among them")
REGEX = query("regex", FLAG, "take q as an expression (RE2)")
CASE = query(
    "case",
    {"enum": ["either", "exact"]},
    "whether q and exclude are found in either case; if not given, a text without a capital letter is, and an "
    "expression is not",
)
EXCLUDE = query(
    "exclude", TEXT, "a filter: only lines that do not hold this text; several with a newline between them, 8 at most"
)
BEFORE = query("before", CURSOR, "only lines before this one")
LONGEST = query("max_line_bytes", {"type": "integer", "minimum": 1}, "longer messages are cut and marked `cut`")
TAIL = query("tail", NATURAL, "begin with the last so many lines that pass the filters")

LOGS = [
    AFTER,
    BEFORE,
    query("from_line", {**NATURAL, "minimum": 1}, "only lines from this number on"),
    TAIL,
    SINCE,
    query("until_ms", MS, "a filter: only lines whose timestamp is this or earlier"),
    LEVEL,
    WORDS,
    REGEX,
    CASE,
    EXCLUDE,
    LONGEST,
    query("limit", {**NATURAL, "minimum": 1}, "so many lines at most; a page of JSON takes 10000 at most"),
    query("format", {"enum": ["json", "ndjson", "text"]}, "`Accept` chooses too; json is the default"),
    query("follow", FLAG, "with ndjson or text: go on until the job has ended"),
    query("end", FLAG, "with ndjson: `gap` records where lines are missing, and an `end` record after the last line"),
    query("keepalive", FLAG, "with follow: an empty line after 15 s of silence (default true with ndjson)"),
    query("download", FLAG, "as a file with a name, and with a length and parts (`Range`) where its bytes are fixed"),
]

EVENTS = [
    SINCE,
    query("refresh_seconds", {"type": "number", "minimum": 0.1, "maximum": 60}, "how often news are wanted"),
    query("sample_logs", FLAG, "leave out most of a fast log, and say how much (default true)"),
    query("timeout", {"type": "number", "minimum": 0, "maximum": 10**7}, "end the stream after so many seconds"),
    query("get_logs_retries", {"type": "integer", "minimum": 0, "maximum": 10**6}, "give up after so many failures"),
    AFTER,
    TAIL,
    LEVEL,
    WORDS,
    LONGEST,
    query("format", {"enum": ["line", "batch"]}, "an event a line, or an event with a list of lines"),
    query("last_event_id", CURSOR, "for those who cannot set the header"),
    query("lastEventId", CURSOR, "the same, as polyfills of EventSource send it; counts before `last_event_id`"),
    {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}},
]

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
        "parameters": [
            query("n", {"type": "integer", "minimum": 0, "maximum": 1000}, "how many (5)"),
            query("skip", {"type": "integer", "minimum": 0, "maximum": 10**9}, "how many to leave out first (0)"),
            query("q", TEXT, "a filter: only jobs whose id begins with it or whose name holds it, of the newest 1000"),
            query("status", TEXT, "a filter: running, pending, stopping, done, failed, canceled; several with commas"),
        ],
        "responses": {"200": gives(ref("Jobs"), "a page of jobs")},
    },
    ("GET", "/api/jobs/{job}"): {"summary": "A job's status", "responses": {"200": STATUS}},
    ("GET", "/api/jobs/{job}/logs"): {
        "summary": "Lines: a page, the whole log, or followed",
        "parameters": LOGS,
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
        "parameters": EVENTS,
        "responses": {
            "200": many("a stream of events, which ends with `done`", sse=ref("Event")),
            "204": gives(None, "nothing came since `done`: do not come back"),
        },
    },
    ("GET", "/api/jobs/{job}/search"): {
        "summary": "Matching lines of the whole log, oldest first",
        "parameters": [
            query("q", {**SOUGHT, "minLength": 1}, "the text, or with regex=true an expression (RE2)"),
            REGEX,
            CASE,
            EXCLUDE,
            LEVEL,
            AFTER,
            BEFORE,
            query("limit", COUNT, "the first so many matches at most (100); 0: none of them, but how many they are"),
            LONGEST,
            query("tail", {**COUNT, "minimum": 1}, "the last so many matches instead"),
        ],
        "responses": {"200": gives(ref("Found"), "what was found as far as was looked")},
    },
    ("GET", "/api/jobs/{job}/exec-time"): {
        "summary": "Time from the first to the last line",
        "responses": {"200": gives(ref("ExecTime"), "the time"), "409": gives(ref("Problem"), "there is no line yet")},
    },
    ("GET", "/api/jobs/{job}/overview"): {
        "summary": "The whole log in a few parts, for a map of it",
        "parameters": [query("parts", {"type": "integer", "minimum": 1, "maximum": 500}, "how many (150)")],
        "responses": {"200": gives(ref("Overview"), "the parts")},
    },
    ("GET", "/api/jobs/{job}/wait"): {
        "summary": "The status once the job has finished",
        "parameters": [query("timeout", {"type": "number", "minimum": 0, "maximum": 30}, "seconds to wait (30)")],
        "responses": {"200": STATUS, "504": gives(ref("Problem"), "it runs on: ask again")},
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
        "responses": {"204": gives(None, "it works no more")},
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
