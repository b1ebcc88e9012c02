"""Following a job's events across connections: each line once, in order, whatever breaks on the way.

What stands between two cursors (`omitted`, `gap`) carries none of its own, so it is held back until the event
with a cursor that follows it on the same connection: after a break the service says it again.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from .ask import opened, require
from .body import AnswerBody
from .errors import (
    BadAnswer,
    ClientError,
    Denied,
    JobNotFound,
    ServiceDown,
    TimedOut,
    Unreachable,
    UpstreamFailed,
)
from .script import Close, Give, Gives, Open, Reply, Script, Site, Sleep
from .sse import EventDecoder, ServerSentEvent, StreamTooLong

ATTEMPT_SECONDS = 60.0
SILENCE_SECONDS = 45.0
FIRST_DELAY = 0.5
LONGEST_DELAY = 15.0
_BETWEEN = ("omitted", "gap")
_AT_A_CURSOR = ("line", "lines", "cursor", "done")
_KNOWN = frozenset(
    ("line", "lines", "cursor", "omitted", "gap", "partial", "status", "upstream", "reset", "done", "bye")
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream. `kind`: line, lines, cursor, omitted, gap, partial, status, upstream, reset,
    done or bye; and `retrying` (`{"in_seconds", "detail"}`), which is our own: the connection broke, and the next
    attempt comes then. `data`: its JSON. `cursor`: where the stream stands after it. `more`: others came
    together with it, and follow at once."""

    kind: str
    data: Any
    cursor: str
    more: bool = False


def backoff(attempt: int, base: float, asked: float | None, chance: float) -> float:
    """Seconds before attempt number `attempt` (1 is the first after a break). `asked`: what the service asked
    for; `chance`: 0 to 1, so that not all come back at once."""
    if asked is not None:
        return min(asked, 4 * LONGEST_DELAY)
    return min(base * 2.0 ** min(attempt - 1, 16), LONGEST_DELAY) * (0.5 + chance / 2)


def event_of(raw: ServerSentEvent) -> Event | None:
    """None for an event that only a newer service has."""
    kind = "line" if raw.name == "message" else raw.name
    if kind not in _KNOWN:
        return None
    try:
        data = json.loads(raw.data)
    except (ValueError, RecursionError):
        raise BadAnswer(f"the stream holds an event {kind!r} that is not JSON: {raw.data[:80]!r}") from None
    well = all(isinstance(line, dict) for line in data) if isinstance(data, list) else isinstance(data, dict)
    if not well or isinstance(data, list) != (kind == "lines"):
        raise BadAnswer(f"the stream holds an event {kind!r} of another shape: {raw.data[:80]!r}")
    return Event(kind, data, raw.id)


def failure_of(done: Any, job: str) -> ClientError | None:
    """What a `done` event means to somebody who followed the job: None where it simply ended."""
    reason, status = done.get("reason"), done.get("status")
    if reason == "finished":
        return None
    if reason == "timeout":
        return TimedOut(f"timed out following the log of {job}, which has not ended")
    if reason == "not_found":
        return JobNotFound(f"there is no job {job!r}, or you may not see it")
    if reason == "link_ended":
        return Denied(f"the link to {job} has ended")
    if reason == "retries_exhausted":
        return UpstreamFailed(f"the upstream did not give the log of {job}")
    if reason == "denied":
        return UpstreamFailed(f"the upstream refused to give the log of {job}")
    return BadAnswer(f"the log of {job} ended for a reason this client does not know: {reason!r} ({status})")


