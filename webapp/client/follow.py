"""Following a job's events across connections: each line once, in order, whatever breaks on the way.

What stands between two cursors (`omitted`, `gap`) carries none of its own, so it is held back until the event
with a cursor that follows it on the same connection: after a break the service says it again.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

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
from .sse import Decoder, ServerSentEvent, StreamTooLong

ATTEMPT_SECONDS = 60.0
SILENCE_SECONDS = 45.0
FIRST_DELAY = 0.5
LONGEST_DELAY = 15.0
_BETWEEN = ("omitted", "gap")
_AT_A_CURSOR = ("line", "lines", "cursor", "done")
_KNOWN = frozenset(("line", "lines", "cursor", "omitted", "gap", "status", "upstream", "reset", "done", "bye"))


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream. `kind`: line, lines, cursor, omitted, gap, status, upstream, reset, done or
    bye; and `retrying` (`{"in_seconds", "detail"}`), which is our own: the connection broke, and the next
    attempt comes then. `data`: its JSON. `cursor`: where the stream stands after it."""

    kind: str
    data: Any
    cursor: str


Open = Callable[[str, float | None, float], AbstractContextManager[Iterator[bytes] | None]]
"""Opens the stream: the cursor to go on from ("" at first), seconds left or None, how much silence is death.
None instead of chunks: there is nothing more after this cursor (204)."""


def backoff(attempt: int, base: float, asked: float | None, chance: float) -> float:
    """Seconds before attempt number `attempt` (1 is the first after a break). `asked`: what the service asked
    for; `chance`: 0 to 1, so that not all come back at once."""
    if asked is not None:
        return min(asked, 4 * LONGEST_DELAY)
    return min(base * 2.0 ** min(attempt - 1, 16), LONGEST_DELAY) * (0.5 + chance / 2)


def event_of(raw: ServerSentEvent) -> Event | None:
    """None for an event that a newer service has and we do not know."""
    kind = "line" if raw.name == "message" else raw.name
    if kind not in _KNOWN:
        return None
    try:
        return Event(kind, json.loads(raw.data), raw.id)
    except ValueError:
        raise BadAnswer(f"the stream holds an event {kind!r} that is no JSON: {raw.data[:80]!r}") from None


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


class Follower:
    """`events()` until `done`, which is the last; then an error unless the job has finished.

    `retries`: as `get_logs_retries`, additional attempts of 60 s of unbroken failure each; None: never gives
    up. `timeout`: seconds in all. `after`: a cursor to start from. `clock` and `sleep` are for tests.
    """

    def __init__(
        self,
        open_stream: Open,
        job: str,
        *,
        retries: int | None = 1,
        timeout: float | None = None,
        after: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.cursor = after
        self._open = open_stream
        self._job = job
        self._patience = None if retries is None else ATTEMPT_SECONDS * (1 + max(0, retries))
        self._clock, self._sleep = clock, sleep
        self._ends = None if timeout is None else clock() + timeout
        self._connected = False
        self._attempt, self._base = 0, FIRST_DELAY
        self._broken_since: float | None = None
        self._upstream_since: float | None = None
        self._upstream_detail = ""
        self._gap = ""

    def events(self) -> Iterator[Event]:
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
            yield Event("retrying", {"in_seconds": seconds, "detail": str(failure)}, self.cursor)
            self._sleep(seconds)

    def _connection(self) -> Generator[Event, None, bool]:
        """What one connection brings, in an order that a reader may rely on. True: the stream is over for
        good."""
        decoder, held = Decoder(self.cursor), list[Event]()
        self._upstream_since = None
        with self._open(self.cursor, self._left(), self._silence()) as chunks:
            self._connected = True
            if chunks is None:
                return True
            for chunk in chunks:
                for event in self._decode(decoder, chunk):
                    if event.kind in _BETWEEN:
                        if event.kind != "gap" or event.data.get("after") != self._gap:
                            held.append(event)
                        continue
                    self._note(event)
                    if event.kind in _AT_A_CURSOR:
                        for earlier in held:
                            self._gap = earlier.data.get("after", self._gap)
                            yield earlier
                    if event.kind in _AT_A_CURSOR or event.kind == "reset":
                        held.clear()
                    self.cursor = event.cursor
                    yield event
                    if event.kind == "done":
                        return self._over(event)
                if decoder.retry_ms is not None:
                    self._base = max(0.05, decoder.retry_ms / 1000)
                self._check()
        return False

    def _decode(self, decoder: Decoder, chunk: bytes) -> Iterator[Event]:
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
    """Asking again has been tried, or would not help."""
    error.transient = False
    return error
