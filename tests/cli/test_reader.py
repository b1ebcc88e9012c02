"""A terminal that is slower than the log, with the clock and the stream played by scripts; and exit codes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from webapp.cli import reader
from webapp.cli.failure import exit_code
from webapp.cli.printer import LogPrinter
from webapp.cli.reader import Choice, JobReader
from webapp.client import errors
from webapp.client.follow import Event
from webapp.client.line import Line
from webapp.states import exit_code_of, state_in, state_of


class Slow(io.StringIO):
    """A terminal that takes a second for whatever is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.now += 1.0


class Stream:
    """As much as anybody takes: an event a request of a line."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def stream(self, job: str, params: dict[str, Any], *, after: str, **_: Any) -> Iterator[Event]:
        self.asked.append((after, params["sample_logs"]))
        start = int(after.partition("-")[2] or 0)
        for number in range(start + 1, 20):
            line = Line(id=f"e-{number}", line=number, timestamp=number, message=f"line {number}")
            yield Event("line", line, f"e-{number}")
        yield Event("done", {"reason": "finished", "complete": True, "status": {}}, "e-19.done")


@pytest.mark.parametrize("sample", [None, False, True])
def test_a_terminal_that_is_slower_than_the_log_gets_a_sample(
    monkeypatch: pytest.MonkeyPatch, sample: bool | None
) -> None:
    out, stream = Slow(), Stream()
    monkeypatch.setattr(reader.time, "monotonic", lambda: out.now)
    followed = JobReader(stream, "job-1", Choice(), LogPrinter(out, live=True))  # type: ignore[arg-type]
    assert [event.kind for event in followed.follow(sample=sample)][-1] == "done"
    rows = out.getvalue().splitlines()
    shown = [row for row in rows if row.startswith("line ")]
    assert shown == [f"line {number}" for number in range(1, 20)]
    if sample is None:
        after, sampled = stream.asked[1]
        assert sampled and after == f"e-{rows.index(next(row for row in rows if 'a sample from here on' in row))}"
    else:
        assert stream.asked == [("", sample)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.TimedOut("x"), 124),
        (errors.Unreachable("x"), 69),
        (errors.ServiceDown("x"), 69),
        (errors.Untrusted("x"), 69),
        (errors.UpstreamFailed("x"), 69),
        (errors.BadAnswer("x"), 69),
        (errors.JobNotFound("x"), 2),
        (errors.SignInNeeded("x"), 2),
        (errors.UsageError("x"), 2),
        (errors.NoLines("x"), 1),
        (KeyError("x"), None),
    ],
)
def test_an_error_has_its_exit_code(error: Exception, code: int | None) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("status", "style", "code"),
    [
        ({"job_status": "Done", "terminal_status": True}, "done", 0),
        ({"job_status": "Failed"}, "failed", 1),
        ({"job_status": "CANCELLED"}, "canceled", 1),
        ({"job_status": "Canceling"}, "stopping", 0),
        ({"job_status": "Error", "finished_job_status": True}, "ended", 1),
        ({"job_status": "Completed", "finished_job_status": True}, "ended", 0),
        ({"job_status": "Completed", "finished_job_status": True, "exit_code": 3}, "ended", 1),
        ({"status": "pending"}, "pending", 0),
        ({"job_status": None, "status": "running", "exit_code": 3}, "running", 0),
        ({}, "running", 0),
        ({"job_status": 7, "status": ["x"], "finished_job_status": "no"}, "running", 0),
    ],
)
def test_one_table_says_what_a_status_means(status: dict[str, Any], style: str, code: int) -> None:
    assert (state_in(status).style, exit_code_of(status)) == (style, code)
    assert state_of("Done", False) == ("done", "Done")
