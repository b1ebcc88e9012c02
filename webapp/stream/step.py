"""What comes after a position: the one read that replay and live are.

Decided from the journal alone, so that every process and every restart says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BegunAnew
from ..journal.batch import Batch
from ..journal.state import State
from ..models import RunStatus
from ..store.base import Journal
from .events import event
from .form import Form, Omitted, encode

PIECE_BYTES = 1 << 20
SHARED = frozenset(RunStatus.model_fields) | {"creation_date", "exit_code"}


@dataclass(slots=True)
class Position:
    """Where a viewer is: all up to `line` has been considered. `gaps_to`: the gaps up to just after this line have been
    sent. `sent`: the last line or cursor whose id went out."""

    epoch: str
    line: int
    gaps_to: int = -1
    sent: int = 0
    omitted: Omitted = field(default_factory=Omitted)

    def meets(self, other: Position) -> bool:
        """Both have been sent the same: what is news for one is news for the other."""
        mine = (self.epoch, self.line, max(self.gaps_to, self.line - 1), self.omitted.count)
        return mine == (other.epoch, other.line, max(other.gaps_to, other.line - 1), other.omitted.count)

    def copy(self) -> Position:
        omitted = Omitted(self.omitted.count, self.omitted.first, self.omitted.last, dict(self.omitted.levels))
        return Position(self.epoch, self.line, self.gaps_to, self.sent, omitted)


def step(
    journal: Journal, state: State, form: Form, position: Position, upto: int | None = None
) -> tuple[bytes, Position]:
    """The next piece after `position`, about PIECE_BYTES of the log, and the position after it. Nothing more to say:
    no bytes and an equal position. Blocks on the disk."""
    end = last_visible(state, form) if upto is None else min(upto, last_visible(state, form))
    after = position.copy()
    parts: list[bytes] = []
    batches = journal.read(after.line, most_bytes=PIECE_BYTES, upto=end, levels=form.levels) if after.line < end else []
    first = batches[0].first if batches else end + 1
    if first > after.line + 1:
        # Asked for after the read: if lines were trimmed before it, that is known by now.
        trimmed = min(journal.trimmed_to(), first - 1)
        if trimmed > after.line:
            _gap(parts, form, after, after.line, "trimmed", trimmed - after.line)
            after.line = trimmed
    # No other batch up to the end holds a line of these levels.
    last = batches[-1].last if batches else max(after.line, end) if form.levels is not None else after.line
    gaps = [
        gap
        for gap in journal.gaps(max(after.line, after.gaps_to + 1), last + 1)
        if gap.after_line > after.gaps_to and within(form.lines, gap.after_line)
    ]
    for batch in batches:
        while gaps and gaps[0].after_line < batch.last:
            gap = gaps.pop(0)
            if gap.after_line >= batch.first:
                _lines(parts, form, after, batch.part(after.line + 1, gap.after_line))
            _gap(parts, form, after, gap.after_line, gap.reason, gap.count)
        _lines(parts, form, after, batch.part(after.line + 1, batch.last))
    for gap in gaps:
        _gap(parts, form, after, gap.after_line, gap.reason, gap.count)
    after.line = last
    if journal.mark()[0] != after.epoch:
        # Asked for after the reads: a line of another epoch must not go out under an id of this one.
        raise BegunAnew(f"the journal of {journal.job!r} was begun anew")
    return b"".join(parts), after


def within(lines: tuple[int, int] | None, gap_after: int) -> bool:
    """Whether a gap lies between two lines of the range: a reader of a range may not learn what is missing around
    it."""
    return lines is None or lines[0] <= gap_after < lines[1]


def last_visible(state: State, form: Form) -> int:
    """The newest line that this form may show."""
    return state.last_line if form.lines is None else min(state.last_line, form.lines[1])


def over(state: State, form: Form, position: Position) -> bool:
    """Nothing more is to come for a viewer at this position, and the job's status says how it ended."""
    if position.line < last_visible(state, form):
        return False
    if form.lines is not None and position.line >= form.lines[1]:
        return True
    return settled(state)


def settled(state: State) -> bool:
    """The job is over and its log whole, as far as anybody will ever know."""
    return state.finished and (state.status is None or RunStatus.model_validate(state.status).finished)


def _lines(parts: list[bytes], form: Form, after: Position, batch: Batch) -> None:
    piece = encode(form, after.epoch, batch, after.omitted)
    parts.append(piece.data)
    after.sent = piece.sent or after.sent
    after.line = batch.last


def _gap(parts: list[bytes], form: Form, after: Position, line: int, reason: str, count: int | None) -> None:
    after.gaps_to = line
    if form.format in ("line", "batch"):
        parts.append(event("gap", {"reason": reason, "after": f"{after.epoch}-{line}", "count": count}))


def status_event(state: State, form: Form) -> bytes:
    return event("status", visible_status(state.status, form.detail)) if state.status is not None else b""


def visible_status(status: dict[str, Any], detail: bool) -> dict[str, Any]:
    """What the holder of a link may see of it: the fields that the wire names, without the upstream's own words."""
    return status if detail else {name: value for name, value in status.items() if name in SHARED}


def upstream_event(state: State, form: Form) -> bytes:
    if state.upstream is None:
        return b""
    visible = state.upstream if form.detail else {**state.upstream, "detail": ""}
    if form.lines is not None:
        visible = {**visible, "lines": lines_to_name(state, form)}
    return event("upstream", visible)


def lines_to_name(state: State, form: Form) -> int:
    """How many lines the log has. For a range: how far it is filled, so that nothing around it shows."""
    return state.last_line if form.lines is None else max(form.lines[0] - 1, last_visible(state, form))


def news(old: State, new: State, form: Form) -> bytes:
    """What has changed beside the lines, as far as this reader may see it."""
    said = status_event(new, form) if new.status != old.status else b""
    upstream = upstream_event(new, form) if new.upstream != old.upstream else b""
    return said + (upstream if upstream != upstream_event(old, form) else b"")


def unfinished(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, form: Form) -> bytes:
    """What the command has written after its last newline, by stream, where that has changed: it goes out after the
    lines, since the next line of its stream takes its place. A viewer with a filter is not sent it, because nobody can
    say yet whether the line will pass; nor is one who may see some lines only."""
    chosen = form.levels is not None or form.q or form.exclude or form.until_ms is not None
    if old == new or chosen or form.lines is not None or form.format not in ("line", "batch"):
        return b""
    before, after = old or {}, new or {}
    changed = [stream for stream in sorted({*before, *after}) if before.get(stream) != after.get(stream)]
    return b"".join(event("partial", _partial(stream, after.get(stream), form)) for stream in changed)


def _partial(stream: str, held: Mapping[str, Any] | None, form: Form) -> dict[str, Any]:
    if held is None:
        return {"message": None, "stream": stream}
    message = str(held["message"])
    if form.longest:
        message = message.encode("utf-8", "replace")[: form.longest].decode("utf-8", "ignore")
    return {"message": message, "stream": stream, "timestamp": held["timestamp"]}


def done_event(state: State, form: Form, position: Position, reason: str) -> bytes:
    """Only `finished` carries the id: the others end the stream, not the log."""
    status = visible_status(state.status, form.detail) if state.status is not None else None
    data = {"reason": reason, "complete": bool(state.complete), "lines": lines_to_name(state, form), "status": status}
    return event("done", data, f"{position.epoch}-{position.line}.done" if reason == "finished" else "")
