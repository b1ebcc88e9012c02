"""A private key that is printed line by line: each line of it is blanked, from its first to its last.

The redactor's expressions see one line at a time, and a line of a key is base64 like many others. What is remembered
between two appends is how far a key that has begun has come, for each stream of a job.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .redact import BLANK

BEGIN = "PRIVATE KEY"
MOST_LINES = 400  # a key of 16,384 bits has some 200
MOST_OTHERS = 3  # lines of others that stand between two lines of a key
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_HEADER = re.compile(r"\s*(?:(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash):.*)?$")
_WHOLE = re.compile(r"\s*[A-Za-z0-9+/=]+\s*$")
_RUN = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_STARS = BLANK.decode()


class KeyBlocks:
    """`open`: of each stream in which a key has begun, how many lines of it there were, and others in between."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[int, int]] = {}

    def copy(self) -> KeyBlocks:
        other = KeyBlocks()
        other.open = dict(self.open)
        return other

    def messages(self, messages: list[str], streams: Sequence[str]) -> list[str]:
        """The messages with the lines of keys blanked; the same list where there were none. The lines that begin and
        end a key are left to the redactor."""
        if not self.open and not any(BEGIN in message for message in messages):
            return messages
        return [self._one(message, stream) for message, stream in zip(messages, streams, strict=True)]

    def _one(self, message: str, stream: str) -> str:
        begins = list(_BEGIN.finditer(message))
        if begins:
            self.open.pop(stream, None)
            if not _END.search(message, begins[-1].end()):
                self.open[stream] = (0, 0)
            return message
        if stream not in self.open:
            return message
        if _END.search(message):
            del self.open[stream]
            return _RUN.sub(_STARS, message)
        return self._within(message, stream)

    def _within(self, message: str, stream: str) -> str:
        lines, others = self.open[stream]
        blanked = _STARS if _WHOLE.match(message) else _RUN.sub(_STARS, message)
        others = 0 if blanked != message or _HEADER.match(message) else others + 1
        if others > MOST_OTHERS or lines >= MOST_LINES:
            del self.open[stream]
            return message if others else blanked
        self.open[stream] = (lines + 1, others)
        return blanked
