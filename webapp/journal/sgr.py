"""Colours and styles: Select Graphic Rendition (ECMA-48, 8.3.117; ITU-T T.416, 13.1.8). `static/sgr.js` is its twin.

A style is text: the parameters that make it from nothing, in the order of `_ORDER`, colours in the form with
semicolons: `""`, `"1;31"`, `"4:3;38;5;208;48;2;0;0;0"`. Equal styles are equal text.
"""

from __future__ import annotations

from functools import lru_cache

# What a parameter sets, and to what. 8 (concealed) is left out: no text may be hidden.
_SETS = {
    1: ("bold", "1"), 2: ("dim", "2"), 3: ("italic", "3"), 4: ("underline", "4"), 5: ("blink", "5"), 6: ("blink", "5"),
    7: ("inverse", "7"), 9: ("strike", "9"), 21: ("underline", "4:2"), 53: ("overline", "53"),
}  # fmt: skip
_ENDS = {
    22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 25: ("blink",), 27: ("inverse",), 29: ("strike",),
    39: ("text",), 49: ("back",), 55: ("overline",), 59: ("line",),
}  # fmt: skip
_COLOURED = {38: "text", 48: "back", 58: "line"}
_ORDER = (
    "bold", "dim", "italic", "underline", "blink", "inverse", "strike", "overline", "text", "back", "line",
)  # fmt: skip
MOST = 1000  # characters of parameters that are read


@lru_cache(4096)
def restyle(style: str, parameters: str) -> str:
    """The style after `CSI parameters m`. What is not a parameter of ours changes nothing."""
    found = _parts(style)
    groups = parameters[:MOST].split(";")
    at = 0
    while at < len(groups):
        code, *rest = [_number(part) for part in groups[at].split(":")]
        at += 1
        if code == 0:
            found = {}
        elif code in _COLOURED:
            if rest:
                colour = _with_colons(code, rest)
            else:
                colour, taken = _with_semicolons(code, [_number(group) for group in groups[at : at + 4]])
                at += taken
            if colour:
                found[_COLOURED[code]] = colour
        elif code == 4 and rest:
            _underline(found, rest[0])
        elif code in _SETS:
            name, value = _SETS[code]
            found[name] = value
        elif 30 <= code <= 37 or 90 <= code <= 97:
            found["text"] = str(code)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            found["back"] = str(code)
        for name in _ENDS.get(code, ()):
            found.pop(name, None)
    return ";".join([found[name] for name in _ORDER if name in found])


def _underline(found: dict[str, str], kind: int) -> None:
    if kind == 0:
        found.pop("underline", None)
    elif kind <= 5:
        found["underline"] = "4" if kind == 1 else f"4:{kind}"


def _with_colons(code: int, rest: list[int]) -> str:
    """`38:5:n`, `38:2:r:g:b`, and with the colour space that the standard has: `38:2::r:g:b`."""
    if rest[0] == 5 and len(rest) > 1:
        return _colour(code, rest[:2])
    if rest[0] == 2 and len(rest) > 3:
        return _colour(code, [2, *(rest[2:5] if len(rest) > 4 else rest[1:4])])
    return ""


def _with_semicolons(code: int, after: list[int]) -> tuple[str, int]:
    """The colour, and how many parameters it took."""
    kind = after[0] if after else 0
    taken = {2: 4, 5: 2}.get(kind, 1)
    return (_colour(code, after[:taken]) if len(after) >= taken > 1 else ""), taken


def _colour(code: int, values: list[int]) -> str:
    if not all(0 <= value <= 255 for value in values):
        return ""
    kind, *rest = values
    if kind == 5 and rest[0] < 16 and code != 58:  # the theme's own, by their own numbers
        return str(code - 8 + rest[0] if rest[0] < 8 else code + 52 + rest[0] - 8)
    return ";".join(map(str, (code, *values)))


def _parts(style: str) -> dict[str, str]:
    found: dict[str, str] = {}
    groups = style.split(";") if style else []
    at = 0
    while at < len(groups):
        group = groups[at]
        code = int(group.partition(":")[0])
        if code in _COLOURED:
            taken = 5 if groups[at + 1] == "2" else 3
            found[_COLOURED[code]] = ";".join(groups[at : at + taken])
            at += taken
            continue
        name = _SETS[code][0] if code in _SETS else "text" if code < 40 or 90 <= code < 100 else "back"
        found[name] = group
        at += 1
    return found


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1 if text else 0
