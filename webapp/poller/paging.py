"""Answers that a limit which nobody documented may have cut off, and how to go on after them.

A limit that keeps the oldest entries is passed by asking again from the answer's last timestamp - 1. Whether an
answer was cut is not to be seen from itself. Two things prove something: what comes when it is gone on from, and that
a limit lets no answer through that is longer than it, in entries or in bytes, so that an answer well below another
one was cut by neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# An answer that brought as many new entries is looked behind at once.
MANY = 1000
# So many entries in one ms, and nothing else in the log: nobody's log is like that, but a limit's answer is.
CROWDED = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `since`: what was asked, None for all. `entries`, `new`: how many. `last_ms`: how far it goes (by
    timestamps that do not lie in the future), None without any; `least_ms`, `greatest_ms`: its least and greatest
    timestamp, which is past `last_ms` where it is in order of arrival. `reached`: it goes as far as what we knew before
    it. `size`: bytes of it; `line_most`: of its longest entry, about. `behind`: how much older than one before it an
    entry was, in ms, at most. `plain`: these times are of plain entries, not of odd ones, which may stand in any
    answer. `disordered`: its entries are not sorted by timestamp."""

    since: int | None
    entries: int
    new: int
    last_ms: int | None
    reached: bool
    least_ms: int | None = None
    greatest_ms: int | None = None
    size: int = 0
    line_most: int = 0
    behind: int = 0
    plain: bool = True
    disordered: bool = False

    def before(self, last_ms: int | None) -> bool:
        """It ends before that time."""
        return last_ms is not None and self.last_ms is not None and last_ms > self.last_ms

    @property
    def onward(self) -> int | None:
        """Where to go on from: before those that may come late, and always further than this page was asked from, or a
        limit within one ms would hold us."""
        if self.last_ms is None:
            return None
        wanted = self.last_ms - self.behind - 1
        if self.since is None or wanted > self.since:
            return wanted
        return max(self.last_ms - 1, self.since + 1)

    @property
    def overlapping(self) -> int | None:
        """As `onward`, but a quarter of its time earlier where that leads further too."""
        if self.last_ms is None or self.least_ms is None:
            return self.onward
        wanted = self.last_ms - max(self.behind, (self.last_ms - self.least_ms) // 4) - 1
        return wanted if self.since is None or wanted > self.since else self.onward

    @property
    def stuck(self) -> bool:
        """All of it lies in the first ms that was asked for: there may be more in it than an answer holds."""
        greatest = self.last_ms if self.greatest_ms is None else self.greatest_ms
        return self.since is not None and greatest is not None and greatest <= self.since + 1


@dataclass(slots=True)
class Limits:
    """What is known of an upstream's limit. `longest`, `heaviest`: entries and bytes of the greatest answers.
    `proven`: this many entries an answer can have without having been cut. `cut`, `cut_size`: entries and bytes of the
    smallest answer that was; `cut_most`: bytes of the greatest. An answer more than twice as great in both shows that
    those had only been overtaken by new entries. `counts`: how many entries those had that were cut: a limit on entries
    cuts all at one number, one on bytes does not. `line_most`: bytes of the longest entry. `bytes_most`: if the limit
    is one on bytes, it is smaller than that, since so much was not let through; 0 where nothing tells. `disordered`:
    answers were not sorted. `crowded`: see CROWDED."""

    crowded: int = CROWDED
    longest: int = 0
    heaviest: int = 0
    proven: int = 0
    cut: int | None = None
    cut_size: int = 0
    cut_most: int = 0
    counts: set[int] = field(default_factory=set)
    line_most: int = 0
    bytes_most: int = 0
    disordered: bool = False

    def note(self, page: Page) -> None:
        self.line_most = max(self.line_most, page.line_most)
        self.disordered = self.disordered or page.disordered
        one = self.cut is not None and len(self.counts) == 1 and page.entries > self.cut
        if one or (page.entries > 2 * max(self.counts, default=0) and page.size > 2 * self.cut_most):
            self.cut, self.cut_most, self.bytes_most = None, 0, 0
            self.counts.clear()
        self.heaviest = max(self.heaviest, page.size)
        if page.entries > self.longest:
            self.proven = max(self.proven, page.entries - 1)
            self.longest = page.entries

    def was_cut(self, page: Page) -> None:
        self.cut_size = page.size if self.cut is None else min(self.cut_size, page.size)
        self.cut = page.entries if self.cut is None else min(self.cut, page.entries)
        self.cut_most = max(self.cut_most, page.size)
        if not page.stuck:  # what follows it is known, and so how long it is at most
            most = page.size + self.line_most
            self.bytes_most = min(self.bytes_most or most, most)
        if len(self.counts) < 8:
            self.counts.add(page.entries)

    def followed(self, page: Page, after: Page) -> None:
        """`after` is what came when `page` was gone on from. An answer that lacks what we held before was cut. What
        else a long one lacks may only just have been emitted; where half as much again follows it, or anything new
        follows a short one, it is taken for cut too."""
        more = page.before(after.last_ms)
        short = page.entries < MANY or page.stuck or 2 * after.entries >= page.entries
        if more and (not page.reached or (after.new and short)):
            self.was_cut(page)
        elif 2 * after.entries < page.entries and not page.stuck:
            self.proven = max(self.proven, page.entries)

    def suspect(self, page: Page) -> bool:
        """Near the size of an answer that was cut, or longer than any of which we know that it was not. As long as the
        longest: that one may have been whole when the log had just as many entries as the limit lets through."""
        if self.cut is not None:
            return 2 * page.entries >= self.cut or 2 * page.size >= self.cut_size
        return page.entries > 1 and (page.entries > self.proven or page.entries == self.longest)

    def hides(self, page: Page, after: Page) -> bool:
        """Whether the ms in which all of `page` lies may hold more than it; `after` came when that ms was passed. An
        answer goes on past its first ms unless a limit stops it there: too many entries, or too long ones. Even where
        the next entry is long enough to be the reason, another as long may stand before it."""
        return page.stuck and after.plain and page.before(after.last_ms) and page.before(after.least_ms)

    def hides_end(self, page: Page, *, in_one: bool) -> bool:
        """The same of the log's last ms, behind which nothing comes. `in_one`: one answer held all that we know, so
        that no limit has shown.

        A limit on entries hides something behind an answer as long as the longest. One on bytes hides nothing shorter
        than the room that it left, and no entry is taken to be longer than all that the log is known to hold."""
        if not page.stuck:
            return False
        if page.entries >= self.longest and (not in_one or page.entries >= self.crowded):
            return True
        by_bytes = not self.bytes_most or self.heaviest < self.bytes_most
        return not in_one and by_bytes and self.heaviest - page.size < self.line_most

    def go_on(
        self, page: Page, *, first: bool, probe: bool, prove: bool = False, wide: bool = False
    ) -> int | None:  # fmt: skip
        """Where to ask next after `page`, None where it was all. `first`: it is the first of its round. `probe`: a
        doubt that costs a request may be looked into now. `prove`: that it is the end has to be shown; with `wide`
        the next answer overlaps one that was cut by a quarter, which shows whether entries are ordered by something
        else than their timestamps."""
        if page.last_ms is None:
            return None
        if prove and wide and self.cut is not None and self.suspect(page):
            return page.overlapping
        if prove or not page.reached:
            return page.onward
        if self.suspect(page) and (self.cut is not None or page.new >= MANY or probe or not first):
            return page.onward
        return None


@dataclass(slots=True)
class Probing:
    """When a doubt may cost a request: seldomer while nothing is found behind the answers. Times: seconds."""

    first: float
    most: float
    _every: float = 0.0
    _due: float = 0.0

    def due(self, now: float) -> bool:
        return now >= self._due

    def done(self, now: float, found: bool) -> None:
        self._every = self.first if found or not self._every else min(self.most, 2 * self._every)
        self._due = now + self._every
