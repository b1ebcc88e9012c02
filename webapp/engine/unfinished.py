"""The streams of a command: their bytes as lines, and what is shown of lines that have no end yet."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .backlog import Hole, Item
from .incoming import Dropped
from .splitter import Splitter

# A line without an end is shown when it has stayed so for this long, and no more often.
SHOW_SECONDS = 0.4
Shown = dict[str, Any] | None


class Streams:
    """`shown`: of lines without an end, by stream. `show_at`: when to look again, on the monotonic clock."""

    def __init__(self) -> None:
        self.shown: Shown = None
        self.show_at = 0.0
        self._splitters = {name: Splitter(name) for name in ("stdout", "stderr")}

    def lines(self, stream: str, timestamp: int, data: bytes | Dropped) -> list[Item]:
        """`stream`: its name, and behind a blank the level that its lines have, where it has one."""
        if stream not in self._splitters:
            name, _, level = stream.partition(" ")
            self._splitters[stream] = Splitter(name, level=level)
        splitter = self._splitters[stream]
        if not isinstance(data, Dropped):
            return [*splitter.feed(timestamp, data)]
        pieces, lost = splitter.lose(data.lines, data.within)
        return [*pieces, Hole(lost)]

    def ends(self) -> list[Item]:
        return [piece for splitter in self._splitters.values() for piece in splitter.end()]

    def without(self, ended: Iterable[str]) -> Shown:
        """What is shown once lines of these streams have ended."""
        return {name: each for name, each in (self.shown or {}).items() if name not in ended} or None

    def show(self, show: Callable[[Mapping[str, Any] | None], None], *, ended: bool) -> None:
        """What stands after the last newline, unless a line has just ended: then that may soon be the beginning of
        the next one."""
        now = time.monotonic()
        held = {name: splitter.unfinished() for name, splitter in self._splitters.items()}
        unfinished = {name: each for name, each in held.items() if each} or None
        if unfinished == self.shown:
            self.show_at = math.inf
        elif now < self.show_at < math.inf:
            pass
        elif ended or self.show_at == math.inf:
            self.show_at = now + SHOW_SECONDS
        else:
            show(unfinished)
            self.shown, self.show_at = unfinished, now + SHOW_SECONDS
