"""What a journal can say of stretches of its lines without giving the lines themselves."""

from __future__ import annotations

from dataclasses import dataclass

# Codes of `levels.LEVELS`; None: all of them.
Levels = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Span:
    """A batch without its lines. `levels`: how many lines of each code of `levels.LEVELS`."""

    first: int
    last: int
    low_ms: int
    high_ms: int
    levels: tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Gap:
    """Between line `after_line` and the next, `count` lines (None: unknown) may be missing, because of `reason`."""

    after_line: int
    reason: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the log for an overview: times in ms, and how many lines are loud."""

    first: int
    last: int
    low_ms: int
    high_ms: int
    warnings: int
    errors: int
