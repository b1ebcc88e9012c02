"""One answer, merged: its elements in, the entries that are new out. Runs in a worker thread, piece by piece."""

from __future__ import annotations

from typing import Any

from xxhash import xxh3_128_intdigest

from ..errors import UpstreamError
from ..journal.line import Entry
from ..strictjson import text_of
from .answer import ElementSplitter
from .entry import LAST_MS, Element, key_of, normalised, read, short_key_of
from .extent import Extent
from .tally import Tally


class Merge:
    """`neighbour_ms`: what an entry without a timestamp is given when none stands near it. `horizon_ms`: timestamps
    past it come from a wrong clock. `whole`: which of the journal's lines the pages before this one have not confirmed;
    None for a first page, whose own tally says it.

    What is `odd` (a timestamp that is not an integer) may stand anywhere in an answer, whatever was asked for. Such
    entries, and those past the horizon, say how far the answer goes only where it has no others.

    `entries`, `new`: how many so far. `size`: bytes of the answer so far; `line_most`: of its longest entry, about.
    """

    def __init__(
        self,
        tally: Tally,
        *,
        neighbour_ms: int,
        horizon_ms: int,
        whole: Tally | None = None,
        short_keys: bool = False,
    ) -> None:
        self.splitter = ElementSplitter()
        self.tally = tally
        self.entries = self.new = self.size = self.line_most = 0
        self._longest = 0  # message of this answer, in characters
        self._whole = whole
        self._objects = 0
        self._extents = [Extent(), Extent(), Extent()]  # of most entries, of those past the horizon, of odd ones
        self._neighbour: int | None = None
        self._no_neighbour = max(0, neighbour_ms)
        self._horizon = horizon_ms
        self._short_keys = short_keys

    @property
    def extent(self) -> Extent:
        return next((extent for extent in self._extents if extent.greatest >= 0), self._extents[0])

    @property
    def plain(self) -> bool:
        """It holds entries that are neither odd nor past the horizon."""
        return self._extents[0].greatest >= 0

    @property
    def greatest_ms(self) -> int:
        """Of all entries but the odd ones, -1 for none."""
        return max(self.extent.greatest, self._extents[1].greatest)

    def feed(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.splitter.feed(chunk)

    def cut(self) -> list[Entry]:
        """What is new in the piece that is ready. UpstreamError: this is not a list of entries."""
        elements = self.splitter.cut()
        return [] if elements is None else self.take(elements)

    def end(self) -> list[Entry]:
        return self.take(self.splitter.end())

    def salvage(self) -> list[Entry]:
        """The whole entries of an answer that broke off."""
        try:
            return self.cut()
        except UpstreamError:
            return []

    def take(self, elements: list[Any]) -> list[Entry]:
        fresh: list[Entry] = []
        known, known_to, whole = self.tally.known, self.tally.known_to, self._whole
        near, far, _ = self._extents
        last, greatest, least = near.last, near.greatest, near.least
        longest, widest, rises = self._longest, None, 0
        neighbour = self._next_time(elements) if self._neighbour is None else self._neighbour
        horizon, wide, digest, append = self._horizon, not self._short_keys, xxh3_128_intdigest, fresh.append
        for element in elements:
            try:
                timestamp, message = element["timestamp"], element["message"]
                if type(timestamp) is not int or type(message) is not str or not 0 <= timestamp <= LAST_MS:
                    raise TypeError
            except (KeyError, TypeError):
                neighbour = self._odd(element, neighbour, fresh)
                continue
            if len(message) > longest:
                longest, widest = len(message), element
            key = digest(f"{timestamp} {message}".encode()) if wide else short_key_of(timestamp, message)
            if timestamp <= known_to and known(timestamp, key):
                if whole is not None:
                    whole.known(timestamp, key)
            else:
                extra = {k: v for k, v in element.items() if k not in _TWO} if len(element) > 2 else None
                if message.endswith("\n"):  # `strip_newline`, without a call
                    message = message[:-2] if message.endswith("\r\n") else message[:-1]
                append(Entry(timestamp, message, extra, key))
            if timestamp == last:
                continue
            if timestamp > horizon:
                far.add(timestamp)
                continue
            neighbour = timestamp
            if timestamp > greatest:  # `Extent.add`, without a call for the most frequent step
                rises += 1
                if least < 0:
                    least = timestamp
                greatest = last = timestamp
            else:
                near.risen(rises, least, greatest, last)
                near.add(timestamp)
                rises, last, least = 0, timestamp, near.least
        near.risen(rises, least, greatest, last)
        self._neighbour = neighbour
        if widest is not None:
            self._longest, self.line_most = longest, _size(widest)
        self._count(elements, fresh)
        return fresh

    def _odd(self, element: Any, neighbour: int, fresh: list[Entry]) -> int:
        """An element that is not as the wire has it; the neighbour of the next."""
        reading: Element = read(element, short_key_of if self._short_keys else key_of)
        timestamp = reading.timestamp
        if not _known(self.tally, reading):
            fresh.append(reading.entry(neighbour))
        elif self._whole is not None:
            _known(self._whole, reading)
        if timestamp is None:
            return neighbour
        if timestamp > self._horizon:
            return neighbour
        self._extents[2].add(timestamp)
        return timestamp

    def _next_time(self, elements: list[Any]) -> int:
        """The timestamp for entries that have none before them: the first one that follows."""
        found = (normalised(element.get("timestamp")) for element in elements if isinstance(element, dict))
        return next((timestamp for timestamp in found if timestamp is not None), self._no_neighbour)

    def _count(self, elements: list[Any], fresh: list[Entry]) -> None:
        self.entries += len(elements)
        self.new += len(fresh)
        if not self._objects:
            self._objects = sum(1 for element in elements if isinstance(element, dict))
            # What we have taken for entries before, among objects, may come alone in a later answer.
            if not self._objects and fresh:
                raise UpstreamError(
                    f"the upstream's answer is not a list of log entries: it holds {type(elements[0]).__name__} values"
                )


def _known(tally: Tally, reading: Element) -> bool:
    if reading.timestamp is None:
        return tally.known_untimed(reading.key)
    return tally.known(reading.timestamp, reading.key)


def _size(element: Any) -> int:
    """Bytes of its JSON at most: with blanks in between, and with escapes for what is not ASCII."""
    text = text_of(element)
    return len(text) + 5 * (len(text.encode()) - len(text)) + 32


_TWO = frozenset(("timestamp", "message"))
