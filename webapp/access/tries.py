"""Slows down callers that guess the access token. Counted by address, bounded in memory.

Each process counts for itself, so that nothing waits for the store, and `shared_tries` exchanges the counts.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import TooManyTries
from ..store.tried import FORGET_SECONDS, MOST, Tried

FORGET_AFTER = FORGET_SECONDS
LONGEST_WAIT = 60.0
MAX_ADDRESSES = MOST
MAX_SUSPECTS = 256


@dataclass(slots=True)
class Count:
    failures: int = 0
    last: float = 0.0
    known: bool = False  # the right token came from here before


def wait(failures: int, allowed: int) -> float:
    """Seconds to wait after that many failures: nothing at first, then 1, 2, 4 ... 60."""
    over = failures - allowed
    return 0.0 if over < 0 else min(LONGEST_WAIT, 2.0 ** min(over, 10))


@dataclass(slots=True)
class News:
    """What happened here since it was last told. `failed`: how often from each address; `known`: those of them from
    which the right token came before. `cleared`: addresses from which it came after failures."""

    failed: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    cleared: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.failed or self.cleared)


class Tries:
    """`allowed` failures are free; ten times as many where the right token came from before, so that one wrong
    script behind an address locks nobody out. While somebody waits, nothing is compared, right or wrong."""

    def __init__(self, allowed: int, *, generous: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = allowed
        self._generous = generous
        self._clock = clock
        self._counts: OrderedDict[str, Count] = OrderedDict()
        self._news = News()

    def check(self, address: str) -> None:
        """TooManyTries while this address has to wait."""
        count = self._counts.get(address)
        if count is None:
            return
        now = self._clock()
        if now - count.last > FORGET_AFTER:
            count.failures = 0
        allowed = self._allowed * 10 if count.known and self._generous else self._allowed
        left = count.last + wait(count.failures, allowed) - now
        if left > 0:
            raise TooManyTries("too many wrong tokens came from your address: wait a little", math.ceil(left))

    def failed(self, address: str) -> None:
        count = self._of(address)
        count.failures += 1
        count.last = self._clock()
        news = self._news
        if address in news.failed or len(news.failed) < MAX_ADDRESSES:
            news.failed[address] = news.failed.get(address, 0) + 1
        if count.known:
            news.known.add(address)

    def succeeded(self, address: str) -> None:
        count = self._counts.get(address)
        if count is None or not count.known or count.failures:
            count = self._of(address)
            if count.failures:
                self._news.failed.pop(address, None)
                self._news.cleared.add(address)
            count.failures, count.known = 0, True

    # --- for `shared_tries`

    def news(self) -> News:
        """What the other processes have not been told, which is forgotten here by that."""
        news, self._news = self._news, News()
        return news

    @property
    def untold(self) -> bool:
        return bool(self._news)

    def keep(self, news: News) -> None:
        """It could not be told: another time."""
        mine = self._news
        for address, count in news.failed.items():
            if address not in mine.cleared and len(mine.failed) < MAX_ADDRESSES:
                mine.failed[address] = mine.failed.get(address, 0) + count
        mine.known |= news.known & mine.failed.keys()
        mine.cleared |= news.cleared

    def suspects(self) -> list[str]:
        """The addresses of the newest failures, of which more may be known elsewhere."""
        now = self._clock()
        found = (name for name, count in reversed(self._counts.items()) if count.failures)
        return [name for name in found if now - self._counts[name].last <= FORGET_AFTER][:MAX_SUSPECTS]

    def learn(self, address: str, tried: Tried) -> None:
        """What all processes together know of it, this one's newest failures not included."""
        count = self._of(address)
        count.failures = tried.failures + self._news.failed.get(address, 0)
        count.last = max(count.last, self._clock() - tried.age)
        count.known = count.known or tried.known

    def _of(self, address: str) -> Count:
        """The least recently used address is forgotten when there are too many."""
        count = self._counts.setdefault(address, Count())
        self._counts.move_to_end(address)
        if len(self._counts) > MAX_ADDRESSES:
            self._counts.popitem(last=False)
        return count
