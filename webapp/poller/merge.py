"""One answer, merged: its elements in, the entries that are new out. Runs in a worker thread, piece by piece."""

from __future__ import annotations

from typing import Any

from xxhash import xxh3_64_intdigest

from ..errors import UpstreamError
from ..journal.line import Entry
from .answer import Splitter
from .entry import LAST_MS, Reading, normalised, read, strip_newline
from .tally import Tally


class Merge:
    """`neighbour_ms`: what an entry without a timestamp is given when none stands near it. `horizon_ms`: timestamps
    past it are some clock's fault. `floor_ms`: up to where an earlier page of the same fetch has counted the matches.

    `entries`, `new`: how many so far. `least_ms`, `last_ms`: least and greatest timestamp up to the
    horizon; `at_last`: entries that bear the latter. What the journal had: `matched` past the floor, `at_floor` at it,
    `far` past the horizon.
    """

    def __init__(self, tally: Tally, *, neighbour_ms: int, horizon_ms: int, floor_ms: int | None = None) -> None:
        self.splitter = Splitter()
        self.tally = tally
        self.entries = self.new = self.matched = self.far = 0
        self.at_floor = self.at_last = self.objects = 0
        self.least_ms: int | None = None
        self.last_ms: int | None = None
        self._neighbour: int | None = None
        self._no_neighbour = max(0, neighbour_ms)
        self._horizon = horizon_ms
        self._floor = -1 if floor_ms is None else floor_ms

    def cut(self) -> list[Entry]:
        """What is new in the piece that is ready. UpstreamError: this is no list of entries."""
        elements = self.splitter.cut()
        return [] if elements is None else self.take(elements)

    def end(self) -> list[Entry]:
        return self.take(self.splitter.end())

    def salvage(self) -> list[Entry]:
        """What is whole of an answer that broke off."""
        try:
            return self.cut()
        except UpstreamError:
            return []

    def take(self, elements: list[Any]) -> list[Entry]:
        fresh: list[Entry] = []
        known = self.tally.known
        last, at_last, least = self.last_ms, self.at_last, self.least_ms
        neighbour = self._next_time(elements) if self._neighbour is None else self._neighbour
        for element in elements:
            try:
                timestamp, message = element["timestamp"], element["message"]
                if type(timestamp) is not int or type(message) is not str or not 0 <= timestamp <= LAST_MS:
                    raise TypeError
            except (KeyError, TypeError):
                timestamp = self._odd(element, neighbour, fresh)
                if timestamp is None:
                    continue
            else:
                key = xxh3_64_intdigest(message.encode(), timestamp) or 1
                if known(timestamp, key):
                    self._match(timestamp)
                else:
                    extra = {k: v for k, v in element.items() if k not in _TWO} if len(element) > 2 else None
                    fresh.append(Entry(timestamp, strip_newline(message), extra, key))
            if timestamp <= self._horizon:
                neighbour = timestamp
                if last is None or timestamp > last:
                    last, at_last = timestamp, 1
                elif timestamp == last:
                    at_last += 1
                if least is None or timestamp < least:
                    least = timestamp
        self.last_ms, self.at_last, self.least_ms, self._neighbour = last, at_last, least, neighbour
        self._count(elements, fresh)
        return fresh

    def _odd(self, element: Any, neighbour: int, fresh: list[Entry]) -> int | None:
        """An element that is not as the wire has it; its own timestamp, where it has one."""
        reading: Reading = read(element)
        if reading.timestamp is None:
            if self.tally.known_untimed(reading.key):
                # Such an entry may come with every page: the first one counts.
                self.matched += self._floor < 0
            else:
                fresh.append(reading.entry(neighbour))
            return None
        if self.tally.known(reading.timestamp, reading.key):
            self._match(reading.timestamp)
        else:
            fresh.append(reading.entry(neighbour))
        return reading.timestamp

    def _next_time(self, elements: list[Any]) -> int:
        """For entries that have nothing before them: what comes first after them."""
        found = (normalised(element.get("timestamp")) for element in elements if isinstance(element, dict))
        return next((timestamp for timestamp in found if timestamp is not None), self._no_neighbour)

    def _match(self, timestamp: int) -> None:
        if timestamp > self._horizon:
            self.far += 1
        elif timestamp > self._floor:
            self.matched += 1
        elif timestamp == self._floor:
            self.at_floor += 1

    def _count(self, elements: list[Any], fresh: list[Entry]) -> None:
        self.entries += len(elements)
        self.new += len(fresh)
        if elements and not self.objects:
            self.objects = sum(1 for element in elements if isinstance(element, dict))
            if not self.objects:
                raise UpstreamError(
                    f"the upstream's answer is no list of log entries: it holds {type(elements[0]).__name__} values"
                )


_TWO = frozenset(("timestamp", "message"))
