"""Answers that a limit which nobody documented may have cut off, and how to go on after them.

A limit that keeps the oldest entries is passed by asking again from the answer's last timestamp - 1. Whether an
answer was cut is not to be seen from itself; but a limit lets no answer through that is longer than it, so the longest
answers alone are suspect, and of these only what nothing has followed yet.
"""

from __future__ import annotations

from dataclasses import dataclass

# An answer that brought as many new entries is looked behind at once.
MANY = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `since`: what was asked, None for all. `entries`, `new`: how many. `last_ms`: its greatest timestamp
    (of those that are no future), None without any; `at_last`: how many bear it. `reached`: it goes as far as what we
    knew before it. `least_ms`: its least timestamp."""

    since: int | None
    entries: int
    new: int
    last_ms: int | None
    reached: bool
    at_last: int = 0
    least_ms: int | None = None

    def hole(self, least_ms: int | None, last_ms: int | None) -> bool:
        """Whether entries may be hidden in the last ms of this page, when the next one has these timestamps."""
        return self.stuck and self.before(last_ms) and self.before(least_ms)

    def before(self, last_ms: int | None) -> bool:
        """It ends before that time."""
        return last_ms is not None and self.last_ms is not None and last_ms > self.last_ms

    @property
    def onward(self) -> int | None:
        """Where to go on from: always further than this page was asked from, or a limit within one ms would hold us."""
        if self.last_ms is None:
            return None
        return self.last_ms - 1 if self.since is None else max(self.last_ms - 1, self.since + 1)

    @property
    def stuck(self) -> bool:
        """All of it lies in the first ms that was asked for: there may be more in it than an answer holds."""
        return self.since is not None and self.last_ms is not None and self.last_ms <= self.since + 1


@dataclass(slots=True)
class Limits:
    """What is known of an upstream's limit on entries. `longest`: of all answers. `proven`: this long an answer can be
    without having been cut. `cut`: one this long was cut."""

    longest: int = 0
    proven: int = 0
    cut: int | None = None

    def note(self, entries: int) -> None:
        if self.cut is not None and entries > self.cut:
            self.cut = None
        if entries > self.longest:
            self.proven = max(self.proven, entries - 1)
            self.longest = entries

    def followed(self, page: Page, after: Page) -> None:
        """`after` is what came when `page` was gone on from. An answer that lacks what we held before was cut. What
        else a long one lacks may only just have been emitted; where half as much again follows it, or anything new
        follows a short one, it is taken for cut too."""
        more = page.before(after.last_ms)
        short = page.entries < MANY or page.stuck or 2 * after.entries >= page.entries
        if more and (not page.reached or (after.new and short)):
            self.cut = page.entries if self.cut is None else min(self.cut, page.entries)
        elif 2 * after.entries < page.entries and not page.stuck:
            self.proven = max(self.proven, page.entries)

    def suspect(self, page: Page) -> bool:
        """Near the size of an answer that was cut, or longer than any of which we know that it was not. As long as the
        longest: that one may have been whole when the log had just as many entries as the limit lets through."""
        if self.cut is not None:
            return page.entries > 1 and 2 * page.entries >= self.cut
        return page.entries > 1 and (page.entries > self.proven or page.entries == self.longest)

    def go_on(self, page: Page, *, first: bool, probe: bool) -> int | None:
        """Where to ask next after `page`, None where it was all. `first`: it is the first of its round. `probe`: a
        doubt that costs a request may be looked into now."""
        if page.last_ms is None:
            return None
        if not page.reached:
            return page.onward
        if not self.suspect(page):
            return None
        if self.cut is not None or page.new >= MANY or probe or not first:
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
