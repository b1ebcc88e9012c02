"""Which lines somebody who samples is shown: decided once, in the transaction that appends them.

Kept are the job's first line, the last line of each append, within one append the newest of each beat of the
entries' own time, and lines of level warning or above, the first 100 a beat.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

LOUD = 3  # warning; see levels.LEVELS
LOUD_A_BEAT = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """What the next append must know: the beat that was last open, and how many loud lines of it were kept."""

    beat: int = -1
    loud: int = 0


def keep(
    times: Sequence[int], levels: Sequence[int], beat_ms: int, first: bool, sample: Sample
) -> tuple[bytearray, Sample]:
    """One byte a line (1: kept), and the state for the next append. `times`: ms; `levels`: codes; none are empty."""
    return keep_runs([(time, 1) for time in times], levels, beat_ms, first, sample)


def keep_runs(
    runs: Sequence[tuple[int, int]], levels: Sequence[int], beat_ms: int, first: bool, sample: Sample
) -> tuple[bytearray, Sample]:
    """The same for lines of which many share a time: `runs` holds each time in ms and how many lines have it."""
    kept = bytearray(len(levels))
    beats = [time // beat_ms for time, _ in runs]
    ends = list(accumulate(count for _, count in runs))
    for end, this, following in zip(ends, beats, beats[1:], strict=False):
        if this != following:
            kept[end - 1] = 1
    beat, loud = sample.beat, sample.loud
    for index in _loud(levels):
        of = beats[bisect_right(ends, index)]
        if of != beat:
            beat, loud = of, 0
        loud += 1
        if loud <= LOUD_A_BEAT:
            kept[index] = 1
    kept[-1] = 1
    if first:
        kept[0] = 1
    return kept, Sample(beat, loud)


def _loud(levels: Sequence[int]) -> list[int]:
    return [index for index, level in enumerate(levels) if level >= LOUD] if max(levels) >= LOUD else []
