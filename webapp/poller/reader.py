"""Reads a job's log into its journal, page after page, and knows whether that was all. One fetch at a time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from ..errors import UpstreamError
from ..source.base import Source
from ..store.base import Journal
from .backoff import Backoff
from .budget import Budget
from .clock import UpstreamClock
from .doubt import Doubt
from .fetch import Fetch
from .lease import Lease
from .pages import Pages
from .paging import MANY, Limits, Page, Probing

# Pages in a row that may lead no further: `since_ms` may have to pass what came late, and one ms by two steps.
STILL_MOST = 4
# Small pages at the log's end: lines may be emitted as fast as they are asked for, and the next round comes anyway.
SMALL_MOST = 20


class Reader:
    """`lease`: who holds it appends. `changed`, `failed`: as `Pages` has them."""

    def __init__(
        self, source: Source, journal: Journal, budget: Budget, lease: Lease,
        changed: Callable[[int], Awaitable[None]], failed: Callable[[UpstreamError, int, float], Awaitable[None]],
        *, window_most: float, probing: Probing, backoff: Callable[[], Backoff],
    ) -> None:  # fmt: skip
        self.pages = Pages(source, journal, budget, lease, changed, failed, window_most=window_most, backoff=backoff)
        self._journal = journal
        self._probing = probing
        self._short: int | None = None
        self._doubt: Doubt | None = None
        self._hiding: int | None = None  # what an answer of this read was asked with that may hide more of its one ms

    @property
    def limits(self) -> Limits:
        return self.pages.limits

    @property
    def clock(self) -> UpstreamClock:
        return self.pages.clock

    async def fetch(self, since: int | None, *, prove: bool = False) -> Fetch:
        """Reads from `since` (None: all) to the end and appends what is new. What fails leaves appended what had come
        in whole. `prove`: that nothing is left is to be shown, at the cost of some requests. BegunAnew where the
        journal was thrown away since the writer resumed: what is read must not be taken for all that the new one has to
        hold. JobNotFound, UpstreamError, JournalError."""
        if prove and self._doubt is not None and await self._stands(self._doubt):
            return self.pages.fetch
        fetch, self._hiding = Fetch(), None
        self.pages.fetch = fetch
        probe = since is None or self._probing.due(time.monotonic())
        page = first = await self.pages.page(since, None)
        if probe and not prove and page.reached and not self.limits.suspect(page):
            page = await self._look_behind(page)
        in_one = self.pages.confirmed  # one answer held all: no limit has shown
        still = small = 0
        reached = page.reached
        full: Page | None = None  # the last answer that lies in one ms, the log's last, and no other
        while (onward := self._onward(page, page is first, probe, prove, wide=not still)) is not None:
            if still >= STILL_MOST or small >= SMALL_MOST:
                break
            after = await self.pages.patient(onward, page)
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
        self.clock.came(fetch.first_ms)
        if prove and not fetch.new:
            if full is not None and self.limits.hides_end(full, in_one=in_one):
                fetch.hidden_end, self._hiding = True, full.since
            # In order of arrival, what came after a cut with an earlier timestamp can't be asked for.
            unasked = self.limits.disordered and not in_one
            fetch.holes = fetch.holes or fetch.hidden_end or unasked
            await self._note_doubt(unasked)
        fetch.complete = since is None and not fetch.new and not fetch.holes and self.pages.confirmed
        return fetch

    async def _note_doubt(self, unasked: bool) -> None:
        state = await self.pages.in_thread(self._journal.state)
        same = state.last_line == self.pages.fetch.held and (unasked or self._hiding is not None)
        self._doubt = Doubt(self._hiding, state.epoch, state.last_line, self.pages.fetch.hidden_end) if same else None

    async def _stands(self, doubt: Doubt) -> bool:
        """Asks again for the answer that a doubt comes from. True where the doubt is still there, or where there are
        new lines: then the whole log is read another time."""
        if not doubt.concerns(await self.pages.in_thread(self._journal.state)):
            return False
        fetch = self.pages.fetch = Fetch(holes=True, hidden_end=doubt.hidden_end)
        page = await self.pages.page(doubt.since, None)
        same = not self.pages.confirmed if doubt.since is None else page.stuck
        return fetch.new > 0 or same

    def _onward(self, page: Page, first: bool, probe: bool, prove: bool, wide: bool) -> int | None:
        if first and not prove and not page.reached and not page.new and page.last_ms == self._short:
            return None  # the upstream ends earlier than we do, and that has been looked into
        return self.limits.go_on(page, first=first, probe=probe, prove=prove, wide=wide)

    def _follow(self, page: Page, after: Page) -> None:
        self.limits.followed(page, after)
        if self.limits.hides(page, after):
            self.pages.fetch.holes, self._hiding = True, page.since

    async def _look_behind(self, page: Page) -> Page:
        """Now and then an answer that looks whole is gone on from: a limit on bytes cuts it anywhere before a long
        entry. What comes may only just have been emitted; so the first answer is asked for again, and where it still
        ends before, it was cut. The page to go on from."""
        if page.last_ms is None:
            return page
        for since in (page.last_ms, page.last_ms + 1):
            after = await self.pages.patient(since, page)
            if page.before(after.last_ms):
                again = await self.pages.patient(page.since, page)
                if again.before(after.last_ms):
                    self.limits.was_cut(again)
                    return after
                break
        self._probing.done(time.monotonic(), found=False)
        return page
