"""Reads a job's log into its journal: asks, merges, pages on, finds gaps, appends. One fetch at a time."""

from __future__ import annotations

import time
from collections import Counter, deque
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
from .doubt import Doubt
from .lease import Lease
from .merge import Merge
from .paging import MANY, Limits, Page, Probing
from .tally import Tally

T = TypeVar("T")
# New entries are sorted and appended in pieces of so many bytes, about.
APPEND_BYTES = 16 << 20
# A timestamp so far past the later of our clock and the upstream's is from the future. Local time that is sent as UTC
# is 14 hours ahead at most, and a Date that a cache keeps lies behind.
HORIZON_MS = 15 * 3_600_000
# Where the new entries of so many rounds all bear times past the upstream's Date, that Date is behind.
AHEAD_ROUNDS = 8
# Pages in a row that may lead no further: `since_ms` may have to pass what came late, and one ms by two steps.
STILL_MOST = 4
# Small pages at the log's end: lines may be emitted as fast as they are asked for, and the next round comes anyway.
SMALL_MOST = 20
# How long a request waits for its place, in seconds, before viewers are told that it does.
PATIENCE = 5.0
# How often a page after the first is asked for again.
PAGE_ATTEMPTS = 8


@dataclass(slots=True)
class Fetch:
    """What a read of the log was like. `complete`: it was the whole log, shown to be so, with nothing new and all that
    we hold in it. `late_ms`: how much older than the newest one we knew the oldest new entry was, of those within the
    widest window; `behind_ms`: the same of all. `first_ms`, `last_ms`: of what is newer than all that we knew, -1 for
    none. `holes`: entries may be hidden that we never had; `hidden_end`: behind the last line."""

    held: int = 0
    new: int = 0
    entries: int = 0
    late_ms: int = 0
    behind_ms: int = 0
    holes: bool = False
    hidden_end: bool = False
    complete: bool = False
    newest_ms: int = -1
    first_ms: int = -1
    last_ms: int = -1

    @property
    def span(self) -> float:
        """Seconds from the first to the last of the entries that are newer than all that we knew."""
        return (self.last_ms - self.first_ms) / 1000

    def newer(self, entries: list[Entry]) -> None:
        """Takes note of new entries, sorted."""
        found = next((entry.timestamp for entry in entries if entry.timed and entry.timestamp > self.newest_ms), None)
        if found is not None:
            self.first_ms = found if self.first_ms < 0 else min(self.first_ms, found)
            self.last_ms = max(self.last_ms, entries[-1].timestamp)


@dataclass(slots=True)
class _Page:
    """A page while it is read. `newest_ms`: what we knew before it; `before`: the page that it goes on from."""

    since: int | None
    before: Page | None
    state: State
    newest_ms: int
    merge: Merge
    placed: bool = False
    pending: list[Entry] = field(default_factory=list)
    pending_bytes: int = 0


