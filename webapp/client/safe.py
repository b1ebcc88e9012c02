"""Text of others as a terminal may be given it.

A terminal obeys control characters (C0, DEL and C1, by which titles are set, the clipboard is written and the screen
is cleared), and shows text in another order than it stands in where bidirectional overrides say so.
"""

from __future__ import annotations

import json
import re
from typing import Any

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_LEFT_OUT = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]")
# A colour (SGR), which is kept, in group 1; other sequences of ECMA-48; what remains of control but tab and newline.
_CONTROL = re.compile(
    r"(\x1b\[[0-9;:]*m)"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]"
    rf"|[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}]"
)
PLAIN = "\x1b[0m"


def plain(text: object) -> str:
    """A name, a reason, an address: one line, each character that a terminal would obey replaced by a space."""
    shown = str(text)
    return shown if shown.isprintable() else _LEFT_OUT.sub(" ", shown)


def for_terminal(message: str) -> str:
    """A line of a log: its colours, but nothing that moves the cursor, sets a title or rings. Of a line that was
    redrawn, what it showed last."""
    if message.isprintable():
        return message
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in message.split("\n")]
    shown = _CONTROL.sub(lambda match: match[1] or "", "\n".join(lines))
    return shown + PLAIN if "\x1b[" in shown else shown


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON that says the same and that a terminal can be given: what it would obey is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text if text.isascii() and "\x7f" not in text else _ESCAPED.sub(_escape, text)


_ESCAPED = re.compile(f"[\x7f-\x9f\u2028\u2029{_BIDI}\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]")


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]
