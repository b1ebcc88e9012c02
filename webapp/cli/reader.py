"""What `logs` and `tail` read: the lines that are there, then those that come, each through the sieve to a printer."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import click

from ..client.api import Client
from ..client.follow import Event
from ..client.line import Line
from ..client.show import lines_of
from .printer import TURNS, JsonPrinter, LogPrinter
from .sieve import Sieve, Wanted

# A terminal that takes this share of the time to show what comes, for so long, does not keep up.
BUSY_SHARE = 0.8
BUSY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Choice:
    """Which lines, of the options that `logs` and `tail` share."""

    since_ms: int | None = None
    until_ms: int | None = None
    last: int | None = None
    level: str | None = None
    wanted: Wanted = field(default_factory=Wanted)
    timestamps: bool = False
    as_json: bool = False

    @property
    def sifted(self) -> bool:
        """Whether lines are chosen here, and not by the service."""
        return not self.wanted.all and self.wanted.text is None

    @property
    def params(self) -> dict[str, Any]:
        """What the service is asked for."""
        tail = None if self.sifted else self.last
        return {"since_ms": self.since_ms, "level": self.level, "q": self.wanted.text, "tail": tail}

    def sieve(self) -> Sieve:
        return Sieve(self.wanted, self.last) if self.sifted else Sieve(Wanted())

    def printer(self, *, live: bool, label: str = "", turn: int = 0, lock: Lock | None = None,
                job: str = "") -> LogPrinter | JsonPrinter:  # fmt: skip
        if self.as_json:
            return JsonPrinter(sys.stdout, job, lock)
        neighbours = bool(self.wanted.before or self.wanted.after)
        return LogPrinter(
            sys.stdout, timestamps=self.timestamps, separate=neighbours, live=live,
            label=label, colour=TURNS[turn % len(TURNS)], lock=lock,
            unfinished=live and not (label or self.sifted),
        )  # fmt: skip


def chosen(given: dict[str, Any]) -> Choice:
    """Takes the options of `choosing` out of what a command was given. A usage error where two contradict."""
    since, since_ms = given.pop("since"), given.pop("since_ms")
    if since is not None and since_ms is not None:
        raise click.UsageError("--since and --since-ms say the same: give one of them")
    around = given.pop("context") or 0
    before, after = given.pop("before_context"), given.pop("after_context")
    wanted = Wanted(
        given.pop("grep"), given.pop("exclude"), around if before is None else before,
        around if after is None else after, given.pop("stream"),
    )  # fmt: skip
    Sieve(wanted)  # a wrong expression is said before anything is asked
    return Choice(
        since_ms if since is None else since, given.pop("until"), given.pop("tail"), given.pop("level"), wanted,
        given.pop("timestamps"), given.pop("as_json"),
    )  # fmt: skip


class KeepsUp:
    """Whether a terminal keeps up with what comes. Pure: `took(seconds, now)` after each time it was written to."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self._busy = 0.0

    def took(self, seconds: float, now: float) -> bool:
        begun = now - seconds if self._begun is None else self._begun
        self._begun = begun
        self._busy += seconds
        if now - begun < BUSY_SECONDS:
            return True
        if self._busy / (now - begun) >= BUSY_SHARE:
            return False
        self._begun, self._busy = now, 0.0
        return True


class JobReader:
    """Of one job. `read()`: what there is; `follow()`: until its end, with what the stream says of it."""

    def __init__(self, client: Client, job: str, choice: Choice, printer: LogPrinter | JsonPrinter) -> None:
        self._client, self._job, self._choice, self._printer = client, job, choice, printer
        self._sieve = choice.sieve()
        self._after = ""

    def read(self) -> None:
        params = self._choice.params | {"until_ms": self._choice.until_ms}
        for found in self._client.log(self._job, **params):
            if isinstance(found, Line):
                self._after = found.id
                self._take(found)
            else:
                self._printer.gap(found)
        self._release()
        self._printer.end()

    def follow(self, *, sample: bool | None, refresh_seconds: float = 1.0, timeout: float | None = None,
               retries: int | None = 1) -> Generator[Event, None, None]:  # fmt: skip
        """The events, each shown already. `sample`: None for a sample only where the terminal does not keep up."""
        if self._choice.sifted and self._choice.last is not None:
            self.read()
            self._choice_done()
        try:
            yield from self._follow(sample, refresh_seconds, timeout, retries)
        finally:
            self._printer.end()

    def _follow(self, sample: bool | None, refresh_seconds: float, timeout: float | None,
                retries: int | None) -> Iterator[Event]:  # fmt: skip
        begun, keeps_up = time.monotonic(), KeepsUp()
        while True:
            left = None if timeout is None else max(0.1, begun + timeout - time.monotonic())
            wanted = self._choice.params | {"refresh_seconds": refresh_seconds, "format": "batch"}
            wanted["sample_logs"] = bool(sample) and not (self._choice.level or self._choice.sifted or wanted["q"])
            if self._after:
                wanted["tail"] = None
            for event in self._client.stream(self._job, wanted, after=self._after, timeout=left, retries=retries):
                at = time.monotonic()
                self._show(event)
                yield event
                self._after = event.cursor or self._after
                now = time.monotonic()
                if sample is None and event.kind != "done" and not keeps_up.took(now - at, now):
                    self._printer.note("… this terminal is slower than the log: a sample from here on")
                    sample = True
                    break
            else:
                return

    def _choice_done(self) -> None:
        """What is there has been shown: what follows is all that comes."""
        self._sieve.release()

    def _show(self, event: Event) -> None:
        if event.kind in ("line", "lines"):
            for line in lines_of(event):
                if self._choice.until_ms is None or line.timestamp <= self._choice.until_ms:
                    self._take(line)
        else:
            self._printer.event(event)
        if event.kind == "done":
            self._printer.end()
        elif not event.more:
            self._printer.settle()

    def _take(self, line: Line) -> None:
        for shown in self._sieve.feed(line):
            self._printer.line(shown)
        if self._printer.full:
            self._printer.flush()

    def _release(self) -> None:
        for line in self._sieve.release():
            self._printer.line(line)
