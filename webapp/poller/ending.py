"""The end of a job's log: decides when it is over and whether it is complete, and writes that."""

from __future__ import annotations

from ..errors import BegunAnew
from ..store.base import Journal, Writer
from .drain import Drain, Verdict
from .fetch import Fetch
from .pace import Pace


class Ending:
    """`over`: the journal says that the log is over. `reconcile`: the next round whose status is known reads the whole
    log. `looks`: when to look again after the end, in seconds of the monotonic clock."""

    def __init__(self, pace: Pace) -> None:
        self.over = False
        self.reconcile = False
        self.looks: list[float] = []
        self._drain = Drain(pace.drain_least, pace.drain_rounds, pace.drain_most, pace.drain_empty, pace.drain_unseen)
        self._pace = pace
        self._hidden_end = False  # the newest read of the whole log could not rule out that more follows the last line

    @property
    def ended(self) -> bool:
        """The job has ended."""
        return self._drain.began is not None

    @property
    def draining(self) -> bool:
        """The job has ended, and its log is not over yet."""
        return self.ended and not self.over

    def status_is(self, finished: bool, now: float) -> None:
        """What the newest status says."""
        if finished:
            self._drain.finished(now)
        else:
            self.begin(False)

    def begin(self, over: bool) -> None:
        """The end is to be found anew: the job runs, or its journal was thrown away or opened again."""
        self.over, self.reconcile, self.looks = over, False, []
        self._drain.running()

    def came_together(self, fetch: Fetch, passed: float) -> None:
        """`passed`: seconds since the last read. New entries that were written over a longer time had been held
        back."""
        if fetch.span <= self._pace.window_most:  # else a clock is wrong
            self._drain.came_late(fetch.span - passed)

    def round(
        self, fetch: Fetch | None, *, now: float, failed: bool, new: int, whole: bool, took: float, age: float | None
    ) -> bool | None:
        """After a round, as `Drain.round` has it: whether the log is complete, None where it is not over."""
        proven = fetch is not None and fetch.complete
        empty = fetch is not None and not fetch.held
        verdict = self._drain.round(
            now=now, failed=failed, new=new, whole=whole, took=took, proven=proven, empty=empty, age=age
        )
        self.reconcile = verdict is Verdict.RECONCILE
        if whole and fetch is not None:
            self._hidden_end = fetch.hidden_end
        if verdict in (Verdict.OVER, Verdict.GIVEN_UP):
            return verdict is Verdict.OVER and proven
        return None

    def write(self, journal: Journal, writer: Writer, complete: bool, now: float) -> None:
        """Runs in a thread. Writes nothing where the journal has been thrown away since the log was read: what was
        read says nothing about the end of the new one."""
        try:
            if self._hidden_end and not journal.gaps(writer.last_line, writer.last_line + 1):
                writer.add_gap(writer.last_line, "upstream", None)
            writer.finish(complete)
        except BegunAnew:
            return
        self.over, self.looks = True, [now + look for look in self._pace.looks]

    def looked(self, now: float) -> None:
        self.looks = [look for look in self.looks if look > now]
