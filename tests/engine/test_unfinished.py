"""What a command has written after its last newline is seen while it stands there, and kept if its runner is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from webapp.stream.form import Form
from webapp.stream.step import unfinished

from ..served import Served, spawn, until
from ..sse import EventStream
from ..stream.test_form import events
from .kept import journal_of, lines, messages, newest

BAR = {"message": "41%", "timestamp": 5}


@pytest.fixture
def service(data_dir: Path) -> Any:
    served = Served({"data_dir": data_dir}).start()
    yield served
    served.stop()


def test_a_prompt_is_seen_and_goes_when_its_line_comes(service: Served, data_dir: Path) -> None:
    script = "echo first; printf 'name? '; read x; echo $x; read x"
    job, runner = service.begin("sh", "-c", script, stdin=subprocess.PIPE)
    try:
        with EventStream(f"{service.url}/api/jobs/{job}/events?refresh_seconds=0.1") as stream:
            shown = stream.until("partial")
            assert [event.data["message"] for event in shown if event.name == ""] == ["first"]
            assert shown[-1].data | {"timestamp": 0} == {"message": "name? ", "stream": "stdout", "timestamp": 0}
            assert not shown[-1].id
            # One who comes in between is told too, after the lines.
            with EventStream(f"{service.url}/api/jobs/{job}/events?format=batch") as late:
                assert [event.name for event in late.until("partial")][-2:] == ["lines", "partial"]
            assert runner.stdin is not None
            runner.stdin.write(b"ada\n")
            runner.stdin.flush()
            rest = stream.until("partial")
            assert [event.data["message"] for event in rest if event.name == ""] == ["name? ada"]
            assert rest[-1].data == {"message": None, "stream": "stdout"}
            runner.communicate(b"\n", timeout=30)
            stream.until("done")
    finally:
        runner.kill()
        runner.wait()
    assert [line["message"] for line in lines(data_dir)] == ["first", "name? ada"]


def test_a_runner_that_is_killed_leaves_it_as_a_line_that_says_so(service: Served, data_dir: Path) -> None:
    script = "echo first; printf ' 41%%\\r' >&2; printf 'name? password=hunter2hunter2'; sleep 60"
    job, runner = service.begin("sh", "-c", script)
    try:
        with journal_of(data_dir, job) as journal:
            until(lambda: set(journal.state().partial or {}) == {"stdout", "stderr"}, "what is unfinished")
            assert "hunter2" not in str(journal.state().partial)
    finally:
        runner.kill()
        runner.wait()
    until(lambda: service.get(f"/api/jobs/{job}").json()["finished_job_status"], "the loss to be seen")
    with EventStream(f"{service.url}/api/jobs/{job}/events?sample_logs=false") as stream:
        last = stream.until("done")[-1]
    assert last.data["complete"] is False
    found = [(line["message"], line["stream"], line.get("partial")) for line in lines(data_dir)]
    assert sorted(found[1:]) == [(" 41%\r", "stderr", True), ("name? password=***", "stdout", True)]
    assert found[0] == ("first", "stdout", None)


def test_what_ends_the_output_is_a_line_like_any_other(data_dir: Path) -> None:
    subprocess_done = spawn(
        "run", "--quiet", "--", "sh", "-c", "printf waiting; sleep 1", settings={"data_dir": data_dir},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert subprocess_done.wait(30) == 0
    assert messages(data_dir) == ["waiting"] and "partial" not in lines(data_dir)[0]
    with journal_of(data_dir, newest(data_dir).id) as journal:
        assert journal.state().partial is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (None, None, []),
        (None, {"stderr": BAR}, [{**BAR, "stream": "stderr"}]),
        ({"stderr": BAR}, {"stderr": BAR}, []),
        ({"stderr": BAR}, None, [{"message": None, "stream": "stderr"}]),
        ({"stderr": BAR}, {"stdout": BAR}, [{"message": None, "stream": "stderr"}, {**BAR, "stream": "stdout"}]),
    ],
)
def test_each_stream_is_told_apart_and_only_its_changes(old: Any, new: Any, said: list[Any]) -> None:
    assert [data for _, _, data in events(unfinished(old, new, Form()))] == said
    for form in (Form(q="x"), Form(levels=frozenset((4,))), Form(lines=(1, 9)), Form(format="text"), Form(exclude="x")):
        assert unfinished(old, new, form) == b""
    cut = unfinished(None, {"stderr": {"message": "ééé", "timestamp": 1}}, Form(longest=3))
    assert [data["message"] for _, _, data in events(cut)] == ["é"]
