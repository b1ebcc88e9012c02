"""What is known of a job's journal as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class State:
    """`high_ms`: greatest timestamp of any line, -1 for none. `status`: a RunStatus as JSON, None before the
    first. `upstream`: the data of the `upstream` event. `finished`: nothing more is expected. `complete`: reconciled
    with the source's whole log; None before the end. `revision` grows with every change. `held_until`: s, wall clock.
    `out_ms`: as `high_ms`, but for timestamps that lay in the future when they came."""

    epoch: str
    last_line: int
    trimmed_to: int
    high_ms: int
    status: dict[str, Any] | None
    upstream: dict[str, Any] | None
    finished: bool
    complete: bool | None
    revision: int
    holder: str
    held_until: float
    out_ms: int = -1
