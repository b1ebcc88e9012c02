"""The rows that a terminal shows, as items: each under the number of a stored line. `static/screen.js` is its twin."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from .cells import Span
from .escapes import plain
from .row import Row


@dataclass(slots=True)
class Item:
    """What is shown under one line's number. `rows`: more than one where a line drew several, and no other line ended
    on them. `lines`: all that ended on them, oldest first. `states`: how often they were drawn."""

    line: int
    rows: list[list[Span]]
    lines: list[int]
    states: int

    @property
    def text(self) -> str:
        """Without styles and control characters."""
        return "\n".join(["".join([text for text, _ in visible(row)]) for row in self.rows])

    @property
    def coloured(self) -> str:
        """With SGR, each row from nothing to nothing, and with nothing else that a terminal obeys."""
        return "\n".join(["".join([painted(*span) for span in visible(row)]) for row in self.rows])


def visible(row: list[Span]) -> list[Span]:
    return [(plain(text).replace("\n", ""), style) for text, style in row]


def downwards(rows: int) -> str:
    return f"\x1b[{abs(rows)}{'B' if rows > 0 else 'A'}" if rows else ""


def painted(text: str, style: str) -> str:
    style = style.partition(" ")[0]
    return f"\x1b[{style}m{text}\x1b[0m" if style else text


def items_of(rows: list[Row | None], cursor: int) -> list[tuple[Item, int]]:
    """What the rows show, and after which of them each ends. From the bottom up: no row takes a later line than the one
    below it. A row on which no line ended goes with the one below. Blank ones below the cursor are left out."""
    end = len(rows)
    while end > max(cursor, 0) and ((row := rows[end - 1]) is None or row.blank):
        end -= 1
    found: list[tuple[Item, int]] = []
    for place in range(end - 1, -1, -1):
        row = rows[place]
        if row is None:
            continue
        item = found[-1][0] if found else None
        owner = _owner(row.ends, item.line if item else None)
        if item is None or (owner and owner != item.line and item.line):
            item = Item(owner, [], [], 0)
            found.append((item, place + 1))
        item.line = item.line or owner
        item.rows.append(row.spans)
        item.lines += row.ends
        item.states = max(item.states, row.states)
    for item, _ in found:
        item.rows.reverse()
        item.lines = sorted({line for line in item.lines if line})
    return found[::-1]


def _owner(ends: list[int], below: int | None) -> int:
    """The newest that is not past the one below; 0: none."""
    at = len(ends) if not below else bisect_right(ends, below)
    return ends[at - 1] if at else 0
