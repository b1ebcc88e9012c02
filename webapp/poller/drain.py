"""The end of a job: when its log may be called whole.

Lines trickle in after a job has ended. So at least two rounds with nothing new and at least 5 s, then one clean fetch
of the whole log to reconcile; after 60 s it is given up. The 60 s are for what may yet come: the time that it takes to
read what is there, where an upstream gives it by small answers, is none of them.

Many upstreams collect logs and store them some time later. So the log of a job that has just ended is not called empty
before `empty` seconds, and a whole read that did not hold all that we do is made again before it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# So many whole reads that left a doubt end the matter: the log is over, and not complete.
DOUBTS = 3


class Verdict(StrEnum):
    WAIT = "wait"
    RECONCILE = "reconcile"  # ask for the whole log now
    OVER = "over"  # a clean fetch of the whole log brought nothing new
    GIVEN_UP = "given up"


@dataclass(slots=True)
class Drain:
    """`least`, `most`, `empty`: seconds, `rounds`: quiet ones, as in `pace.Pace`. `began`: when the job was first seen
    as finished; None while it runs. Times: seconds of one monotonic clock."""

    least: float
    rounds: int
    most: float
    empty: float = 0.0
    began: float | None = None
    quiet: int = 0
    reading: float = 0.0
    doubts: int = 0

    def finished(self, now: float) -> None:
        if self.began is None:
            self.began, self.quiet, self.reading, self.doubts = now, 0, 0.0, 0

    def running(self) -> None:
        """The job goes on after all, or has not ended."""
        self.began, self.quiet = None, 0

    def round(
        self, *, now: float, failed: bool, new: int, whole: bool, took: float = 0.0, proven: bool = True,
        empty: bool = False,
    ) -> Verdict:  # fmt: skip
        """After a round: what now? A failed round is not a quiet one. `whole`: it read the whole log to its end.
        `proven`: that was shown to be all, and all that is held. `empty`: there is no line at all. `took`: how long it
        read, in seconds, 0 where that led nowhere."""
        if self.began is None:
            return Verdict.WAIT
        self.reading += max(0.0, took - self.least)
        if new:
            self.quiet = 0
        elif not failed:
            self.quiet += 1
        waited = now - self.began - self.reading
        if whole and not failed and not new:
            self.doubts += not proven
            if (proven or self.doubts >= DOUBTS) and not (empty and waited < self.empty):
                return Verdict.OVER
            self.quiet = 0  # asked again after some more quiet rounds: one answer that shrank is not the last word
        if waited >= self.most:
            return Verdict.GIVEN_UP
        if self.quiet >= self.rounds and now - self.began >= self.least and not (empty and waited < self.empty):
            return Verdict.RECONCILE
        return Verdict.WAIT
