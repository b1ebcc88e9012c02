"""Consecutive lines of a log as a terminal shows them in the end. `static/screen.js` is its twin.

A program redraws: it goes back in its line (CR, backspace), or up to lines that it wrote before, and writes over them.
A `Screen` follows the cursor and gives `Item`s: what a terminal shows, each under the number of a stored line.

Which line a row belongs to: of the lines that ended on it (their newline was read there) the newest that keeps the
numbers growing from the top down. A block that is drawn anew as a whole bears the numbers of its last drawing; one row
that is changed in the middle keeps the number it had. The lines that ended there earlier stand behind it.

Bounds. The cursor reaches `REACH` rows up, as on a terminal of so many rows: what stands higher is final. Reading
begins anew at line 1, `SPAN` + 1, 2 * `SPAN` + 1 and so on: what is shown of a line never depends on lines further
away, nor on where a reader happens to begin. Movements to the right end at column `COLUMNS`. No row is wrapped.
"""

from __future__ import annotations

import re

from .escapes import TOKEN, plain
from .item import Item, downwards, items_of, painted, visible
from .row import Row, redraws, styled

REACH = 100
SPAN = 10_000
COLUMNS = 1000
LONGEST = 1 << 20  # characters: of a longer message that is redrawn the end is read

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


class Screen:
    """Reads consecutive lines."""

    def __init__(self) -> None:
        self._rows: list[Row | None] = []  # None: nothing was written there
        self._base = 0  # the place of the first; the first line begins at 0, what it draws above it has negative ones
        self._y = self._x = 0
        self._moved = True  # since something was written: what is written next is a new state of its row
        self._styles: dict[str, str] = {}
        self._style = ""
        self._saved: tuple[int, int, str] | None = None
        self._origin: int | None = None  # the place of what a program takes for the top of the screen

    def feed(self, line: int, message: str, stream: str = "") -> list[Item]:
        """Reads the next line and returns what can no longer change. `stream`: its styles go on from line to line."""
        final = self.flush() if (line - 1) % SPAN == 0 else []
        self._style = self._styles.get(stream, "")
        if self._x == 0 and self._y == self._bottom and not redraws(message):
            self._rows.append(Row([line], message, self._style, 1))
            self._y += 1
            if "\x1b" in message or "\x9b" in message or "\x9d" in message:
                for match in TOKEN.finditer(message):
                    self._style = styled(self._style, match)
        else:
            self._draw(line, message[-LONGEST:])
        if self._style or stream in self._styles:
            self._styles[stream] = self._style
        return final + self._settle() if len(self._rows) > 2 * REACH else final

    @property
    def resting(self) -> bool:
        """The cursor is below all that was written, and no style goes on: a plain line changes nothing above it."""
        return self._y == self._bottom and self._x == 0 and not any(self._styles.values())

    def flush(self) -> list[Item]:
        """All that is left, as it stands. Reading begins anew."""
        items = self.items
        self.__init__()  # type: ignore[misc]
        return items

    @property
    def items(self) -> list[Item]:
        """What may still change, as it stands now."""
        return [item for item, _ in items_of(self._rows, self._y - self._base)]

    @property
    def drawing(self) -> str:
        """A message that draws all this at once, from where its first line began."""
        parts: list[str] = []
        y = 0
        for at, row in enumerate(self._rows, self._base):
            if row is not None:
                parts += ["\r" if parts else "", downwards(at - y), "\x1b[2K"]
                parts += [painted(*span) for span in visible(row.spans)]
                y = at
        style = self._style.partition(" ")[0]
        return "".join(parts) + downwards(self._y - 1 - y) + (f"\x1b[{style}m" if style else "")

    @property
    def _bottom(self) -> int:
        return self._base + len(self._rows)

    def _settle(self) -> list[Item]:
        final, taken = [], 0
        for item, end in items_of(self._rows, self._y - self._base):
            if end > len(self._rows) - REACH:
                break
            final.append(item)
            taken = end
        del self._rows[:taken]
        self._base += taken
        return final

    def _row(self) -> Row:
        """Where the cursor is."""
        if self._y < self._base:
            self._rows[:0] = [None] * (self._base - self._y)
            self._base = self._y
        self._rows += [None] * (self._y + 1 - self._bottom)
        row = self._rows[self._y - self._base]
        if row is None:
            row = self._rows[self._y - self._base] = Row()
        return row

    def _go(self, y: int) -> None:
        bottom = max(self._bottom, self._y)
        self._y = min(max(y, bottom - REACH), bottom + REACH)
        self._moved = True

    def _draw(self, line: int, message: str) -> None:
        at = 0
        for match in TOKEN.finditer(message):
            if match.start() > at:
                self._write(message[at : match.start()])
            at = match.end()
            if match["control"]:
                self._control(line, match["control"])
            elif match["final"]:
                self._sequence(match)
            elif match["single"]:
                self._single(match["single"])
            else:
                self._style = styled(self._style, match)
        if at < len(message):
            self._write(message[at:])
        self._control(line, "\n")

    def _write(self, text: str) -> None:
        row = self._row()
        row.states += self._moved
        self._moved = False
        for place, part in enumerate(text.split("\t")):
            if place:
                self._x = row.cells.tab(self._x)
            self._x = row.cells.put(self._x, part, self._style)

    def _control(self, line: int, control: str) -> None:
        if control == "\n":
            ends = self._row().ends
            if not ends or ends[-1] != line:
                ends.append(line)
            self._x = 0
            self._go(self._y + 1)
        elif control == "\r":
            self._x, self._moved = 0, True
        elif control == "\b":
            self._x, self._moved = max(0, self._x - 1), True
        else:
            self._row().cells.join(self._x, control)

    def _single(self, name: str) -> None:
        if name == "7":
            self._saved = self._y, self._x, self._style
        elif name == "8" and self._saved:
            self._restore(self._saved)
        elif name in "DEM":
            self._x = 0 if name == "E" else self._x
            self._go(self._y + (-1 if name == "M" else 1))
        elif name == "c":
            self._style = ""
            self._turn_page()

    def _restore(self, saved: tuple[int, int, str]) -> None:
        y, self._x, self._style = saved
        self._go(y)

    def _turn_page(self) -> None:
        """Where a program clears the screen, a log keeps what was on it and goes on below."""
        self._origin = None
        self._y, self._moved = max(self._bottom, self._y), True

    def _sequence(self, match: re.Match[str]) -> None:
        final, parameters = match["final"], match["parameters"]
        if final == "m":
            self._style = styled(self._style, match)
        elif parameters == "?1049":
            self._turn_page()
        elif not match["between"] and not parameters.strip("0123456789;"):
            given = [min(int(part or 0), COLUMNS) for part in parameters[:100].split(";")]
            act = _ACTS.get(final)
            if act:
                act(self, max(1, given[0]), given)

    def _up(self, count: int, _: list[int]) -> None:
        self._go(self._y - count)

    def _down(self, count: int, _: list[int]) -> None:
        self._go(self._y + count)

    def _right(self, count: int, _: list[int]) -> None:
        self._x = max(self._x, min(self._x + count, COLUMNS))

    def _left(self, count: int, _: list[int]) -> None:
        self._column(self._x - count + 1, [])

    def _next(self, count: int, _: list[int]) -> None:
        self._x = 0
        self._go(self._y + count)

    def _previous(self, count: int, _: list[int]) -> None:
        self._x = 0
        self._go(self._y - count)

    def _column(self, column: int, _: list[int]) -> None:
        self._moved = self._moved or column <= self._x
        self._x = max(0, column - 1)

    def _place(self, row: int, given: list[int]) -> None:
        """Rows are counted from the top of a screen, which a log does not have: the first one named is taken to be
        new."""
        if self._origin is None or self._origin + REACH < self._bottom:
            self._origin = max(self._bottom, self._y)
        self._column(max(1, given[1]) if len(given) > 1 else 1, [])
        self._go(self._origin + row - 1)

    def _line(self, row: int, _: list[int]) -> None:
        if self._origin is not None:
            self._go(self._origin + row - 1)

    def _erase_below(self, _: int, given: list[int]) -> None:
        if given[0] in (2, 3):
            self._turn_page()
            return
        here = self._y - self._base
        for row in self._rows[: max(0, here)] if given[0] == 1 else self._rows[max(0, here + 1) :]:
            if row is not None:
                row.cells.erase(0)
        self._erase(1, given)

    def _erase(self, _: int, given: list[int]) -> None:
        if given[0] > 2 or not self._base <= self._y < self._bottom:
            return
        cells = self._row().cells
        if given[0] == 0:
            cells.erase(self._x)
        elif given[0] == 1:
            cells.erase(0, self._x + 1)
        elif given[0] == 2:
            cells.erase(0)

    def _blank(self, count: int, _: list[int]) -> None:
        self._row().cells.erase(self._x, self._x + count)

    def _delete(self, count: int, _: list[int]) -> None:
        self._row().cells.delete(self._x, count)

    def _insert(self, count: int, _: list[int]) -> None:
        self._row().cells.insert(self._x, count)

    def _save(self, _: int, given: list[int]) -> None:
        self._single("7")

    def _back(self, _: int, given: list[int]) -> None:
        self._single("8")


_ACTS = {
    "A": Screen._up, "B": Screen._down, "C": Screen._right, "D": Screen._left, "E": Screen._next,
    "F": Screen._previous, "G": Screen._column, "`": Screen._column, "H": Screen._place, "f": Screen._place,
    "d": Screen._line, "J": Screen._erase_below, "K": Screen._erase, "X": Screen._blank, "P": Screen._delete,
    "@": Screen._insert, "a": Screen._right, "e": Screen._down, "s": Screen._save, "u": Screen._back,
}  # fmt: skip


def read(message: str) -> Item:
    """A message by itself: all that it draws."""
    screen = Screen()
    screen.feed(1, message)
    items = screen.items
    rows = [row for item in items for row in item.rows]
    return Item(1, rows, [1], max([item.states for item in items], default=0))


def redrawn(message: str) -> tuple[str, int]:
    """A message that draws at once what `message` draws in the end, and how many states its most drawn row had."""
    screen = Screen()
    screen.feed(1, message)
    return screen.drawing, max([item.states for item in screen.items], default=0)


def shown(message: str) -> str:
    """The text of a message by itself."""
    if _CONTROL.search(message) is None:
        return message
    return read(message).text if redraws(message) else plain(message)
