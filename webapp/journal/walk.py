"""A walk over a log is a generator that yields now and then, so that others have their turn; see `access.scans`."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def finish(steps: Generator[None, None, T]) -> T:
    """Walks to the end without a pause, and gives what was found."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found
