"""Why a read of the whole log did not prove that it is complete, where a single answer is the reason.

A read of the whole log can take hundreds of requests. While the answer that raised the doubt stays what it was, a
second read of the whole would end in the same doubt, and so that answer alone is asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..journal.state import State


@dataclass(frozen=True, slots=True)
class Doubt:
    """`since`: what the answer was asked with. None: the log's first answer did not hold all that we do, and comes in
    order of arrival. Else: all of the answer lies in one ms, and a limit may have cut it there. `epoch`, `held`: of the
    journal that was compared with the log. `hidden_end`: as in `fetch.Fetch`."""

    since: int | None
    epoch: str
    held: int
    hidden_end: bool

    def concerns(self, state: State) -> bool:
        """The journal is still the one that was compared, without a line more."""
        return state.epoch == self.epoch and state.last_line == self.held
