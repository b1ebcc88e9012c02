"""How `logs` and `tail` write lines: as `kubectl logs` does, or as JSON, one object a line."""

from __future__ import annotations

import shutil
from threading import Lock
from typing import IO, Any

from ..client.follow import Event
from ..client.line import Line, LineGap, missing
from ..client.safe import in_order, json_text, plain
from ..client.show import CHUNK, Printer, lines_of
from ..journal.cells import columns
from ..journal.item import Item
from ..journal.terminal import Screen, read
from .out import CLEAR_LINE, coloured, narrow, painted
from .words import stamp

_COLOURS = {"error": "red", "warning": "yellow", "debug": "bright_black"}
# Of the jobs that are followed at once, in turn.
TURNS = ("cyan", "magenta", "green", "blue", "yellow", "bright_cyan", "bright_magenta", "bright_blue")


class LogPrinter(Printer):
    """On a terminal lines are shown as one shows them in the end (redrawn ones once), in the colour of their level
    unless they bring colours of their own.

    `label`: before each line, in `colour`, where several jobs write to one file; `lock` then keeps their lines whole.
    `separate`: `--` between lines that are no neighbours. `live`: what was shown is not waited with. `unfinished`: what
    a command has written after its last newline, a bar or a question, stands at the foot until its line comes.
    """

    def __init__(self, out: IO[str], *, timestamps: bool = False, separate: bool = False, live: bool = False,
                 label: str = "", colour: str = "", lock: Lock | None = None,
                 unfinished: bool = False) -> None:  # fmt: skip
        super().__init__(out)
        self._timestamps = timestamps
        self._paint = coloured(out)
        self._label = painted(plain(label), colour if self._paint else "") + " | " if label else ""
        self._lock = lock or Lock()
        self._separate, self._live = separate, live
        self._number = self._shown = 0
        self._screen = Screen()
        self._lines: dict[int, Line] = {}
        self._unfinished: dict[str, str] | None = {} if unfinished and self._terminal else None  # by stream
        self._foot = ""

    def event(self, event: Event) -> None:
        if event.kind == "partial":
            self._begin(str(event.data.get("stream") or ""), event.data.get("message"))
        elif event.kind in ("reset", "retrying", "bye") and self._unfinished:
            self._unfinished.clear()
        super().event(event)

    def _begin(self, stream: str, message: object) -> None:
        if self._unfinished is not None:
            self._unfinished.pop(stream, None)
            rows = read(message).text.rstrip().split("\n") if isinstance(message, str) else [""]
            if rows[-1]:
                self._unfinished[stream] = in_order(rows[-1])

    def line(self, line: Line) -> None:
        if not self._terminal:
            self._show(line, line.message)
            return
        if self._unfinished:
            self._unfinished.pop(str(line.get("stream") or ""), None)
        if line.line != self._number + 1 or self._separate:
            self._clear()
        self._number = line.line
        self._lines[line.line] = line
        self._items(self._screen.feed(line.line, line.message, str(line.get("stream") or "")))

    def note(self, text: str) -> None:
        self._clear()
        super().note(text)

    def gap(self, gap: LineGap) -> None:
        self.note(missing(gap))

    def settle(self) -> None:
        """Writes all, where nothing more is at hand."""
        if self._live:
            self._clear()
        self.flush()
        if self._unfinished:
            *_, text = self._unfinished.values()
            self._stand("".join(columns(text)[: shutil.get_terminal_size().columns - 1]))

    def end(self) -> None:
        self._clear()
        self.flush()
        self._stand("")

    def _stand(self, text: str) -> None:
        """At the foot, where the next line is going to stand; never wrapped, since one row is all that is cleared."""
        if text != self._foot:
            self._foot = text  # first: Ctrl-C may come while it is written
            self._out.write(CLEAR_LINE + text)
            self._out.flush()

    def _omitted(self, data: dict[str, Any]) -> None:
        self._clear()
        super()._omitted(data)

    def _clear(self) -> None:
        """What is on the screen is shown as it stands."""
        if self._lines:
            self._items(self._screen.flush())
            self._lines.clear()

    def _items(self, items: list[Item]) -> None:
        for item in items:
            text = in_order(item.coloured if self._paint else item.text)
            self._show(self._lines.get(item.line) or Line(line=item.line), text)
            for number in item.lines:
                self._lines.pop(number, None)

    def _show(self, line: Line, message: str) -> None:
        if self._separate and self._shown and line.line > self._shown + 1:
            super().note("--")
        self._shown = line.line
        self._flush_left_out()
        if self._paint and "\x1b[" not in message:
            message = painted(message, _COLOURS.get(line.level or "", ""))
        self.write(f"{stamp(line.timestamp)} {message}" if self._timestamps else message)
        if line.get("cut"):
            super().note("… this line is longer and was cut")

    def write(self, text: str) -> None:
        super().write(self._label + text.replace("\n", "\n" + self._label) if self._label else text)

    def flush(self) -> None:
        with self._lock:
            if self._held:
                self._stand("")
            super().flush()


class JsonPrinter:
    """Lines as the API gives them; what else the stream says bears an `event`. `job`: stands in each, where several
    are followed."""

    def __init__(self, out: IO[str], job: str = "", lock: Lock | None = None) -> None:
        self._out = out
        self._job = {"job": job} if job else {}
        self._lock = lock or Lock()
        self._held: list[str] = []
        self._size = 0

    @property
    def full(self) -> bool:
        return self._size >= CHUNK

    def line(self, line: Line) -> None:
        """Keys of the line that would be taken for ours stand under `upstream`, as the service does with its own."""
        clashing = {name: line[name] for name in ("event", *self._job) if name in line}
        if not clashing:
            self._write({**self._job, **line})
            return
        rest = {name: value for name, value in line.items() if name not in clashing}
        held = rest.get("upstream")
        upstream = {**held, **clashing} if isinstance(held, dict) else clashing
        self._write({**self._job, **rest, "upstream": upstream})

    def event(self, event: Event) -> None:
        if event.kind in ("line", "lines"):
            for line in lines_of(event):
                self.line(line)
        elif event.kind in ("omitted", "gap", "reset", "status", "done"):
            self._write({"event": event.kind, **self._job, **event.data})

    def gap(self, gap: LineGap) -> None:
        self._write({"event": "gap", **self._job, **gap})

    def note(self, text: str) -> None:
        """Words are for people."""

    def settle(self) -> None:
        self.flush()

    def end(self) -> None:
        self.flush()

    def flush(self) -> None:
        with self._lock:
            text, self._held, self._size = "".join(self._held), [], 0
            self._out.write(text)
            self._out.flush()

    def _write(self, value: Any) -> None:
        self._held.append(json_text(value, ascii_only=narrow(self._out)) + "\n")
        self._size += len(self._held[-1])
