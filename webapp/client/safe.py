"""Text from others, made safe for a terminal.

A terminal obeys control characters (C0, DEL and C1, by which titles are set, the clipboard is written and the screen
is cleared), and shows text in another order than it stands in where bidirectional overrides say so.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..journal.terminal import read

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_LEFT_OUT = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]")
_ORDER = re.compile(f"[{_BIDI}]")
PLAIN = "\x1b[0m"


def plain(text: object) -> str:
    """A name, a reason, an address: one line, each character that a terminal would obey replaced by a space."""
    shown = str(text)
    return shown if shown.isprintable() else _LEFT_OUT.sub(" ", shown)


def for_terminal(message: str) -> str:
    """A line of a log by itself: what a terminal shows of it in the end, with its colours, but with nothing that moves
    the cursor, sets a title or rings."""
    return message if message.isprintable() else in_order(read(message).coloured)


def in_order(text: str) -> str:
    """Without what changes the order in which text is shown."""
    return text if text.isascii() else _ORDER.sub("", text)


def json_text(value: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """The same JSON, safe for a terminal: what a terminal would obey is escaped."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    return text if text.isascii() and "\x7f" not in text else _ESCAPED.sub(_escape, text)


_ESCAPED = re.compile(f"[\x7f-\x9f\u2028\u2029{_BIDI}\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]")


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]
