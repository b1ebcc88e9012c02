"""What each route takes in its query: every parameter with its type, bounds, default and meaning, said once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, WithJsonSchema, model_validator

from ..access.grant import Grant
from ..errors import UsageError
from ..journal.cursor import SYNTAX, Cursor, parse_cursor
from ..journal.expression import MAX_CHARACTERS
from ..journal.match import parse_levels
from ..states import LABELS
from ..stream.form import Form
from .params import Flag, Number, Query, Whole

MAX_MS = 1 << 53
MAX_LINE = 10**15 - 1
MAX_BYTES = 1 << 40
MAX_JOBS = 1000
MAX_FOUND = 1000
MAX_EXCLUDED = 8
MAX_TEXT = 2000


def _cursor(text: str) -> Cursor:
    if (cursor := parse_cursor(text)) is None:
        raise ValueError("a cursor, which is the id of a line such as mb3k7-120")
    return cursor


def _excluded(text: str) -> str:
    texts = text.split("\n")
    if len(texts) > MAX_EXCLUDED:
        raise UsageError(f"exclude has {len(texts)} texts: it takes {MAX_EXCLUDED} at most")
    if (longest := max(map(len, texts))) > MAX_CHARACTERS:
        raise UsageError(f"exclude has a text of {longest} characters: it takes {MAX_CHARACTERS} at most")
    return text


def _states(text: str) -> frozenset[str]:
    states = frozenset(filter(None, text.lower().replace("cancelled", "canceled").split(",")))
    if unknown := sorted(states - LABELS.keys()):
        raise UsageError(f"status={unknown[0][:40]!r} is not right: it takes {', '.join(LABELS)}; several with commas")
    return states


def _text(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": [example]})


def _words(*words: str) -> WithJsonSchema:
    word = f"({'|'.join(words)})"
    return _text(f"{word}(,{word})*", ",".join(words))


Place = Annotated[Cursor, BeforeValidator(_cursor), _text(SYNTAX, "mb3k7-120")]
Levels = Annotated[frozenset[int], BeforeValidator(parse_levels), _words("error", "warning", "info", "debug", "none")]
States = Annotated[frozenset[str], BeforeValidator(_states), _words(*LABELS)]
_ONE = f"[^\\n]{{0,{MAX_CHARACTERS}}}"
Excluded = Annotated[
    str, BeforeValidator(_excluded), _text(f"{_ONE}(\\n{_ONE}){{0,{MAX_EXCLUDED - 1}}}", "GET /healthz\nheartbeat")
]


_SINCE = "a filter: only lines whose timestamp (ms since the epoch) is this or later"
_CASE = "whether q and exclude are found in either case (default: of a text without a capital letter)"
_EXCLUDED = f"a filter: only lines without this text; several with a newline between them, {MAX_EXCLUDED} at most"
_END = "with ndjson: `gap` records where lines are missing, and an `end` record after the last line"
_DOWNLOAD = "as a file with a name, and with a length and parts (`Range`) where its bytes are fixed"
_SAMPLED = "leave out most of a fast log, and say how much; `level`, `q` and `exclude` turn it off"
_POLYFILL = "the same, as polyfills of EventSource send it; counts before `last_event_id`"
# Yaffle's and reconnecting-eventsource's, Mercure's of today and of before, and that of the polyfills for old browsers.
_POLYFILL_NAMES = AliasChoices("lastEventId", "lastEventID", "Last-Event-ID", "evs_last_event_id")
_NAMED = "a filter: only jobs whose id begins with it or whose name holds it, of the newest 1000"

Before = Annotated[Place | None, Field(description="only lines before this one")]
Tail = Annotated[
    Whole | None, Field(ge=0, le=MAX_LINE, description="begin with the last so many lines that pass the filters")
]


class Filtered(Query):
    """Which lines are wanted, and how much of each: the same for everybody who reads lines."""

    after: Place | None = Field(None, description="only lines after this one, which is not among them")
    since_ms: Whole | None = Field(None, ge=0, le=MAX_MS, description=_SINCE)
    until_ms: Whole | None = Field(None, ge=0, le=MAX_MS, description="a filter: only lines of this time or earlier")
    level: Levels | None = Field(None, description="a filter: only lines of these levels, several with commas")
    q: str = Field("", max_length=MAX_CHARACTERS, description="a filter: only lines that hold this text")
    regex: Flag = Field(False, description="take q as an expression (RE2)")
    case: Literal["either", "exact"] | None = Field(None, description=_CASE)
    exclude: Excluded = Field("", description=_EXCLUDED)
    max_line_bytes: Whole | None = Field(
        None, ge=1, le=MAX_BYTES, description="cut longer messages and mark them `cut`"
    )

    @property
    def searches(self) -> bool:
        """Whether the text of lines is looked at: compiling what is looked for takes time."""
        return bool(self.q or self.exclude)

    def form(self, grant: Grant, format: str, *, sample: bool = False, longest: int = 0) -> Form:
        """UsageError where `q` is not a valid expression. `longest`: bytes of a message past which the route itself
        cuts it; 0: it does not."""
        return Form(
            format=format,
            # Whoever filters, or has chosen the lines of a range, wants each of these lines: nothing is left out.
            sample=sample and not (self.level or self.searches or grant.lines),
            levels=self.level,
            q=self.q,
            regex=self.regex,
            either_case=None if self.case is None else self.case == "either",
            exclude=self.exclude,
            since_ms=self.since_ms,
            until_ms=self.until_ms,
            longest=min(filter(None, (self.max_line_bytes, longest)), default=0),
            lines=grant.lines,
            detail=grant.sees_upstream_detail,
        )


class LogsQuery(Filtered):
    before: Before = None
    from_line: Whole = Field(1, ge=1, le=MAX_LINE, description="only lines from this number on")
    tail: Tail = None
    limit: Whole | None = Field(None, ge=1, le=MAX_LINE, description="lines at most; of a page of JSON 10000 at most")
    format: Literal["json", "ndjson", "text"] | None = Field(None, description="`Accept` chooses too; default json")
    follow: Flag = Field(False, description="with ndjson or text: go on until the job has ended")
    end: Flag = Field(False, description=_END)
    keepalive: Flag | None = Field(None, description="with follow: an empty line after 15 s (default true with ndjson)")
    download: Flag = Field(False, description=_DOWNLOAD)


class EventsQuery(Filtered):
    tail: Tail = None
    refresh_seconds: Number = Field(1.0, ge=0.1, le=60, description="how often news are wanted")
    sample_logs: Flag = Field(True, description=_SAMPLED)
    timeout: Number | None = Field(None, ge=0, le=10**7, description="end the stream after so many seconds")
    get_logs_retries: Whole | None = Field(None, ge=0, le=10**6, description="give up after so many failures in a row")
    format: Literal["line", "batch"] = Field("line", description="an event a line, or an event with a list of lines")
    last_event_id: Place | None = Field(None, description="for clients that cannot set the header")
    polyfill_event_id: Place | None = Field(None, validation_alias=_POLYFILL_NAMES, description=_POLYFILL)

    @property
    def cursor(self) -> Cursor | None:
        """Polyfills of EventSource add theirs to the address when they reconnect: it is newer than the one that the
        page began with."""
        return self.polyfill_event_id or self.last_event_id or self.after


class SearchQuery(Filtered):
    before: Before = None
    limit: Whole = Field(100, ge=0, le=MAX_FOUND, description="the first so many matches; 0 only counts them")
    tail: Whole | None = Field(None, ge=1, le=MAX_FOUND, description="the last so many matches instead")

    @model_validator(mode="after")
    def _can_be(self) -> SearchQuery:
        if not (self.searches or self.level):
            raise UsageError("q is missing: it takes the text to look for, or with regex=true an expression")
        if self.tail and "limit" in self.model_fields_set:
            raise UsageError("tail and limit exclude each other: tail=N takes the last N matches, limit=N the first")
        return self


class OverviewQuery(Query):
    parts: Whole = Field(150, ge=1, le=500, description="how many")


class WaitQuery(Query):
    timeout: Number = Field(30, ge=0, le=30, description="seconds to wait")


class Skipping(Query):
    skip: Whole = Field(0, ge=0, le=10**9, description="how many to leave out first")


class JobsQuery(Skipping):
    n: Whole = Field(5, ge=0, le=MAX_JOBS, description="how many")
    q: str = Field("", max_length=MAX_TEXT, description=_NAMED)
    status: States | None = Field(None, description=f"a filter: {', '.join(LABELS)}; several with commas")


class ListPageQuery(Skipping):
    """Of the page with the list."""

    text: str = Field("", max_length=MAX_TEXT)
    state: str = Field("", max_length=MAX_TEXT)


class FusedJobsQuery(Skipping):
    limit: Whole = Field(25, ge=0, le=MAX_JOBS)


class FusedLogsQuery(Query):
    since_ms: Whole | None = Field(None, ge=-MAX_MS, le=MAX_MS)
