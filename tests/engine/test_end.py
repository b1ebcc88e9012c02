"""A journal that can't be written when the command ends: viewers get the end when all that was kept is there."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.engine.backlog import backlog_path

from ..served import Served, environment, until
from ..sse import EventStream, lines_of
from .kept import journal_of, newest

# As `jobtail`, but it gives up sooner.
HASTY = (
    "from webapp.engine import incoming, record; record.CLOSE_SECONDS = 0.3; incoming.STALL_SECONDS = 0.3;"
    "from webapp.store.sqlite import connections; connections.BUSY_MS = 200; from webapp.cli.main import main; main()"
)


@pytest.fixture
def service(data_dir: Path) -> Iterator[Served]:
    served = Served({"data_dir": data_dir}).start()
    yield served
    served.stop()


def begin(data_dir: Path, script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", HASTY, "run", "--", "sh", "-c", script], env=environment({"data_dir": data_dir}),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_journal_that_is_locked_while_the_command_ends_costs_no_line(service: Served, data_dir: Path) -> None:
    with begin(data_dir, "seq 350; read x; seq 351 1000") as runner:
        assert runner.stdout is not None
        for _ in range(350):
            runner.stdout.readline()
        job = newest(data_dir).id
        with journal_of(data_dir, job) as journal:
            until(lambda: journal.state().last_line == 350, "the first lines")
            path = journal.path  # type: ignore[attr-defined]
        stream = EventStream(f"{service.url}/api/jobs/{job}/events?sample_logs=false&format=batch")
        with stream:
            stream.until("lines")
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            _, err = runner.communicate(b"\n", timeout=60)
            assert b"jobtail serve takes them in" in err and backlog_path(data_dir, job).exists()
            assert newest(data_dir).state == "Done"
            other.execute("ROLLBACK")
            other.close()
            last = stream.until("done")
    assert [int(line["message"]) for line in lines_of(last)] == list(range(351, 1001))
    assert last[-1].data["complete"] is True


def test_where_there_was_no_room_at_the_end_the_log_says_so(service: Served, data_dir: Path) -> None:
    with begin(data_dir, "echo first; read x; seq 1000") as runner:
        assert runner.stdout is not None and runner.stdout.readline() == b"first\n"
        job = newest(data_dir).id
        with journal_of(data_dir, job) as journal:
            until(lambda: journal.state().last_line == 1, "the first line")
            path = journal.path  # type: ignore[attr-defined]
        (data_dir / "backlog").write_text("no folder, as where a disk is full")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        _, err = runner.communicate(b"\n", timeout=60)
        other.execute("ROLLBACK")
        other.close()
    assert b"1000 of its last lines could not be kept anywhere" in err and b"takes" not in err
    with EventStream(f"{service.url}/api/jobs/{job}/events?sample_logs=false") as stream:
        events = stream.until("done")
    assert [event.data["reason"] for event in events if event.name == "gap"] == ["upstream"]
    assert events[-1].data["complete"] is False and events[-1].data["lines"] == 1
