"""Which lines somebody who samples is shown: decided once, in the transaction that appends them.

Kept are the job's first line, the last line of each append, within one append the newest of each beat of the
entries' own time, and lines of level warning or above, the first 100 a beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    kept = bytearray(len(times))
    beats = [time // beat_ms for time in times]
    for index, (this, following) in enumerate(pairwise(beats)):
        if this != following:
            kept[index] = 1
    beat, loud = sample.beat, sample.loud
    for index in [index for index, level in enumerate(levels) if level >= LOUD]:
        if beats[index] != beat:
            beat, loud = beats[index], 0
        loud += 1
        if loud <= LOUD_A_BEAT:
            kept[index] = 1
    kept[-1] = 1
    if first:
        kept[0] = 1
    return kept, Sample(beat, loud)
