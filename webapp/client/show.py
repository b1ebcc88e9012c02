"""What `tail_logs` and `print_logs` write: messages as they are, and dim notes where lines were left out."""

from __future__ import annotations

import os
import time
from typing import IO, Any

from .follow import Event
from .line import Line, line_of, missing
from .safe import PLAIN, for_terminal, plain
from .script import Script, Sleep

_DIM = "\x1b[2m"
# Text is held until so much of it is there, or until its writer waits for more.
CHUNK = 64 << 10
# What a Jupyter server passes on is 1,000 messages and 1,000,000 bytes a second; the rest it drops. A flush is a
# message, and a byte may become two on its way.
NOTEBOOK_SECONDS = 0.05
NOTEBOOK_BYTES = 400_000


def left_out(count: int, levels: dict[str, int]) -> str:
    """`… 1,204 lines left out (1,200 info, 4 debug)`; lines without a level are not named."""
    named = ", ".join(f"{number:,} {level}" for level, number in levels.items() if level != "none")
    return f"… {count:,} {'line' if count == 1 else 'lines'} left out{f' ({named})' if named else ''}"


def lines_of(event: Event) -> list[Line]:
    """The lines of an event `line` or `lines`."""
    return [line_of(event.data)] if event.kind == "line" else [line_of(line) for line in event.data]


def pace(out: object) -> tuple[float, int] | None:
    """The seconds between two flushes and the bytes a second that lose nothing; None where there is no such bound,
    which is everywhere but in a Jupyter kernel."""
    return (NOTEBOOK_SECONDS, NOTEBOOK_BYTES) if type(out).__module__.startswith("ipykernel") else None


class Printer:
    """Writes lines and notes to a text file, many at once: its user calls `settle` when there is nothing more to write
    for now. Notes are dim, and messages safe, on a terminal."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._terminal = bool(getattr(out, "isatty", lambda: False)())
        self._colour = self._terminal and not os.environ.get("NO_COLOR")
        self._count = 0
        self._levels: dict[str, int] = {}
        self._held: list[str] = []
        self._size = 0
        self._pace = pace(out)
        self._next = 0.0

    def event(self, event: Event) -> None:
        """One event of a job's stream; what says nothing about the log is passed over."""
        match event.kind:
            case "line" | "lines":
                for line in lines_of(event):
                    self.line(line)
            case "omitted":
                self._omitted(event.data)
            case "gap":
                self.note(missing(event.data))
            case "reset":
                self._count, self._levels = 0, {}
                self.note(f"… the log begins anew: {event.data.get('reason')}")
            case "done":
                self._flush_left_out()
                if event.data.get("reason") == "finished" and not event.data.get("complete", True):
                    self.note("… whether this is the whole log could not be confirmed")

    def _omitted(self, data: dict[str, Any]) -> None:
        count, levels = data.get("count"), data.get("levels")
        self._count += count if isinstance(count, int) else 0
        for level, number in levels.items() if isinstance(levels, dict) else ():
            if isinstance(number, int):
                self._levels[plain(level)] = self._levels.get(plain(level), 0) + number

    def line(self, line: Line) -> None:
        self._flush_left_out()
        message = line.message
        self.write(for_terminal(message) if self._terminal else message)
        if line.get("cut"):
            self.note("… this line is longer and was cut")

    def note(self, text: str) -> None:
        self._flush_left_out()
        self.write(f"{_DIM}{plain(text)}{PLAIN}" if self._colour else plain(text))

    def _flush_left_out(self) -> None:
        if self._count:
            text = left_out(self._count, self._levels)
            self._count, self._levels = 0, {}
            self.note(text)

    def write(self, text: str) -> None:
        """One line, as it is."""
        self._held.append(text)
        self._size += len(text) + 1

    @property
    def full(self) -> bool:
        """Whether it should be settled before more is written."""
        return self._size >= CHUNK

    def wait(self) -> float:
        """Seconds until a flush loses nothing."""
        return max(0.0, self._next - time.monotonic()) if self._pace and self._held else 0.0

    def flush(self) -> None:
        """Writes what is held."""
        if not self._held:
            return
        text, size = "\n".join(self._held) + "\n", self._size
        self._held, self._size = [], 0
        try:
            self._out.write(text)
        except UnicodeEncodeError:
            encoding = getattr(self._out, "encoding", None) or "ascii"
            self._out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._out.flush()
        if self._pace:
            self._next = time.monotonic() + max(self._pace[0], size / self._pace[1])


def settle(printer: Printer) -> Script[None]:
    """Writes what is held, as soon as that loses nothing."""
    if (seconds := printer.wait()) > 0:
        yield Sleep(seconds)
    printer.flush()