class EventFollower:
    """`events()` until `done`, which is the last; then an error unless the job has finished.

    `params`: of GET /api/jobs/{job}/events. `retries`: as `get_logs_retries`, additional attempts of 60 s of unbroken
    failure each; None: never gives up. `timeout`: seconds in all. `after`: a cursor to start from. `clock` is for
    tests.
    """

    def __init__(
        self,
        site: Site,
        job: str,
        params: Mapping[str, Any] | None = None,
        *,
        retries: int | None = 1,
        timeout: float | None = None,
        after: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cursor = after
        self._site, self._job, self._params = site, job, params or {}
        self._patience = None if retries is None else ATTEMPT_SECONDS * (1 + max(0, retries))
        self._clock = clock
        self._ends = None if timeout is None else clock() + timeout
        self._connected = False
        self._attempt, self._base = 0, FIRST_DELAY
        self._broken_since: float | None = None
        self._upstream_since: float | None = None
        self._upstream_detail = ""
        self._gap = ""

    def events(self) -> Gives[Event]:
        while True:
            try:
                ended = yield from self._connection()
            except ClientError as error:
                if not error.transient or (isinstance(error, Unreachable) and not self._connected):
                    raise
                failure = error
            else:
                if ended:
                    return
                failure = ServiceDown("the service ended the stream")
            seconds = self._pause(failure)
            yield Give(Event("retrying", {"in_seconds": seconds, "detail": str(failure)}, self.cursor))
            yield Sleep(seconds)

    def _open(self) -> Script[Reply]:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self.cursor:
            headers["Last-Event-ID"] = self.cursor
        path = f"/api/jobs/{quote(self._job, safe=':')}/events"
        wanted = Open(self._site, "GET", path, {**self._params, "timeout": self._left()}, self._silence(), headers)
        return (yield from opened(wanted))

    def _connection(self) -> Generator[Any, Any, bool]:
        """What one connection brings, in an order that a reader may rely on. True: the stream is over for
        good."""
        decoder, held = EventDecoder(self.cursor), list[Event]()
        self._upstream_since = None
        reply = yield from self._open()
        self._connected = True
        if reply.status == 204:
            return True
        require(reply, "text/event-stream", self._site.url)
        body = AnswerBody(reply, self._site.url)
        while (chunk := (yield from body.read())) is not None:
            events = self._ordered(self._decode(decoder, chunk), held)
            for place, event in enumerate(events):
                self.cursor = event.cursor or self.cursor
                yield Give(replace(event, more=place < len(events) - 1))
                if event.kind == "done":
                    yield Close(reply)
                    return self._over(event)
            if decoder.retry_ms is not None:
                self._base = max(0.05, decoder.retry_ms / 1000)
            self._check()
        return False

    def _ordered(self, events: Iterator[Event], held: list[Event]) -> list[Event]:
        """With what stands between two cursors held back until the second is there."""
        found: list[Event] = []
        for event in events:
            if event.kind in _BETWEEN:
                if event.kind != "gap" or event.data.get("after") != self._gap:
                    held.append(event)
                continue
            self._note(event)
            if event.kind in _AT_A_CURSOR:
                found += held
                self._gap = next((one.data["after"] for one in reversed(held) if "after" in one.data), self._gap)
            if event.kind in _AT_A_CURSOR or event.kind == "reset":
                held.clear()
            found.append(event)
        return found

    def _decode(self, decoder: EventDecoder, chunk: bytes) -> Iterator[Event]:
        try:
            raw = decoder.feed(chunk)
        except StreamTooLong as error:
            raise BadAnswer(str(error)) from None
        return (event for one in raw if (event := event_of(one)) is not None)

    def _note(self, event: Event) -> None:
        """Any event ends a break. An outage behind the service counts like one of the service itself."""
        self._attempt, self._broken_since = 0, None
        if event.kind == "upstream":
            self._upstream_detail = str(event.data.get("detail") or "no answer")
            if event.data.get("state") != "retrying":
                self._upstream_since = None
            elif self._upstream_since is None:
                self._upstream_since = self._clock()

    def _over(self, done: Event) -> bool:
        failure = failure_of(done.data, self._job)
        if failure is not None:
            raise _final(failure)
        return True

    def _pause(self, failure: ClientError) -> float:
        """Seconds until the next attempt; raises where there is to be none."""
        self._attempt += 1
        if self._broken_since is None:
            self._broken_since = self._clock()
        if self._exhausted(self._broken_since):
            raise ServiceDown(f"{failure}; gave up after {self._patience:.0f} s") from failure
        self._check()
        seconds = backoff(self._attempt, self._base, failure.retry_after, random.random())
        left = self._left()
        return seconds if left is None else min(seconds, left)

    def _check(self) -> None:
        """Raises when the time is over, or when the upstream has been away for too long."""
        if self._ends is not None and self._clock() >= self._ends:
            raise TimedOut(f"timed out following the log of {self._job}, which has not ended")
        if self._upstream_since is not None and self._exhausted(self._upstream_since):
            waited = f"{self._patience:.0f} s"
            raise _final(UpstreamFailed(f"the upstream did not answer for {waited}: {self._upstream_detail}"))

    def _exhausted(self, since: float) -> bool:
        return self._patience is not None and self._clock() - since >= self._patience

    def _left(self) -> float | None:
        return None if self._ends is None else max(0.1, self._ends - self._clock())

    def _silence(self) -> float:
        left = self._left()
        return SILENCE_SECONDS if left is None else min(SILENCE_SECONDS, left + 2)


def _final(error: ClientError) -> ClientError:
    """Marks an error as final: asking again has been tried, or would not help."""
    error.transient = False
    return error
