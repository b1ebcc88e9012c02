"""Where the last N lines begin: N lines that pass the filters, looked for from the end."""

from __future__ import annotations

from ..journal.journal import Journal
from ..journal.state import State
from .form import Form


def tail_start(journal: Journal, state: State, form: Form, tail: int | None) -> int:
    """The line after which to begin: 0 is before the first. Blocks on the disk."""
    low, high = form.lines or (1, state.last_line)
    high = min(high, state.last_line)
    first = low - 1
    if form.since_ms is not None:
        first = max(first, min(journal.line_at(form.since_ms) - 1, high))
    if tail is None:
        return first
    if not form.filters or tail == 0:
        return max(first, high - tail)
    before, wanted = high + 1, tail
    while wanted > 0 and before - 1 > first:
        batches = journal.read_back(before, levels=form.levels)
        if not batches:
            break
        for batch in reversed(batches):
            batch = batch.part(max(batch.first, first + 1), batch.last)
            passing = form.passing(batch)
            count = len(batch) if passing is None else len(passing)
            if count >= wanted:
                return batch.first - 1 + (len(batch) - wanted if passing is None else passing[-wanted])
            wanted -= count
            before = batch.first
            if before - 1 <= first:
                break
    return first
