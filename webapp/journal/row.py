"""A row of a terminal, kept as the text of its message until something is written over it. Styles and links."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .cells import Cells, Span
from .escapes import TOKEN, plain
from .sgr import restyle

_MOVES = re.compile(r"[\n\x08\r]|\x1b[78DEMc]|(?:\x1b\[|\x9b)(?:[0-9;]*[@-HPXZ`adefsu]|[0-9;]*[123][JK]|\?1049)")
_LINK = re.compile(r"8;[^;]*;(https?://[!-~]{1,2000})?\Z")


def redraws(message: str) -> bool:
    """Whether a message is other than its text without escape sequences. A return at its end and an erasure to the
    right of the cursor change nothing where nothing went back."""
    return _MOVES.search(message.rstrip("\r")) is not None


def runs(message: str, style: str = "") -> list[Span]:
    """A message that does not redraw, in runs of one style; other escape sequences are taken out, control characters
    stay."""
    if "\x1b" not in message and not TOKEN.search(message):
        return [(message, style)] if message else []
    found: list[Span] = []
    at, text = 0, ""
    for match in TOKEN.finditer(message):
        text += message[at : match.start()]
        at = match.end()
        if match["control"]:
            text += match["control"]
            continue
        new = styled(style, match)
        if new != style:
            found.append((text, style))
            text, style = "", new
    found.append((text + message[at:], style))
    while found and not found[-1][0].rstrip("\r"):
        found.pop()
    if found:
        found[-1] = (found[-1][0].rstrip("\r"), found[-1][1])
    return [span for span in found if span[0]]


def styled(style: str, match: re.Match[str]) -> str:
    """The style after a sequence: SGR's parameters, and after a blank where a link (OSC 8) leads."""
    if match["final"] == "m" and not match["between"]:
        sgr, _, link = style.partition(" ")
        if match["parameters"].strip("0123456789:;"):
            return style  # a private one
        sgr = restyle(sgr, match["parameters"])
        return f"{sgr} {link}" if link else sgr
    if match["opens"] in ("\x1b]", "\x9d") and match["string"].startswith("8;"):
        found = _LINK.match(match["string"])
        sgr = style.partition(" ")[0]
        return f"{sgr} {found[1]}" if found and found[1] else sgr
    return style


@dataclass(slots=True)
class Row:
    """Holds `message`, whose first character has `style`, until something is written over it."""

    ends: list[int] = field(default_factory=list)
    message: str = ""
    style: str = ""
    states: int = 0
    _cells: Cells | None = None

    @property
    def cells(self) -> Cells:
        if self._cells is None:
            self._cells, x = Cells(), 0
            for text, style in runs(self.message, self.style):
                for place, part in enumerate(plain(text).split("\t")):
                    x = self._cells.put(self._cells.tab(x) if place else x, part, style)
        return self._cells

    @property
    def spans(self) -> list[Span]:
        return runs(self.message, self.style) if self._cells is None else self._cells.spans()

    @property
    def blank(self) -> bool:
        return self._cells is not None and not self._cells.spans()
