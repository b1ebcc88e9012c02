"""What a journal can say of stretches of its lines without giving the lines themselves."""

from __future__ import annotations

from collections.abc import Sequence
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


def grouped(rows: Sequence[tuple[int, int, int, int, int, int]], parts: int) -> list[Part]:
    """Batches, each as its first and last line, least and greatest time, warnings and errors: as at most `parts`."""
    step = -(-len(rows) // max(1, parts))
    groups = [rows[start : start + step] for start in range(0, len(rows), max(1, step))]
    return [
        Part(
            group[0][0], group[-1][1], min(row[2] for row in group), max(row[3] for row in group),
            sum(row[4] for row in group), sum(row[5] for row in group),
        )
        for group in groups
    ]  # fmt: skip


def span(first: int, last: int, low_ms: int, high_ms: int, *loud: int) -> Span:
    """`loud`: how many lines there are of each level; the others have none."""
    debug, info, warning, error = loud
    return Span(first, last, low_ms, high_ms, (last - first + 1 - sum(loud), debug, info, warning, error))
