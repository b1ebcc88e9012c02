"""A row of a terminal: a character and a style for each column. `static/cells.js` is its twin."""

from __future__ import annotations

from unicodedata import category, east_asian_width

Span = tuple[str, str]
"""A text, and its style (see `sgr`)."""

_ZERO = frozenset(("Mn", "Me", "Cf"))
TAB = 8


def width(character: str) -> int:
    """0 for a combining character, 2 for East Asian wide characters and emoji, else 1."""
    if character < "\u0300":
        return 1
    if category(character) in _ZERO:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def columns(text: str) -> list[str]:
    """A text, column by column. A combining character stands with the one before it; a wide one is followed by an empty
    text."""
    if text.isascii():
        return list(text)
    found: list[str] = []
    last = -1
    joined = False  # by a zero width joiner: what follows is part of the same picture
    for character in text:
        wide = width(character)
        if last >= 0 and (wide == 0 or joined):
            found[last] += character
            if character == "\ufe0f" and last == len(found) - 1:  # an emoji, where it could be text
                found.append("")
        else:
            last = len(found)
            found.append(character)
            found += [""] * (wide - 1)
        joined = character == "\u200d"
    return found


class Cells:
    def __init__(self) -> None:
        self.text: list[str] = []
        self.styles: list[str] = []

    def put(self, x: int, text: str, style: str) -> int:
        """Writes over what stands at column `x`, from 0. The column after it."""
        return self._replace(x, columns(text), style)

    def tab(self, x: int) -> int:
        """Behind the last character a tab is written as one, so that a copied text has it; elsewhere it only moves."""
        size = TAB - x % TAB
        return self._replace(x, ["\t"] + [""] * (size - 1), "") if x >= len(self.text) else x + size

    def join(self, x: int, control: str) -> None:
        """A control character takes no column."""
        place = min(x, len(self.text)) - 1
        if place >= 0:
            self.text[place] += control
        elif self.text:
            self.text[0] = control + self.text[0]
        else:
            self.put(0, control, "")

    def erase(self, start: int, end: int | None = None) -> None:
        size = len(self.text)
        if end is None or end >= size:
            self._halve(start)
            del self.text[start:], self.styles[start:]
        else:
            self._replace(start, [" "] * (end - start), "")

    def delete(self, x: int, count: int) -> None:
        self._halve(x)
        self._halve(x + count)
        del self.text[x : x + count], self.styles[x : x + count]

    def insert(self, x: int, count: int) -> None:
        if x < len(self.text):
            self._halve(x)
            self.text[x:x] = [" "] * count
            self.styles[x:x] = [""] * count

    def spans(self) -> list[Span]:
        """Runs of one style. Blanks at the end are what is left of earlier states."""
        text, styles = self.text, self.styles
        size = len(text)
        while size and text[size - 1] == " " and not styles[size - 1]:
            size -= 1
        found: list[Span] = []
        start = 0
        for at in range(1, size + 1):
            if at == size or styles[at] != styles[start]:
                found.append(("".join(text[start:at]), styles[start]))
                start = at
        return found

    def _replace(self, x: int, new: list[str], style: str) -> int:
        missing = x - len(self.text)
        if missing > 0:
            self.text += [" "] * missing
            self.styles += [""] * missing
        end = x + len(new)
        self._halve(x)
        self._halve(end)
        self.text[x:end] = new
        self.styles[x:end] = [style] * len(new)
        return end

    def _halve(self, x: int) -> None:
        """Of a wide character that is cut in two only blanks are left."""
        text = self.text
        if not 0 < x < len(text) or text[x]:
            return
        first = last = x
        while first > 0 and not text[first]:
            first -= 1
        while last < len(text) and not text[last]:
            last += 1
        text[first:last] = [" "] * (last - first)
