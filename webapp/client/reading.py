"""The lines of a log from `GET .../logs`, to their proven end.

Some proxies end an answer that broke off as if it were whole, so that its end proves nothing. With `end=true` the last
record of an answer is `{"end": reason, "id": cursor}`: an answer without it was cut, and reading goes on after its last
line. A service that knows no such record is asked for more until it has none."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from typing import Any

from .ask import ANSWER_SECONDS, opened, require
from .body import AnswerBody
from .errors import BadAnswer, ClientError, ServiceDown, Unreachable
from .follow import backoff
from .line import Line, LineGap, LineSplitter
from .script import Close, Effect, GiveAll, Gives, Open, Site, Sleep

RESUMES = 5
RESUME_SECONDS = 15.0
# The header of a service that ends its answers with a record, and the reasons that mean a regular end.
LAST_ID = "jobtail-last-id"
WHOLE = frozenset(("finished", "limit", "end"))


class LogReading:
    """Where a reader of a log stands, and what it asks for next. Pure.

    `params`: of GET /api/jobs/{job}/logs. `tail` and `from_line` say where the first answer starts; from then on the
    cursor of the newest line does. `limit` and `tail` bound the lines of all answers together.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = {**params, "format": "ndjson", "end": True}
        bounds = [int(params[name]) for name in ("limit", "tail") if params.get(name) is not None]
        self._most = min(bounds, default=None)
        self.given = 0
        self._last = 0

    @property
    def begun(self) -> bool:
        return self._last > 0

    def took(self, line: Line) -> Line:
        """BadAnswer for one that does not come after the line before it."""
        if line.line <= self._last or not line.id:
            raise BadAnswer(f"the log went back from line {self._last} to line {line.line}: is it a jobtail service?")
        self.given += 1
        self._last = line.line
        self.params |= {"after": line.get("id"), "tail": None, "from_line": None}
        if self._most is not None:
            self.params["limit"] = self._most - self.given
        return line

    @property
    def full(self) -> bool:
        """All that were wanted are there."""
        return self._most is not None and self.given >= self._most


def log(site: Site, path: str, params: Mapping[str, Any]) -> Gives[Line | LineGap]:
    """Each line once, and where lines are missing a Gap. Where a connection breaks, or ends before its end, it goes on
    after the last line."""
    reading = LogReading(params)
    failures, failing = 0, time.monotonic()
    while True:
        before = reading.given
        try:
            whole = yield from _answer(site, path, reading)
            if whole or reading.given == before:
                return
            failures = 0
        except ClientError as error:
            if reading.given > before:
                failures, failing = 0, time.monotonic()
            failures += 1
            hopeless = isinstance(error, Unreachable) and not reading.begun
            tried = failures > RESUMES or time.monotonic() - failing > RESUME_SECONDS
            if not error.transient or hopeless or tried:
                raise
            yield Sleep(backoff(failures, 0.2, error.retry_after, 1.0))


def _answer(site: Site, path: str, reading: LogReading) -> Generator[Effect | GiveAll[Line | LineGap], Any, bool]:
    """Gives the lines of one answer, and returns whether it was proven to be whole. ServiceDown where it was not
    whole."""
    headers = {"Accept": "application/x-ndjson"}
    reply = yield from opened(Open(site, "GET", path, reading.params, ANSWER_SECONDS, headers))
    require(reply, "application/x-ndjson", site.url)
    body, splitter, end = AnswerBody(reply, site.url), LineSplitter(), ""
    while (chunk := (yield from body.read())) is not None:
        found: list[Line | LineGap] = []
        try:
            for text in splitter.feed(chunk):
                record = _record(text, site.url)
                if "line" in record:  # asked first: a line may have any other key, `end` and `gap` too
                    if not reading.full:
                        found.append(reading.took(Line(record)))
                elif "end" in record:
                    end = str(record["end"])
                elif "gap" in record:
                    found.append(LineGap(reason=record["gap"], count=record.get("count"), after=record.get("after")))
        except BadAnswer:
            yield GiveAll(found)  # the lines before the one that is broken
            raise
        yield GiveAll(found)
        if reading.full:
            yield Close(reply)
            return True
    if splitter.rest or (not end and LAST_ID in reply.headers):
        raise ServiceDown(f"the answer of {site.url} stopped before its end")
    if end and end not in WHOLE:
        raise ServiceDown(f"{site.url} ended the log before its end: {end}")
    return bool(end)


def _record(text: bytes, url: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise BadAnswer(f"{url} answered a line that is not JSON: {text[:80]!r}")
    return record
