"""How `logs` and `tail` write lines: as `kubectl logs` does, or as JSON, one object a line."""

from __future__ import annotations

import json
from typing import IO

import click

from ..client.follow import Event
from ..client.line import Line
from ..client.safe import for_terminal
from ..client.show import Printer, lines_of
from .words import coloured, stamp

_COLOURS = {"error": "red", "warning": "yellow", "debug": "bright_black"}


class LogPrinter(Printer):
    """On a terminal lines bear the colour of their level, unless they bring colours of their own."""

    def __init__(self, out: IO[str], *, timestamps: bool = False) -> None:
        super().__init__(out)
        self._timestamps = timestamps
        self._paint = coloured(out)
        self._on_terminal = out.isatty()

    def line(self, line: Line) -> None:
        self._flush_left_out()
        message = line.message
        if self._on_terminal:
            message = for_terminal(message)
        colour = _COLOURS.get(line.level or "")
        if self._paint and colour and "\x1b[" not in message:
            message = click.style(message, fg=colour)
        if self._timestamps:
            message = f"{stamp(line.timestamp)} {message}"
        self.write(message)
        if line.get("cut"):
            self.note("… this line is longer and was cut")


class JsonPrinter:
    """Lines as the API gives them; what else the stream says bears an `event`."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def line(self, line: Line) -> None:
        self._write(line)

    def event(self, event: Event) -> None:
        if event.kind in ("line", "lines"):
            for line in lines_of(event):
                self._write(line)
        elif event.kind in ("omitted", "gap", "reset", "status", "done"):
            data = event.data if isinstance(event.data, dict) else {"data": event.data}
            self._write({"event": event.kind, **data})

    full = False

    def flush(self) -> None:
        self._out.flush()

    def _write(self, value: object) -> None:
        self._out.write(json.dumps(value, ensure_ascii=True) + "\n")
