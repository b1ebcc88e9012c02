"""The one place where words go out to a terminal or a pipe. What a service gave (names, reasons, addresses, ids) comes
here as it is; here everything that a terminal would obey is taken out, and colours are added. Lines of logs go through
`client.show`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import IO, Any

from ..client.safe import PLAIN, json_text, plain

CODES = {
    "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36,
    "bright_black": 90, "bright_blue": 94, "bright_magenta": 95, "bright_cyan": 96,
}  # fmt: skip
CLEAR_LINE = "\r\x1b[K"
CLEAR_SCREEN = "\x1b[H\x1b[2J\x1b[3J"


@dataclass(frozen=True, slots=True)
class Painted:
    """A text in a colour, where somebody sees it. `colour`: a key of CODES, or ""."""

    text: object
    colour: str
    width: int = 0


def coloured(out: IO[str]) -> bool:
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(*parts: object) -> None:
    """One line on standard output, its parts side by side."""
    _put(sys.stdout, *parts)


def complain(*parts: object) -> None:
    """One line on standard error, that says who speaks."""
    sys.stdout.flush()
    _put(sys.stderr, "jobtail: ", *parts)


def complain_as(*lines: object) -> None:
    """Lines on standard error, as they are."""
    sys.stdout.flush()
    for line in lines:
        _put(sys.stderr, line)


def show_json(value: Any, *, indent: int | None = 2) -> None:
    sys.stdout.write(json_text(value, indent=indent, ascii_only=narrow(sys.stdout)) + "\n")


def narrow(out: IO[str]) -> bool:
    """Whether the file's encoding lacks some characters: JSON then escapes those that are not ASCII."""
    return str(getattr(out, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "") != "utf8"


def foot(text: str) -> None:
    """One line that is overwritten by the next, at the foot of the terminal on standard error; "" removes it."""
    sys.stderr.write(CLEAR_LINE + plain(text))
    sys.stderr.flush()


def clear() -> None:
    """The screen of the terminal on standard output."""
    sys.stdout.write(CLEAR_SCREEN)


def _put(out: IO[str], *parts: object) -> None:
    paint = coloured(out)
    out.write("".join(_shown(part, paint) for part in parts).rstrip(" ") + "\n")
    out.flush()


def _shown(part: object, paint: bool) -> str:
    if not isinstance(part, Painted):
        return plain(part)
    return painted(f"{plain(part.text):<{part.width}}", part.colour if paint else "")


def painted(text: str, colour: str) -> str:
    """The text between the codes of a colour; as it is without one."""
    return f"\x1b[{CODES[colour]}m{text}{PLAIN}" if colour in CODES else text
