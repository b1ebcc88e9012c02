"""What the published client gets wrong, and ours does right, one by one: a scripted upstream, the real service, and
`tail_logs` in a process of its own, read line by line as somebody in front of a terminal would."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta

import pytest

from webapp import RunResponse, connect
from webapp.client import Connection, errors

from ..served import Served, environment, until
from ..upstream import Job, Upstream, upstream

AT = 1_700_000_000_000
TAIL = """
import sys
from webapp import connect
run = connect(sys.argv[1], "").job(sys.argv[2])
run.tail_logs(refresh_seconds=0.1, sample_logs=sys.argv[3] == "sample", timeout=90)
"""


class Tail:
    """`tail_logs` in a process of its own, and what it has printed so far."""

    def __init__(self, url: str, job: str, how: str = "all") -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAIL, url, job, how],
            stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment({}),
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.removesuffix("\n"))

    def shows(self, text: str) -> None:
        until(lambda: any(text in line for line in self.lines), f"{text!r} among {self.lines}")

    def ends(self) -> list[str]:
        """All that it printed, once it ended by itself."""
        self._thread.join(60)
        assert self._process.wait(5) == 0
        return self.lines


class Stage:
    def __init__(self, fused: Upstream, served: Served) -> None:
        self.fused = fused
        self.url, self.get = served.url, served.get
        self.client: Connection = connect(served.url, "")

    def run(self, job: Job) -> RunResponse:
        return self.client.job(job.id)

    def tail(self, job: Job, how: str = "all") -> Tail:
        return Tail(self.url, job.id, how)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with upstream() as fused:
        served = Served(
            {"data_dir": tmp_path_factory.mktemp("twelve") / "data", "upstream_url": fused.url, "refresh_seconds": 0.2}
        ).start()
        yield Stage(fused, served)
        served.stop()


@pytest.mark.parametrize("inclusive", [True, False], ids=["inclusive", "exclusive"])
def test_1_and_3_entries_of_one_millisecond_and_twins_come_once_each(stage: Stage, inclusive: bool) -> None:
    job = stage.fused.job(f"millisecond-{inclusive}", inclusive=inclusive)
    entry = {"timestamp": AT, "message": "twin\n"}
    job.add({"timestamp": AT, "message": "a\n"}, entry, entry, {"timestamp": AT, "message": "b\n"})
    tail = stage.tail(job)
    tail.shows("b")
    job.add(entry, {"timestamp": AT, "message": "c\n"}, {"timestamp": AT + 1, "message": "d\n"})
    tail.shows("d")
    job.finish()
    assert tail.ends() == ["a", "twin", "twin", "b", "twin", "c", "d"]


def test_2_an_entry_that_turns_up_late_is_shown_and_stands_in_its_place(stage: Stage) -> None:
    job = stage.fused.job("late")
    job.add({"timestamp": AT, "message": "first\n"}, {"timestamp": AT + 5000, "message": "third\n"})
    tail = stage.tail(job)
    tail.shows("third")
    job.add({"timestamp": AT + 2000, "message": "second\n"})
    tail.shows("second")
    job.finish()
    assert tail.ends() == ["first", "third", "second"]
    logs = stage.run(job).get_logs()
    assert [line.message for line in logs] == ["first", "second", "third"]
    assert [bool(line.get("late")) for line in logs] == [False, True, False]


def test_4_to_6_a_line_that_repeats_an_error_and_the_end_hide_nothing(stage: Stage) -> None:
    job = stage.fused.job("ticks", status={"status": "pending", "job_status": "Pending"})
    job.add({"timestamp": AT, "message": "waiting for a machine\n"})
    tail = stage.tail(job)
    tail.shows("waiting")
    job.status |= {"status": "running", "job_status": "Running"}
    for number in range(3):
        job.add({"timestamp": AT + 1000 * number, "message": "tick\n"})
    job.add(
        {"timestamp": AT + 3000, "message": "ERROR: 0 ERRORS found\n"}, {"timestamp": AT + 3000, "message": "tick\n"}
    )
    until(lambda: tail.lines.count("tick") == 4, "every tick")
    job.add({"timestamp": AT + 4000, "message": "tick\n"})
    job.finish()
    job.log("  the summary\n", AT + 5000, after=0.5)
    job.log("the very last\n", AT + 5001, after=1.5)
    expected = ["waiting for a machine", "tick", "tick", "tick", "ERROR: 0 ERRORS found", "tick", "tick"]
    assert tail.ends() == [*expected, "  the summary", "the very last"]


def test_7_a_sample_shows_errors_and_says_what_it_leaves_out(stage: Stage) -> None:
    job = stage.fused.job("sampled")
    job.lines(1, 300, AT)
    job.add({"timestamp": AT + 300, "message": "ERROR: disk full\n"})
    job.lines(301, 600, AT + 301)
    job.finish()
    printed = stage.tail(job, "sample").ends()
    assert "ERROR: disk full" in printed and printed[0] == "line 1" and printed[-1] == "line 600"
    left_out = [int(line.split()[1]) for line in printed if line.startswith("… ")]
    assert sum(left_out) + len(printed) - len(left_out) == 601


def test_8_an_outage_of_the_upstream_ends_nothing(stage: Stage) -> None:
    job = stage.fused.job("outage")
    job.add({"timestamp": AT, "message": "before\n"})
    tail = stage.tail(job)
    tail.shows("before")
    failed = stage.fused.injected.total()
    stage.fused.fail("logs", "status", 2, code=503)
    stage.fused.fail("logs", "cut", 1)
    stage.fused.fail("status", "html", 1)
    job.add({"timestamp": AT + 1, "message": "during\n"})
    until(lambda: stage.fused.injected.total() >= failed + 4, "the outage to be over")
    tail.shows("during")
    job.finish()
    assert tail.ends() == ["before", "during"]


def test_9_the_execution_time_trusts_no_order_and_an_empty_log_is_said_so(stage: Stage) -> None:
    job = stage.fused.job("shuffled", order=lambda entries: entries[1:] + entries[:1])
    job.lines(1, 10, AT, 1000)
    job.finish()
    run = stage.run(job)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run.wait_for_job(timeout=30).get_exec_time() == timedelta(seconds=9)
    empty = stage.fused.job("empty")
    empty.finish()
    with pytest.raises(errors.NoLines, match="no log line"):
        stage.run(empty).get_exec_time()


def test_10_the_configuration_of_a_job_is_its_own(stage: Stage) -> None:
    job = stage.fused.job(
        "configured", config={"name": "c", "steps": [{"type": "udf", "name": "s", "n": 1}], "more": 2}
    )
    run = stage.run(job)
    assert run.config().model_dump() == {"type": "udf", "name": "s", "n": 1}
    assert run.steps_config().model_dump()["more"] == 2
    job.config = {"name": "c", "steps": [{"type": "udf"}, {"type": "newer"}]}
    with pytest.raises(errors.Conflict, match="2 steps"):
        run.config()
    assert [step.type for step in run.steps_config().steps] == ["udf", "newer"]


def test_11_a_refreshed_status_is_fresh_in_every_field(stage: Stage) -> None:
    job = stage.fused.job("refreshed", status={"total_tasks": 4, "colour": "blue"})
    run = stage.run(job)
    before = run.model_dump()
    job.finish()
    job.status |= {"finished_tasks": 4, "job_status_date": "2026-01-02T03:04:05Z", "colour": "green"}
    until(lambda: run.refresh_status().finished, "the end")
    assert (run.finished_tasks, run.job_status, run.terminal_status, run.status) == (4, "Done", True, "terminated")
    assert run.job_status_date is not None and run.job_status_date.year == 2026
    assert run.model_extra == {"colour": "green"} and before["colour"] == "blue"


def test_12_many_viewers_are_one_poller(stage: Stage) -> None:
    job = stage.fused.job("watched")
    job.lines(1, 5, AT)
    seen: list[list[str]] = []

    def follow() -> None:
        found: list[str] = []
        seen.append(found)
        found.extend(line.message for line in stage.run(job).iter_logs())

    threads = [threading.Thread(target=follow, daemon=True) for _ in range(20)]
    begun = time.monotonic()
    asked = stage.fused.requests["logs"]
    for thread in threads:
        thread.start()
    viewers = lambda: int(stage.get("/api/jobs/watched").headers["Jobtail-Viewers"])  # noqa: E731
    until(lambda: viewers() == 20, "all to watch")
    job.finish()
    for thread in threads:
        thread.join(60)
    rounds = (time.monotonic() - begun) / 0.2
    assert seen == [[f"line {n}" for n in range(1, 6)]] * 20
    # One poller asks a few times a beat, however many watch; twenty would ask twenty times as often.
    assert stage.fused.requests["logs"] - asked < 4 * rounds + 20
