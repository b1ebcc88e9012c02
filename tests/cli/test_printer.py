"""Lines as JSON: what a command wrote is never taken for what we say."""

from __future__ import annotations

import io
import json

from webapp.cli.printer import JsonPrinter
from webapp.client.follow import Event
from webapp.client.line import Line


def printed(line: Line, job: str = "") -> dict[str, object]:
    out = io.StringIO()
    printer = JsonPrinter(out, job)
    printer.line(line)
    printer.flush()
    found: dict[str, object] = json.loads(out.getvalue())
    return found


def test_a_line_that_has_a_key_event_is_no_event() -> None:
    line = Line(id="e-1", line=1, message="m", event="done", complete=True)
    assert printed(line) == {
        "id": "e-1", "line": 1, "message": "m", "complete": True, "upstream": {"event": "done"},
    }  # fmt: skip


def test_what_stands_under_upstream_already_stays() -> None:
    line = Line(id="e-1", line=1, message="m", event="gap", job="mine", upstream={"level": "LOUD"})
    assert printed(line, "of-two")["upstream"] == {"level": "LOUD", "event": "gap", "job": "mine"}
    assert printed(line, "of-two")["job"] == "of-two"
    assert printed(line)["job"] == "mine"


def test_a_line_without_such_a_key_is_as_it_came() -> None:
    line = Line(id="e-1", line=1, message="m", worker=3)
    assert printed(line) == dict(line)


def test_what_we_say_bears_an_event() -> None:
    out = io.StringIO()
    printer = JsonPrinter(out)
    printer.event(Event("done", {"reason": "finished"}, ""))
    printer.flush()
    assert json.loads(out.getvalue()) == {"event": "done", "reason": "finished"}
