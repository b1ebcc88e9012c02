"""Reads one page of a job's log into its journal: asks, merges, finds gaps, appends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import TypeVar

import anyio
import anyio.to_thread

from ..errors import JobNotFound, UpstreamDenied, UpstreamError
from ..journal.line import Entry
from ..journal.state import State
from ..source.base import Answer, Source
from ..store.base import Journal
from .backoff import Backoff
from .budget import Budget
from .clock import UpstreamClock, horizon, newest
from .fetch import Fetch
from .lease import Lease
from .merge import Merge
from .paging import Limits, Page
from .tally import Tally

T = TypeVar("T")
# New entries are sorted and appended in pieces of so many bytes, about.
APPEND_BYTES = 16 << 20
# How long a request waits for its place, in seconds, before viewers are told that it does.
PATIENCE = 5.0
# How often a page after the first is asked for again.
PAGE_ATTEMPTS = 8


@dataclass(slots=True)
class OpenPage:
    """A page while it is read. `newest_ms`: what we knew before it; `before`: the page that it goes on from."""

    since: int | None
    before: Page | None
    state: State
    newest_ms: int
    merge: Merge
    placed: bool = False
    pending: list[Entry] = field(default_factory=list)
    pending_bytes: int = 0


class Pages:
    """`fetch`: the read that the pages belong to. `changed`: called after every append, with how many lines. `failed`:
    called when a page after the first is tried again, with the error, the attempt, and seconds until then."""

    def __init__(
        self, source: Source, journal: Journal, budget: Budget, lease: Lease,
        changed: Callable[[int], Awaitable[None]], failed: Callable[[UpstreamError, int, float], Awaitable[None]],
        *, window_most: float, backoff: Callable[[], Backoff],
    ) -> None:  # fmt: skip
        self.fetch = Fetch()
        self.limits = Limits()
        self.clock = UpstreamClock()
        self._whole: Tally | None = None  # in a read of the whole log: what of all that we hold is still to be found
        self._source = source
        self._journal = journal
        self._budget = budget
        self._lease = lease
        self._changed = changed
        self._failed = failed
        self._window_most_ms = int(window_most * 1000)
        self._backoff = backoff

    @property
    def confirmed(self) -> bool:
        """In a read of the whole log: all that we hold was in it, so far."""
        whole = self._whole
        return whole is not None and whole.exact and whole.matched == self.fetch.held

    async def patient(self, since: int | None, before: Page) -> Page:
        """A page after the first is asked for again by itself: of a thousand pages one nearly always fails."""
        backoff = self._backoff()
        while True:
            try:
                return await self.page(since, before)
            except (JobNotFound, UpstreamDenied):
                raise
            except UpstreamError as error:
                if backoff.attempt >= PAGE_ATTEMPTS:
                    raise
                delay = backoff.failed(getattr(error, "retry_after", None))
                delay += self._budget.retries.reserve(time.monotonic())
                await self._failed(error, backoff.attempt, delay)
                await anyio.sleep(delay)

    async def page(self, since: int | None, before: Page | None) -> Page:
        async with self._budget.place(PATIENCE), self._source.logs(self._journal.job, since) as answer:
            page = await self.in_thread(partial(self._begun, since, before, answer.date_ms))
            try:
                await self._take(answer, page, self._flush_large)
            except UpstreamError:
                # What came in whole is kept: an upstream that always breaks off would else never get further.
                page.pending += await self.in_thread(page.merge.salvage)
                await self._flush(page)
                raise
        await self._flush(page)
        return self._ended(page, answer.date_ms)

    def _begun(self, since: int | None, before: Page | None, date_ms: int | None) -> OpenPage:
        state = self._journal.state()
        newest_ms = min(newest(state), horizon(date_ms))
        tally = Tally(self._journal.seen, state.high_ms, untimed=self._journal.seen_untimed(), near_ms=newest_ms)
        merge = self._merge(tally, newest_ms, date_ms, None if before is None else self._whole)
        if before is None:
            self.fetch.held, self.fetch.newest_ms = state.last_line, newest_ms
            self._whole = tally if since is None else None
        return OpenPage(since, before, state, newest_ms, merge)

    def _merge(self, tally: Tally, newest: int, date_ms: int | None, whole: Tally | None) -> Merge:
        return Merge(
            tally,
            neighbour_ms=newest,
            horizon_ms=horizon(date_ms),
            whole=whole,
            short_keys=self._journal.short_keys(),
        )

    async def _take(self, answer: Answer, page: OpenPage, flush: Callable[[OpenPage], Awaitable[None]]) -> None:
        merge = page.merge
        async for chunk in answer.chunks:
            merge.feed(chunk)
            while merge.splitter.ready:
                entries, size = await self.in_thread(partial(_measured, merge.cut))
                page.pending += entries
                page.pending_bytes += size
                await flush(page)
        page.pending += (await self.in_thread(partial(_measured, merge.end)))[0]

    def _ended(self, page: OpenPage, date_ms: int | None) -> Page:
        merge, extent = page.merge, page.merge.extent
        self._budget.retries.earn()
        self.clock.date_ms = date_ms
        self.fetch.entries += merge.entries
        greatest = extent.greatest if extent.greatest >= 0 else None
        found = Page(
            page.since, merge.entries, merge.new,
            None if greatest is None else extent.end,
            page.newest_ms < 0 or (greatest is not None and greatest >= page.newest_ms),
            least_ms=None if greatest is None else extent.least, greatest_ms=merge.greatest_ms,
            size=merge.size, line_most=merge.line_most,
            behind=min(extent.behind, self._window_most_ms) if extent.ordered else 0, plain=merge.plain,
            disordered=extent.falls > 0,
        )  # fmt: skip
        self.limits.note(found)
        return found

    # --- appending -----------------------------------------------------------------------------------------------

    async def _flush_large(self, page: OpenPage) -> None:
        if page.pending_bytes >= APPEND_BYTES:
            await self._flush(page)

    async def _flush(self, page: OpenPage) -> None:
        if not page.pending:
            return
        if not page.placed:
            page.placed = True
            await self._place(page)
        entries, page.pending, page.pending_bytes = page.pending, [], 0
        await self.in_thread(partial(self._append, entries))
        self.fetch.new += len(entries)
        await self._changed(len(entries))

    def _append(self, entries: list[Entry]) -> None:
        entries.sort(key=attrgetter("timestamp"))
        self.fetch.arrived(entries, self._window_most_ms)
        self._lease.writer.append(entries)

    # --- gaps ----------------------------------------------------------------------------------------------------

    async def _place(self, page: OpenPage) -> None:
        """Before the first append of a page: do its entries follow on what we hold? Where they may not, a second answer
        decides, and the gap is written before them."""
        before = page.before
        if before is not None and before.stuck and before.reached:
            if self.limits.hides(before, self._so_far(page)):
                second = await self._again(page, before.since)
                if second.entries and second.extent.end == before.last_ms:
                    await self._gap(page.state.last_line)
            return
        last_ms = _passed_ms(page)
        if last_ms is not None:
            if await self._ends_at(page, last_ms):
                await self._gap(page.state.last_line)
            return
        if await self.in_thread(partial(self._apart, page)):
            second = await self._again(page, page.since)
            least = second.extent.least
            if not second.tally.near and (least < 0 or least >= page.newest_ms):
                await self._gap(page.state.last_line)

    async def _ends_at(self, page: OpenPage, last_ms: int) -> bool:
        """An answer that begins with that ms ends with it too, though the page shows that later entries exist: a limit
        stops it there. It is asked for twice, since an upstream of several servers may have one that lags behind. One
        that includes `since_ms` is asked from the ms itself, or a limit might be filled by the ms before it."""
        since = last_ms - 1
        for _ in range(2):
            second = await self._again(page, since)
            if second.extent.end != last_ms or second.greatest_ms > last_ms:
                return False
            if second.extent.least < last_ms:
                since = last_ms
        return True

    def _apart(self, page: OpenPage) -> bool:
        """Nothing that we hold of the time that was asked for is in the answer, and what is comes after it."""
        least = page.merge.extent.least
        if page.merge.tally.near or page.newest_ms < 0 or least < 0 or least < page.newest_ms:
            return False
        if page.since is None:
            return page.state.last_line > 0
        return bool(self._journal.seen(page.since + 1, page.newest_ms + 1))

    async def _again(self, page: OpenPage, since: int | None) -> Merge:
        """Asks once more; what the first answer did not have joins what waits to be appended. No place in the budget is
        taken: this is still the same fetch, and two that wait for each other would wait for ever."""
        held = Counter(entry.key for entry in page.pending)
        async with self._source.logs(self._journal.job, since) as answer:
            tally = Tally(
                self._journal.seen, page.state.high_ms,
                untimed=self._journal.seen_untimed(), held=held, near_ms=page.newest_ms,
            )  # fmt: skip
            merge = self._merge(tally, page.newest_ms, answer.date_ms, None)
            second = OpenPage(since, None, page.state, page.newest_ms, merge)
            await self._take(answer, second, _enough)
        page.pending += second.pending
        return second.merge

    def _so_far(self, page: OpenPage) -> Page:
        """The page that is being read, as far as it has come."""
        merge, extent = page.merge, page.merge.extent
        last, least = (None, None) if extent.greatest < 0 else (extent.end, extent.least)
        return Page(page.since, merge.entries, merge.new, last, True, least, plain=merge.plain)

    async def _gap(self, after_line: int) -> None:
        await self.in_thread(partial(self._lease.writer.add_gap, after_line, "upstream", None))
        self.fetch.holes = True

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await self._lease.hands.run(work)


def _passed_ms(page: OpenPage) -> int | None:
    """Where the page was asked for from the end of the one before it, and so cannot show what a limit hid in that ms:
    that ms."""
    last_ms = page.before.last_ms if page.before is not None and page.before.reached else None
    if last_ms is None or page.since is None or page.since < last_ms:
        return None
    return last_ms if page.merge.plain and page.merge.extent.least > last_ms else None


async def _enough(page: OpenPage) -> None:
    """A second answer is held as a whole, so it is bounded: what is past the bound comes with the next round."""
    if page.pending_bytes > 4 * APPEND_BYTES:
        raise UpstreamError("the upstream's answer is too long to be compared")


def _measured(take: Callable[[], list[Entry]]) -> tuple[list[Entry], int]:
    entries = take()
    return entries, sum(map(len, map(attrgetter("message"), entries))) + 200 * len(entries)
