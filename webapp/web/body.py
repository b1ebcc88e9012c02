"""The body of an answer that streams lines: ndjson or text, to its end or followed, and how it says where it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import orjson

from ..errors import JobNotFound, JobtailError, UpstreamDenied
from ..journal.batch import Batch
from ..journal.parts import Gap
from ..journal.state import State
from ..journal.terminal import SPAN
from ..stream.channel import Channel
from ..stream.form import Form, Omitted, encode_chosen
from ..stream.shown import Shown, begins
from ..stream.step import settled, within
from ..tasks import first_of
from ..threads import PAGES

T = TypeVar("T")
# A followed body that has had nothing to say for so long sends an empty line: proxies cut connections that are silent.
KEEPALIVE_SECONDS = 15.0
# How often it is checked for a waiting follower whether it may still read.
CHECK_SECONDS = 2.0
# At a time, all of which a slow reader holds in memory.
READ_BYTES = 256 << 10


class InThread(Protocol):
    """Runs a part of the work of a stream in a thread."""

    def __call__(self, work: Callable[..., T], *arguments: Any) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class LogRange:
    """Lines after `after` up to `upto` (None: no end), at most `limit` of those that pass."""

    after: int
    upto: int | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class Manner:
    """How lines are given. `follow`: until the job has ended. `marks`: with records that say what is missing and
    where the body ends. `keepalive`: with empty lines in silence. `ended`: whether the right to read is over, and
    `end_reason` the word for that. `leaving`: set when the service goes down."""

    follow: bool
    marks: bool
    keepalive: bool
    ended: Callable[[], bool]
    end_reason: str
    leaving: asyncio.Event


class Cut(JobtailError):
    """The body ends before its end. `reason`: as in the record that says so."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class LogBody:
    """`chunks()` gives the bytes. Without marks it raises where it can't go on, so that the answer breaks off: no
    reader may take a part for the whole."""

    def __init__(
        self, channel: Channel, form: Form, extent: LogRange, manner: Manner, work: InThread = PAGES.run
    ) -> None:
        """`work`: runs what looks at the text of lines, which may have to wait for its turn."""
        self._channel = channel
        self._work = work
        self._form = form
        self._manner = manner
        self._extent = extent
        self._upto, self._after = extent.upto, extent.after  # what is read: see `_begin`
        self._gaps_to = extent.after - 1  # gaps up to just after this line have been given
        self._epoch = channel.state.epoch
        self._maker: Formed | Shown = Formed(form, self._epoch, extent.limit)

    async def chunks(self) -> AsyncIterator[bytes]:
        with _counted(self._channel, self._manner.follow):
            try:
                async for data in self._lines():
                    yield data
            except Cut as cut:
                if not self._manner.marks:
                    raise
                yield self._end(cut.reason)
            else:
                if self._manner.marks:
                    yield self._end(self._reason())

    async def _lines(self) -> AsyncIterator[bytes]:
        sent_at, begun = time.monotonic(), False
        await PAGES.run(self._begin)
        while True:
            state = self._channel.state
            self._check(state)
            upto = state.last_line if self._upto is None else min(self._upto, state.last_line)
            items = await PAGES.run(self._read, upto, begun)
            begun, found = True, any(isinstance(item, Batch) for item in items)
            while items:
                item = items.pop(0)  # what has gone out is not held for a reader who takes his time
                data = self._gap(item) if isinstance(item, Gap) else await self._take(item)
                if data:
                    yield data
                    sent_at = time.monotonic()
                if self._maker.over:
                    return
            if found:
                continue
            self._after = max(self._after, upto)
            if self._over(state):
                if data := self._maker.rest():
                    yield data
                return
            if data := self._maker.pause():
                yield data
                sent_at = time.monotonic()
            await self._wait(state)
            if self._manner.keepalive and time.monotonic() - sent_at >= KEEPALIVE_SECONDS:
                yield b"\n"
                sent_at = time.monotonic()

    def _begin(self) -> None:
        """Text is what a terminal shows, for which lines around those that were asked for are read too. Filtered
        lines, which do not follow each other, are read each by itself."""
        if self._form.format != "text" or self._form.filters:
            return
        after, upto, limit = self._extent.after, self._extent.upto, self._extent.limit
        low, high = self._form.lines or (1, upto or 0)
        self._maker = Shown(after, upto, limit, self._form.longest)
        self._after = begins(self._channel.journal, after, max(low - 1, self._channel.state.trimmed_to))
        if upto is not None:
            self._upto = -(-upto // SPAN) * SPAN
            self._upto = min(self._upto, high) if self._form.lines else self._upto

    def _check(self, state: State) -> None:
        """Cut where the body can't go on."""
        if self._manner.ended():
            raise Cut(self._manner.end_reason, "the right to read it has ended")
        if state.epoch != self._epoch:
            raise Cut("reset", "the journal was begun anew meanwhile")
        if not self._manner.follow:
            return
        if self._manner.leaving.is_set():
            raise Cut("bye", "the service is going down")
        error = self._channel.updater.error
        if self._after >= state.last_line and isinstance(error, JobNotFound | UpstreamDenied):
            raise Cut("not_found" if isinstance(error, JobNotFound) else "denied", error.detail)

    def _read(self, upto: int, begun: bool) -> list[Batch | Gap]:
        """What comes next up to line `upto`, and the gaps in their places. Blocks on the disk."""
        journal = self._channel.journal
        batches = journal.read(self._after, most_bytes=READ_BYTES, upto=upto, levels=self._form.levels)
        if journal.state().epoch != self._epoch:
            raise Cut("reset", "the journal was begun anew meanwhile")
        first = batches[0].first if batches else upto + 1
        missing: list[Gap] = []
        # Asked for after the read: if lines were trimmed before it, that is known by now.
        if first > self._after + 1 and (trimmed := min(journal.trimmed_to(), first - 1)) > self._after:
            if begun and not self._manner.marks:
                raise Cut("trimmed", f"lines up to {trimmed} were trimmed while they were being read")
            missing.append(Gap(self._after, "trimmed", trimmed - self._after))
            self._after = trimmed
        if self._manner.marks:
            last = batches[-1].last if batches else max(self._after, upto)
            found = journal.gaps(max(self._after, self._gaps_to + 1), last + 1)
            missing += [gap for gap in found if within(self._form.lines, gap.after_line)]
        return list(interleaved(batches, missing))

    def _gap(self, gap: Gap) -> bytes:
        self._gaps_to = max(self._gaps_to, gap.after_line)
        return gap_record(self._epoch, gap) if self._manner.marks else b""

    async def _take(self, batch: Batch) -> bytes:
        data = await self._work(self._maker.feed, batch)
        self._after = self._maker.last if isinstance(self._maker, Formed) else batch.last
        return data

    def _over(self, state: State) -> bool:
        return not self._manner.follow or state.finished or (self._upto is not None and self._after >= self._upto)

    async def _wait(self, state: State) -> None:
        """Waits for news; meanwhile the job counts as watched."""
        self._channel.upkeep.keep_alive()
        news, leaving = self._channel.feed.changed(state.revision), self._manner.leaving.wait()
        await first_of(news, leaving, seconds=CHECK_SECONDS)

    def _reason(self) -> str:
        """Why the body ends that gave what was asked for."""
        # A range that ends where the log does gets no other reason than any range: its reader may not learn that.
        whole = self._form.lines is None and self._after >= self._channel.state.last_line
        if whole and settled(self._channel.state):
            return "finished"
        return "limit" if self._maker.over and (self._upto is None or self._after < self._upto) else "end"

    def _end(self, reason: str) -> bytes:
        count = self._maker.count if isinstance(self._maker, Formed) else 0
        complete = bool(self._channel.state.complete) if reason == "finished" else None
        record = {"end": reason, "id": f"{self._epoch}-{self._after}", "count": count, "complete": complete}
        return orjson.dumps(record) + b"\n"


class Formed:
    """Batches in a form, at most `left` lines of them. `count`: lines so far; `last`: the newest considered."""

    def __init__(self, form: Form, epoch: str, left: int | None) -> None:
        self.count = self.last = 0
        self._form, self._epoch, self._left = form, epoch, left

    @property
    def over(self) -> bool:
        return self._left == 0

    def feed(self, batch: Batch) -> bytes:
        data, taken, self.last = take(self._form, self._epoch, batch, self._left, self._form.passing(batch))
        self.count += taken
        self._left = None if self._left is None else self._left - taken
        return data

    def pause(self) -> bytes:
        return b""

    rest = pause


def gap_record(epoch: str, gap: Gap) -> bytes:
    record = {"gap": gap.reason, "after": f"{epoch}-{gap.after_line}", "count": gap.count}
    return orjson.dumps(record) + b"\n"


def interleaved(batches: list[Batch], gaps: list[Gap]) -> Iterator[Batch | Gap]:
    """Both in the order of their lines; a batch is split where a gap stands in it."""
    left = list(gaps)
    for batch in batches:
        rest = batch
        while left and left[0].after_line < rest.last:
            gap = left.pop(0)
            if gap.after_line >= rest.first:
                yield rest.part(rest.first, gap.after_line)
                rest = rest.part(gap.after_line + 1, rest.last)
            yield gap
        yield rest
    yield from left


def take(form: Form, epoch: str, batch: Batch, left: int | None, chosen: list[int] | None) -> tuple[bytes, int, int]:
    """The batch in its form, cut after `left` lines that pass; how many did; the last line that was considered.
    `chosen`: the places of those that pass, as `form.passing` gives them."""
    count = len(batch) if chosen is None else len(chosen)
    if left is not None and count > left:
        last = left - 1 if chosen is None else chosen[left - 1]
        batch, count = batch.part(batch.first, batch.first + last), left
        chosen = None if chosen is None else chosen[:left]
    if chosen is not None and len(chosen) == len(batch):
        chosen = None
    return encode_chosen(form, epoch, batch, Omitted(), chosen).data, count, batch.last


@contextmanager
def _counted(channel: Channel, follow: bool) -> Iterator[None]:
    """While a body is followed, its reader counts as a viewer."""
    channel.readers += follow
    try:
        yield
    finally:
        channel.readers -= follow
