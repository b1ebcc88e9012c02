"""One answer, merged: its elements in, the entries that are new out. Runs in a worker thread, piece by piece."""

from __future__ import annotations

from typing import Any

from xxhash import xxh3_128_intdigest

from ..errors import UpstreamError
from ..journal.line import Entry
from .answer import Splitter
from .entry import LAST_MS, Reading, key_of, normalised, read, short_key_of, strip_newline
from .tally import Tally


class Merge:
    """`neighbour_ms`: what an entry without a timestamp is given when none stands near it. `horizon_ms`: timestamps
    past it are some clock's fault. `floor_ms`: up to where an earlier page of the same fetch has counted the matches.

    What is `odd` (a timestamp that is no integer) may stand anywhere in an answer, whatever was asked: it says nothing
    of how far the answer goes, and may come with every page.

    `entries`, `new`: how many so far. `least_ms`: least timestamp up to the horizon. What the journal had: `matched`
    past the floor, `at_floor` at it, `far` past the horizon, `odd_all` and of these `odd_past` past the floor.
    """

    def __init__(
        self,
        tally: Tally,
        *,
        neighbour_ms: int,
        horizon_ms: int,
        floor_ms: int | None = None,
        short_keys: bool = False,
    ) -> None:
        self.splitter = Splitter()
        self.tally = tally
        self.entries = self.new = self.objects = 0
        self.matched = self.at_floor = self.far = self.odd_all = self.odd_past = 0
        self.at_last = 0  # entries that bear the last timestamp
        self.least_ms: int | None = None
        self._tail = self._greatest = self._odd_greatest = -1
        self._turns = 0  # how often a timestamp was less than the one before
        self._neighbour: int | None = None
        self._no_neighbour = max(0, neighbour_ms)
        self._horizon = horizon_ms
        self._short_keys = short_keys
        self._floor = -1 if floor_ms is None else floor_ms

    @property
    def last_ms(self) -> int | None:
        """How far the answer goes, None where no timestamp says it: to its last entry, or, where it is in no order, to
        its greatest timestamp (up to the horizon)."""
        ordered = 4 * self._turns <= self.entries
        last = self._tail if ordered and self._tail >= 0 else self._greatest
        last = last if last >= 0 else self._odd_greatest
        return last if last >= 0 else None

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
        known, known_to = self.tally.known, self.tally.known_to
        tail, at_tail, greatest, turns = self._tail, self.at_last, self._greatest, self._turns
        least = LAST_MS + 1 if self.least_ms is None else self.least_ms
        neighbour = self._next_time(elements) if self._neighbour is None else self._neighbour
        horizon, wide, digest = self._horizon, not self._short_keys, xxh3_128_intdigest
        for element in elements:
            try:
                timestamp, message = element["timestamp"], element["message"]
                if type(timestamp) is not int or type(message) is not str or not 0 <= timestamp <= LAST_MS:
                    raise TypeError
            except (KeyError, TypeError):
                neighbour = self._odd(element, neighbour, fresh)
                continue
            key = digest(f"{timestamp} {message}".encode()) if wide else short_key_of(timestamp, message)
            if timestamp <= known_to and known(timestamp, key):
                self._match(timestamp)
            else:
                extra = {k: v for k, v in element.items() if k not in _TWO} if len(element) > 2 else None
                if message.endswith("\n"):
                    message = strip_newline(message)
                fresh.append(Entry(timestamp, message, extra, key))
            if timestamp <= horizon:
                if timestamp == tail:
                    at_tail += 1
                    continue
                turns += timestamp < tail
                neighbour, tail, at_tail = timestamp, timestamp, 1
                if timestamp > greatest:
                    greatest = timestamp
                if timestamp < least:
                    least = timestamp
        self._tail, self.at_last, self._greatest, self._turns = tail, at_tail, greatest, turns
        self._neighbour = neighbour
        if least <= LAST_MS:
            self.least_ms = least if self.least_ms is None else min(self.least_ms, least)
        self._count(elements, fresh)
        return fresh

    def _odd(self, element: Any, neighbour: int, fresh: list[Entry]) -> int:
        """An element that is not as the wire has it; the neighbour of the next."""
        reading: Reading = read(element, short_key_of if self._short_keys else key_of)
        timestamp = reading.timestamp
        if timestamp is None:
            if self.tally.known_untimed(reading.key):
                self.odd_all += 1
            else:
                fresh.append(reading.entry(neighbour))
            return neighbour
        if self.tally.known(timestamp, reading.key):
            self.odd_all += 1
            self.odd_past += timestamp > self._floor
        else:
            fresh.append(reading.entry(neighbour))
        if timestamp > self._horizon:
            return neighbour
        self._odd_greatest = max(self._odd_greatest, timestamp)
        self.least_ms = timestamp if self.least_ms is None else min(self.least_ms, timestamp)
        return timestamp

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
        if not self.objects:
            self.objects = sum(1 for element in elements if isinstance(element, dict))
            # What we have taken for entries before, among objects, may come alone in a later answer.
            if not self.objects and fresh:
                raise UpstreamError(
                    f"the upstream's answer is no list of log entries: it holds {type(elements[0]).__name__} values"
                )


_TWO = frozenset(("timestamp", "message"))
