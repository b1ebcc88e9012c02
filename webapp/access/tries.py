"""Slowing down whoever guesses the access token. Bounded in memory, counted by address."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import TooManyTries

FORGET_AFTER = 900.0
LONGEST_WAIT = 60.0
MAX_ADDRESSES = 4096


@dataclass(slots=True)
class Count:
    failures: int = 0
    last: float = 0.0
    known: bool = False  # the right token came from here before


def wait(failures: int, allowed: int) -> float:
    """Seconds to wait after that many failures: nothing at first, then 1, 2, 4 ... 60."""
    over = failures - allowed
    return 0.0 if over < 0 else min(LONGEST_WAIT, 2.0 ** min(over, 10))


class Tries:
    """`allowed` failures are free; ten times as many where the right token came from before, so that one wrong
    script behind an address locks nobody out. While somebody waits, nothing is compared, right or wrong."""

    def __init__(self, allowed: int, *, generous: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = allowed
        self._generous = generous
        self._clock = clock
        self._counts: OrderedDict[str, Count] = OrderedDict()

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

    def succeeded(self, address: str) -> None:
        count = self._counts.get(address)
        if count is None or not count.known or count.failures:
            count = self._of(address)
            count.failures, count.known = 0, True

    def _of(self, address: str) -> Count:
        """The least recently used address is forgotten when there are too many."""
        count = self._counts.setdefault(address, Count())
        self._counts.move_to_end(address)
        if len(self._counts) > MAX_ADDRESSES:
            self._counts.popitem(last=False)
        return count
