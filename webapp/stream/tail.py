"""Lines that pass the filters, looked for from the end."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from ..journal.batch import Batch
from ..journal.state import State
from ..journal.walk import finish
from ..store.base import Journal
from .form import Check, Form, nothing


def backwards(
    journal: Journal, form: Form, after: int, upto: int, check: Check = nothing
) -> Iterator[tuple[Batch, list[int] | range] | None]:
    """The batches after line `after` up to line `upto`, the newest first, and the places in each, from 0, of the lines
    that pass; None now and then, for others to have their turn. Blocks on the disk."""
    before = upto + 1
    while before - 1 > after:
        batches = journal.read_back(before, levels=form.levels)
        if not batches:
            return
        for batch in reversed(batches):
            if batch.last <= after:
                return
            batch = batch.part(max(batch.first, after + 1), batch.last)
            passing = yield from form.walk(batch, check)
            yield batch, range(len(batch)) if passing is None else passing
            before = batch.first


def tail_start(journal: Journal, state: State, form: Form, tail: int | None) -> int:
    """The line after which the last `tail` begin: 0 is before the first. Blocks on the disk."""
    return finish(tail_walk(journal, state, form, tail, nothing))


def tail_walk(journal: Journal, state: State, form: Form, tail: int | None, check: Check) -> Generator[None, None, int]:
    """The same, which yields now and then."""
    low, high = form.lines or (1, state.last_line)
    high = min(high, state.last_line)
    first = low - 1
    if form.since_ms is not None:
        first = max(first, min(journal.line_at(form.since_ms) - 1, high))
    if tail is None:
        return first
    if not form.filters or tail == 0:
        return max(first, high - tail)
    wanted = tail
    for found in backwards(journal, form, first, high, check):
        yield
        if found is None:
            continue
        batch, passing = found
        if len(passing) >= wanted:
            return batch.first - 1 + passing[-wanted]
        wanted -= len(passing)
    return first
