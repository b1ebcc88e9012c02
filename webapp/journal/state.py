"""What is known of a job's journal as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class State:
    """`high_ms`: greatest timestamp of any line, -1 for none; `out_ms`: the same, but for timestamps that lay in the
    future when they came. `status`: a RunStatus as JSON, None before the first. `upstream`, `partial`: the data of
    these events. `finished`: nothing more is expected. `complete`: reconciled with the source's whole log; None before
    the end. `revision` grows with every change. `held`: somebody has the lease, and by the store's clock it has not
    run out; `holder` names who, for people."""

    epoch: str
    last_line: int
    trimmed_to: int
    high_ms: int
    status: dict[str, Any] | None
    upstream: dict[str, Any] | None
    finished: bool
    complete: bool | None
    revision: int
    held: bool
    holder: str = ""
    out_ms: int = -1
    partial: dict[str, Any] | None = None

    @property
    def mark(self) -> tuple[str, int]:
        """Equal marks: nothing has changed."""
        return self.epoch, self.revision
