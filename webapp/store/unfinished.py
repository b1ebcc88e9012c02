"""What a command has written after its last newline, where nobody is left to end the line."""

from __future__ import annotations

from ..journal.state import State
from ..journal.text import text
from .base import Writer


def keep_unfinished(writer: Writer, state: State) -> None:
    """Its runner was lost: the last that was shown of it becomes a line, marked `"partial": true`."""
    texts = [
        text(int(held["timestamp"]), str(held["message"]).encode("utf-8", "replace"), {"stream": name, "partial": True})
        for name, held in sorted((state.partial or {}).items(), key=lambda each: int(each[1]["timestamp"]))
    ]
    if texts:
        writer.append(texts, mark_late=False)
