"""What `tail_logs` and `print_logs` write: messages as they are, and dim notes where lines were left out."""

from __future__ import annotations

import os
import re
from typing import IO, Any

from .follow import Event
from .line import Line

# ANSI sequences (ECMA-48) but for colours (SGR, kept in group 1), then control characters but tab and
# newline.
_CONTROL = re.compile(
    r"(\x1b\[[0-9;:]*m)"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


def for_terminal(message: str) -> str:
    """The message as a terminal may be given it: its colours, but nothing that moves the cursor, sets a title
    or rings. Of a progress bar, what it showed last."""
    if message.isprintable():
        return message
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in message.split("\n")]
    shown = _CONTROL.sub(lambda match: match[1] or "", "\n".join(lines))
    return shown + _PLAIN if "\x1b[" in shown else shown


def left_out(count: int, levels: dict[str, int]) -> str:
    """`… 1,204 lines left out (1,200 info, 4 debug)`; lines without a level are not named."""
    named = ", ".join(f"{number:,} {level}" for level, number in levels.items() if level != "none")
    return f"… {count:,} {'line' if count == 1 else 'lines'} left out{f' ({named})' if named else ''}"


def missing(gap: Any) -> str:
    """A gap in words."""
    count, reason = gap.get("count"), gap.get("reason")
    what = "lines" if count is None else f"{count:,} {'line' if count == 1 else 'lines'}"
    if reason == "trimmed":
        return f"… {what} {'is' if count == 1 else 'are'} no longer kept"
    return f"… {what} may be missing here: the upstream did not give them"


def lines_of(event: Event) -> list[Line]:
    """The lines of an event `line` or `lines`."""
    return [Line(event.data)] if event.kind == "line" else [Line(line) for line in event.data]


class Printer:
    """Writes lines and notes to a text file, each at once. Notes are dim, and messages safe, on a
    terminal."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._terminal = bool(getattr(out, "isatty", lambda: False)())
        self._colour = self._terminal and not os.environ.get("NO_COLOR")
        self._count = 0
        self._levels: dict[str, int] = {}

    def event(self, event: Event) -> None:
        """One event of a job's stream; what says nothing about the log is passed over."""
        match event.kind:
            case "line" | "lines":
                for line in lines_of(event):
                    self.line(line)
            case "omitted":
                self._count += event.data["count"]
                for level, number in event.data.get("levels", {}).items():
                    self._levels[level] = self._levels.get(level, 0) + number
            case "gap":
                self.note(missing(event.data))
            case "reset":
                self._count, self._levels = 0, {}
                self.note(f"… the log begins anew: {event.data.get('reason')}")
            case "done":
                self._flush_left_out()
                if event.data.get("reason") == "finished" and not event.data.get("complete", True):
                    self.note("… whether this is the whole log could not be confirmed")

    def line(self, line: Line) -> None:
        self._flush_left_out()
        message = line.message
        self._write(for_terminal(message) if self._terminal else message)
        if line.get("cut"):
            self.note("… this line is longer and was cut")

    def note(self, text: str) -> None:
        self._flush_left_out()
        self._write(f"{_DIM}{text}{_PLAIN}" if self._colour else text)

    def _flush_left_out(self) -> None:
        if self._count:
            text = left_out(self._count, self._levels)
            self._count, self._levels = 0, {}
            self.note(text)

    def _write(self, text: str) -> None:
        try:
            print(text, file=self._out, flush=True)
        except UnicodeEncodeError:
            encoding = getattr(self._out, "encoding", None) or "ascii"
            print(text.encode(encoding, "backslashreplace").decode(encoding), file=self._out, flush=True)
