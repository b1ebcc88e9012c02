"""The end of a job: when its log may be called whole.

Lines trickle in after a job has ended. So there have to be two rounds at least with nothing new, over 5 s at least, and
then one clean read of the whole log to reconcile; after 60 s of waiting it is given up. The time that it takes to read
what is already there does not count as waiting, since some upstreams give a log in many small answers.

Many upstreams collect logs and store them every few seconds. How late entries come is learnt from three things. While
the job runs: entries that appear together although they were written over a longer time than has passed since the last
read. After its end: how long entries went on coming. For a job that nobody looked at while it ran: whether its newest
line is only seconds old. A log without any line is waited for longest. A read of the whole log that did not contain all
that we hold is repeated before it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# After so many reads of the whole log that left a doubt, the log is over, and not complete.
DOUBTS = 3
# The log has to be quiet for so many times as long as entries are known to come late.
LAGS = 1.5
# The newest line may have a time a little past the upstream's clock, which comes in whole seconds.
CLOCKS = 2.0


class Verdict(StrEnum):
    WAIT = "wait"
    RECONCILE = "reconcile"  # ask for the whole log now
    OVER = "over"  # a clean fetch of the whole log brought nothing new
    GIVEN_UP = "given up"


@dataclass(slots=True)
class Drain:
    """`least`, `most`, `empty`, `unseen`: seconds, `rounds`: quiet ones, as in `pace.Pace`. `began`: when the job was
    first seen as finished; None while it runs. `lag`: how late entries are known to come, in seconds; `seen`: its log
    was read while it ran. Times: seconds of one monotonic clock."""

    least: float
    rounds: int
    most: float
    empty: float = 0.0
    unseen: float = 0.0
    began: float | None = None
    quiet: int = 0
    reading: float = 0.0
    doubts: int = 0
    lag: float = 0.0
    seen: bool = False
    newest: float = 0.0  # when the newest entry came, or the drain began

    def came_late(self, seconds: float) -> None:
        """An entry came that long after it could have."""
        self.lag = max(self.lag, seconds)

    def finished(self, now: float) -> None:
        if self.began is None:
            self.began, self.newest, self.quiet, self.reading, self.doubts = now, now, 0, 0.0, 0

    def running(self) -> None:
        """The job goes on after all, or has not ended."""
        self.began, self.quiet = None, 0

    def round(
        self, *, now: float, failed: bool, new: int, whole: bool, took: float = 0.0, proven: bool = True,
        empty: bool = False, age: float | None = None,
    ) -> Verdict:  # fmt: skip
        """After a round: what now? A failed round is not a quiet one. `whole`: it read the whole log to its end.
        `proven`: that was shown to be all, and all that is held. `empty`: there is no line at all. `took`: how long it
        read, in seconds, 0 where nothing came of it. `age`: of the newest line, by the upstream's clock, in seconds."""
        if self.began is None:
            self.seen = self.seen or not failed
            return Verdict.WAIT
        self.reading += max(0.0, took - self.least)
        if new:
            self.quiet, self.newest = 0, now
            if now - self.began - self.reading > self.least:
                self.came_late(now - self.began - self.reading)
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
        fresh = not self.seen and age is not None and -CLOCKS <= age < self.unseen and waited < self.unseen
        if self.quiet < self.rounds or fresh or (empty and waited < self.empty) or now < self._quiet_until():
            return Verdict.WAIT
        return Verdict.RECONCILE

    def _quiet_until(self) -> float:
        """When a log that stays quiet has been quiet for long enough: in time to read it before it is given up."""
        began = self.began or 0.0
        patience = min(LAGS * self.lag, self.empty)
        last = began + self.reading + self.most - 2 * self.least
        return max(began + self.least, min(self.newest + patience, last))