class Reader:
    """`lease`: who holds it appends. `changed`: called after every append, with how many lines.
    `failed`: called when a page after the first is tried again, with the error, the attempt, and seconds until then."""

    def __init__(
        self, source: Source, journal: Journal, budget: Budget, lease: Lease,
        changed: Callable[[int], Awaitable[None]], failed: Callable[[UpstreamError, int, float], Awaitable[None]],
        *, window_most: float, probing: Probing, backoff: Callable[[], Backoff],
    ) -> None:  # fmt: skip
        self.date_ms: int | None = None
        self.limits = Limits()
        self._source = source
        self._journal = journal
        self._budget = budget
        self._lease = lease
        self._changed = changed
        self._failed = failed
        self._backoff = backoff
        self._window_most_ms = int(window_most * 1000)
        self._probing = probing
        self._ahead: deque[int] = deque(maxlen=AHEAD_ROUNDS)  # of new entries, of the upstream's Date, in ms, at least
        self._short: int | None = None
        self._fetch = Fetch()
        self._doubt: Doubt | None = None
        self._hiding: int | None = None  # what an answer of this read was asked with that may hide more of its one ms
        self._whole: Tally | None = None  # in a read of the whole log: what of all that we hold is still to be found

    async def fetch(self, since: int | None, *, prove: bool = False) -> Fetch:
        """Reads from `since` (None: all) to the end and appends what is new. What fails leaves appended what had come
        in whole. `prove`: that nothing is left is to be shown, at the cost of some requests. BegunAnew where the
        journal was thrown away since the writer resumed: what is read must not be taken for all that the new one has to
        hold. JobNotFound, UpstreamError, JournalError."""
        if prove and self._doubt is not None and await self._stands(self._doubt):
            return self._fetch
        fetch, self._hiding = Fetch(), None
        self._fetch = fetch
        probe = since is None or self._probing.due(time.monotonic())
        page = first = await self._page(since, None)
        if probe and not prove and page.reached and not self.limits.suspect(page):
            page = await self._look_behind(page)
        in_one = self._confirmed  # one answer held all: no limit has shown
        still = small = 0
        reached = page.reached
        full: Page | None = None  # the last answer that lies in one ms, the log's last, and no other
        while (onward := self._onward(page, page is first, probe, prove, wide=not still)) is not None:
            if still >= STILL_MOST or small >= SMALL_MOST:
                break
            after = await self._patient_page(onward, page)
            small += after.reached and after.new < MANY // 10
            self._follow(page, after)
            if after.last_ms is not None:
                full = after if after.stuck else None
            still = 0 if after.new or page.before(after.last_ms) else still + 1
            page = after
            reached = reached or page.reached
        if page is not first:
            self._probing.done(time.monotonic(), found=page.new > 0)
        self._short = None if reached else first.last_ms
        if fetch.first_ms >= 0 and self.date_ms is not None:
            self._ahead.append(fetch.first_ms - self.date_ms)
        if prove and not fetch.new:
            if full is not None and self.limits.hides_end(full, in_one=in_one):
                fetch.hidden_end, self._hiding = True, full.since
            # In order of arrival, what came after a cut with an earlier timestamp can't be asked for.
            unasked = self.limits.disordered and not in_one
            fetch.holes = fetch.holes or fetch.hidden_end or unasked
            await self._note_doubt(unasked)
        fetch.complete = since is None and not fetch.new and not fetch.holes and self._confirmed
        return fetch

    async def _note_doubt(self, unasked: bool) -> None:
        state = await self._in_thread(self._journal.state)
        same = state.last_line == self._fetch.held and (unasked or self._hiding is not None)
        self._doubt = Doubt(self._hiding, state.epoch, state.last_line, self._fetch.hidden_end) if same else None

    async def _stands(self, doubt: Doubt) -> bool:
        """Asks again for the answer that a doubt comes from. True where the doubt is still there, or where there are
        new lines: then the whole log is read another time."""
        if not doubt.concerns(await self._in_thread(self._journal.state)):
            return False
        fetch = self._fetch = Fetch(holes=True, hidden_end=doubt.hidden_end)
        page = await self._page(doubt.since, None)
        same = not self._confirmed if doubt.since is None else page.stuck
        return fetch.new > 0 or same

    @property
    def _confirmed(self) -> bool:
        """In a read of the whole log: all that we hold was in it, so far."""
        whole = self._whole
        return whole is not None and whole.exact and whole.matched == self._fetch.held

    def _onward(self, page: Page, first: bool, probe: bool, prove: bool, wide: bool) -> int | None:
        if first and not prove and not page.reached and not page.new and page.last_ms == self._short:
            return None  # the upstream ends earlier than we do, and that has been looked into
        return self.limits.go_on(page, first=first, probe=probe, prove=prove, wide=wide)

    def _follow(self, page: Page, after: Page) -> None:
        self.limits.followed(page, after)
        if self.limits.hides(page, after):
            self._fetch.holes, self._hiding = True, page.since

    async def _look_behind(self, page: Page) -> Page:
        """Now and then an answer that looks whole is gone on from: a limit on bytes cuts it anywhere before a long
        entry. What comes may only just have been emitted; so the first answer is asked for again, and where it still
        ends before, it was cut. The page to go on from."""
        if page.last_ms is None:
            return page
        for since in (page.last_ms, page.last_ms + 1):
            after = await self._patient_page(since, page)
            if page.before(after.last_ms):
                again = await self._patient_page(page.since, page)
                if again.before(after.last_ms):
                    self.limits.was_cut(again)
                    return after
                break
        self._probing.done(time.monotonic(), found=False)
        return page

    # --- one page ------------------------------------------------------------------------------------------------

    async def _patient_page(self, since: int | None, before: Page) -> Page:
        """A page after the first is asked for again by itself: of a thousand pages one nearly always fails."""
        backoff = self._backoff()
        while True:
            try:
                return await self._page(since, before)
            except (JobNotFound, UpstreamDenied):
                raise
            except UpstreamError as error:
                if backoff.attempt >= PAGE_ATTEMPTS:
                    raise
                delay = backoff.failed(getattr(error, "retry_after", None))
                delay += self._budget.retries.reserve(time.monotonic())
                await self._failed(error, backoff.attempt, delay)
                await anyio.sleep(delay)

    async def _page(self, since: int | None, before: Page | None) -> Page:
        async with self._budget.place(PATIENCE), self._source.logs(self._journal.job, since) as answer:
            page = await self._in_thread(partial(self._begun, since, before, answer.date_ms))
            try:
                await self._take(answer, page, self._flush_large)
            except UpstreamError:
                # What came in whole is kept: an upstream that always breaks off would else never get further.
                page.pending += await self._in_thread(page.merge.salvage)
                await self._flush(page)
                raise
        await self._flush(page)
        return self._ended(page, answer.date_ms)

    def _begun(self, since: int | None, before: Page | None, date_ms: int | None) -> _Page:
        state = self._journal.state()
        newest = min(_newest(state), _now(date_ms) + HORIZON_MS)
        tally = Tally(self._journal.seen, state.high_ms, untimed=self._journal.seen_untimed(), near_ms=newest)
        merge = self._merge(tally, newest, date_ms, None if before is None else self._whole)
        if before is None:
            self._fetch.held, self._fetch.newest_ms = state.last_line, newest
            self._whole = tally if since is None else None
        return _Page(since, before, state, newest, merge)

    def _merge(self, tally: Tally, newest: int, date_ms: int | None, whole: Tally | None) -> Merge:
        return Merge(
            tally,
            neighbour_ms=newest,
            horizon_ms=_now(date_ms) + HORIZON_MS,
            whole=whole,
            short_keys=self._journal.short_keys(),
        )

    def anchor(self, state: State) -> int:
        """What a round reaches back from: the greatest timestamp we know, but none past the upstream's clock at the
        newest fetch that went well, since all that has come since then may bear a smaller one. Where entries always
        bear times past that clock, as with a Date that is an hour behind, it counts as set forward by as much: else
        each round would read an hour. -1 without any."""
        if self.date_ms is None:
            return _newest(state)
        ahead = min(self._ahead) if len(self._ahead) == AHEAD_ROUNDS else 0
        return min(state.high_ms, self.date_ms + max(0, ahead))

    async def _take(self, answer: Answer, page: _Page, flush: Callable[[_Page], Awaitable[None]]) -> None:
        merge = page.merge
        async for chunk in answer.chunks:
            merge.feed(chunk)
            while merge.splitter.ready:
                entries, size = await self._in_thread(partial(_measured, merge.cut))
                page.pending += entries
                page.pending_bytes += size
                await flush(page)
        page.pending += (await self._in_thread(partial(_measured, merge.end)))[0]

    def _ended(self, page: _Page, date_ms: int | None) -> Page:
        merge, extent = page.merge, page.merge.extent
        self._budget.retries.earn()
        self.date_ms = date_ms
        self._fetch.entries += merge.entries
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

    async def _flush_large(self, page: _Page) -> None:
        if page.pending_bytes >= APPEND_BYTES:
            await self._flush(page)

    async def _flush(self, page: _Page) -> None:
        if not page.pending:
            return
        if not page.placed:
            page.placed = True
            await self._place(page)
        entries, page.pending, page.pending_bytes = page.pending, [], 0
        await self._in_thread(partial(self._append, entries))
        self._fetch.new += len(entries)
        await self._changed(len(entries))

    def _append(self, entries: list[Entry]) -> None:
        fetch = self._fetch
        entries.sort(key=attrgetter("timestamp"))
        if fetch.newest_ms >= 0:
            floor = fetch.newest_ms - self._window_most_ms
            oldest = next((entry.timestamp for entry in entries if entry.timed and entry.timestamp >= floor), None)
            if oldest is not None:
                fetch.late_ms = max(fetch.late_ms, fetch.newest_ms - oldest)
            first = next((entry.timestamp for entry in entries if entry.timed), fetch.newest_ms)
            fetch.behind_ms = max(fetch.behind_ms, fetch.newest_ms - first)
        fetch.newer(entries)
        self._lease.writer.append(entries)

    # --- gaps ----------------------------------------------------------------------------------------------------

    async def _place(self, page: _Page) -> None:
        """Before the first append of a page: do its entries follow on what we hold? Where they may not, a second answer
        decides, and the gap is written before them."""
        before = page.before
        if before is not None and before.stuck and before.reached:
            if self.limits.hides(before, self._so_far(page)):
                second = await self._again(page, before.since)
                if second.entries and second.extent.end == before.last_ms:
                    await self._gap(page.state.last_line)
            return
        if await self._in_thread(partial(self._apart, page)):
            second = await self._again(page, page.since)
            least = second.extent.least
            if not second.tally.near and (least < 0 or least >= page.newest_ms):
                await self._gap(page.state.last_line)

    def _apart(self, page: _Page) -> bool:
        """Nothing that we hold of the time that was asked for is in the answer, and what is comes after it."""
        least = page.merge.extent.least
        if page.merge.tally.near or page.newest_ms < 0 or least < 0 or least < page.newest_ms:
            return False
        if page.since is None:
            return page.state.last_line > 0
        return bool(self._journal.seen(page.since + 1, page.newest_ms + 1))

    async def _again(self, page: _Page, since: int | None) -> Merge:
        """Asks once more; what the first answer did not have joins what waits to be appended. No place in the budget is
        taken: this is still the same fetch, and two that wait for each other would wait for ever."""
        held = Counter(entry.key for entry in page.pending)
        async with self._source.logs(self._journal.job, since) as answer:
            tally = Tally(
                self._journal.seen, page.state.high_ms,
                untimed=self._journal.seen_untimed(), held=held, near_ms=page.newest_ms,
            )  # fmt: skip
            merge = self._merge(tally, page.newest_ms, answer.date_ms, None)
            second = _Page(since, None, page.state, page.newest_ms, merge)
            await self._take(answer, second, _enough)
        page.pending += second.pending
        return second.merge

    def _so_far(self, page: _Page) -> Page:
        """The page that is being read, as far as it has come."""
        merge, extent = page.merge, page.merge.extent
        last, least = (None, None) if extent.greatest < 0 else (extent.end, extent.least)
        return Page(page.since, merge.entries, merge.new, last, True, least, plain=merge.plain)

    async def _gap(self, after_line: int) -> None:
        await self._in_thread(partial(self._lease.writer.add_gap, after_line, "upstream", None))
        self._fetch.holes = True

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._budget.threads)


def _now(date_ms: int | None) -> int:
    """The later of the upstream's clock and ours, in ms."""
    return max(int(time.time() * 1000), date_ms or 0)


def _newest(state: State) -> int:
    """The greatest timestamp we know that is no future, -1 without any."""
    return state.out_ms if state.out_ms >= 0 else state.high_ms


async def _enough(page: _Page) -> None:
    """A second answer is held as a whole, so it is bounded: what is past the bound comes with the next round."""
    if page.pending_bytes > 4 * APPEND_BYTES:
        raise UpstreamError("the upstream's answer is too long to be compared")


def _measured(take: Callable[[], list[Entry]]) -> tuple[list[Entry], int]:
    entries = take()
    return entries, sum(map(len, map(attrgetter("message"), entries))) + 200 * len(entries)
