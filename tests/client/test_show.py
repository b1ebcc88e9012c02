from __future__ import annotations

import io
from typing import Any

import pytest

from webapp.client.follow import Event
from webapp.client.line import Line, missing
from webapp.client.safe import for_terminal
from webapp.client.show import Printer, left_out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def line(message: str, **more: Any) -> Line:
    return Line({"id": "e-1", "line": 1, "timestamp": 1, "message": message, "level": None, **more})


@pytest.mark.parametrize(
    ("count", "levels", "text"),
    [
        (1204, {"info": 1200, "debug": 4}, "… 1,204 lines left out (1,200 info, 4 debug)"),
        (1, {}, "… 1 line left out"),
        (3, {"none": 2, "info": 1}, "… 3 lines left out (1 info)"),
    ],
)
def test_what_was_left_out_is_one_line(count: int, levels: dict[str, int], text: str) -> None:
    assert left_out(count, levels) == text


def test_omitted_is_shown_just_before_the_line_that_follows_and_added_up() -> None:
    out = io.StringIO()
    printer = Printer(out)
    for kind, data in [
        ("lines", [line("first")]),
        ("omitted", {"count": 2, "levels": {"info": 2}}),
        ("cursor", {"line": 3}),
        ("omitted", {"count": 1, "levels": {"debug": 1}}),
        ("line", line("last")),
        ("status", {}),
        ("done", {"reason": "finished", "complete": True}),
    ]:
        printer.event(Event(kind, data, ""))
    printer.flush()
    assert out.getvalue() == "first\n… 3 lines left out (2 info, 1 debug)\nlast\n"


def test_holes_and_new_beginnings_are_told() -> None:
    out = io.StringIO()
    printer = Printer(out)
    printer.event(Event("gap", {"reason": "trimmed", "count": 412}, ""))
    printer.event(Event("gap", {"reason": "upstream", "count": None}, ""))
    printer.event(Event("reset", {"reason": "the journal was begun anew"}, ""))
    printer.event(Event("done", {"reason": "finished", "complete": False}, ""))
    printer.flush()
    assert out.getvalue().splitlines() == [
        "… 412 lines are no longer kept",
        "… lines may be missing here: the upstream did not give them",
        "… the log begins anew: the journal was begun anew",
        "… whether this is the whole log could not be confirmed",
    ]
    assert missing({"reason": "trimmed", "count": 1}) == "… 1 line is no longer kept"


def test_indentation_stays_and_a_pipe_gets_every_byte() -> None:
    out = io.StringIO()
    printer = Printer(out)
    printer.line(line("    at 10%\r 20%\x1b[31m red\x1b[2J\t."))
    printer.flush()
    assert out.getvalue() == "    at 10%\r 20%\x1b[31m red\x1b[2J\t.\n"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("  plain", "  plain"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("a\x1b]0;title\x07b\x1b]52;c;aGk=\x1b\\c\x07\x9b1md\x9d0;t\x9ce", "abc\x1b[1mde\x1b[0m"),
        ("a\x1b[2Jb", "a\n b"),
        ("evil \u202ekcab\u2066x\u200f", "evil kcabx"),
        ("10%\r 50%\r100%\r", "100%"),
        ("a\tb\nc", "a\tb\nc"),
        ("x\u2028y", "x\u2028y"),
    ],
)
def test_a_terminal_gets_colours_and_nothing_that_moves_it(message: str, shown: str) -> None:
    assert for_terminal(message) == shown


def test_notes_are_dim_on_a_terminal_unless_colours_are_unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    printer = Printer(out)
    printer.note("note")
    printer.flush()
    assert out.getvalue() == "\x1b[2mnote\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    printer = Printer(out)
    printer.note("note")
    printer.flush()
    assert out.getvalue() == "note\n"


def test_a_narrow_encoding_is_no_reason_to_stop() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    printer = Printer(out)
    printer.line(line("snow ☃"))
    printer.line(line("more"))
    printer.flush()
    assert raw.getvalue() == b"snow \\u2603\nmore\n"
