"""Escape sequences in a message (ECMA-48, 5th edition), by one grammar. `static/escapes.js` is its twin.

Whole sequences are: a control sequence (5.4), a control string (5.6; BEL ends it too, as terminals have it), `ESC` with
intermediate bytes (ISO 2022, 4.3), and `ESC` with one final byte; those with a C1 control also in its 8-bit form.
A sequence that never ends does not count as one: its `ESC` is a control character, and what follows is text.
"""

from __future__ import annotations

import re

# A string stops at whatever could begin another one, so that looking for its end passes each character only once.
SEQUENCE = (
    r"(?:\x1b\[|\x9b)(?P<parameters>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|(?P<opens>\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])(?P<string>[^\x07\x1b\x90\x98\x9b-\x9f]*)(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b(?P<single>[0-OQ-WYZ\\`-~])"
)
CONTROL = r"(?P<control>[\x00-\x08\x0a-\x1f\x7f-\x9f])"
TOKEN = re.compile(rf"{SEQUENCE}|{CONTROL}")
_HIDDEN = re.compile(rf"{SEQUENCE}|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(message: str) -> str:
    """The text without escape sequences and without control characters but tab and newline."""
    return message if message.isprintable() else _HIDDEN.sub("", message)
