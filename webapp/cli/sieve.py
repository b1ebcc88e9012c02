"""Which lines a terminal shows: those that an expression finds and another does not, with their neighbours. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from ..client.line import Line

_PLAIN_TEXT = re.compile(r"[^\\.^$*+?{}\[\]()|]*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`grep`, `exclude`: expressions (RE2), in either case unless they hold a capital letter. `before`, `after`: so
    many neighbours of each line that is found. `stream`: only lines of stdout or stderr."""

    grep: str | None = None
    exclude: str | None = None
    before: int = 0
    after: int = 0
    stream: str | None = None

    @property
    def text(self) -> str | None:
        """The text to look for, where that is all that is wanted: then the service can do it."""
        alone = self.exclude is None and self.stream is None and not (self.before or self.after)
        return self.grep if alone and self.grep and _PLAIN_TEXT.fullmatch(self.grep) else None

    @property
    def all(self) -> bool:
        return self.grep is None and self.exclude is None and self.stream is None


def compiled(option: str, expression: str | None) -> Any:
    """None where there is none; a usage error where it is not valid."""
    if expression is None:
        return None
    import re2

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = expression != expression.lower()
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise click.BadParameter(f"{expression!r} is not a valid expression: {why}", param_hint=option) from None


class Sieve:
    """`feed` it lines; it gives those to show. `last`: only so many that are found, which it holds until `release`."""

    def __init__(self, wanted: Wanted, last: int | None = None) -> None:
        self._grep = compiled("--grep", wanted.grep)
        self._exclude = compiled("--exclude", wanted.exclude)
        self._stream = wanted.stream
        self._after = wanted.after
        self._earlier: deque[Line] = deque(maxlen=wanted.before)
        self._to_come = 0
        self._last = last
        self._held: deque[tuple[Line, bool]] = deque()
        self._found = 0

    def feed(self, line: Line) -> Iterator[Line]:
        for shown, found in self._passing(line):
            if self._last is None:
                yield shown
            else:
                self._hold(shown, found)

    def release(self) -> list[Line]:
        """The last lines; from now on each comes as it is found."""
        held, self._last = [line for line, _ in self._held], None
        self._held.clear()
        return held

    def _passing(self, line: Line) -> Iterator[tuple[Line, bool]]:
        if self._finds(line):
            yield from ((earlier, False) for earlier in self._earlier)
            self._earlier.clear()
            self._to_come = self._after
            yield line, True
        elif self._to_come:
            self._to_come -= 1
            yield line, False
        else:
            self._earlier.append(line)

    def _finds(self, line: Line) -> bool:
        if self._stream is not None and line.get("stream") != self._stream:
            return False
        if self._grep is not None and not self._grep.search(line.message):
            return False
        return self._exclude is None or not self._exclude.search(line.message)

    def _hold(self, line: Line, found: bool) -> None:
        self._held.append((line, found))
        self._found += found
        while self._last is not None and self._found > self._last:
            self._found -= self._held.popleft()[1]
        # What stood after a line that has gone, and too far before the next.
        while self._held and not self._held[0][1] and self._stray():
            self._held.popleft()

    def _stray(self) -> bool:
        before = self._earlier.maxlen or 0
        return not any(found for _, found in list(self._held)[: before + 1])
