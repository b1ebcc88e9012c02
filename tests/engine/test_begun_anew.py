"""What the runner has written is taken from it while the command runs: that is said, and its next lines are kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from webapp.engine.backlog import Backlog
from webapp.engine.journal_sink import JournalLines
from webapp.engine.recorder import Recorder
from webapp.errors import JournalError
from webapp.journal.redact import Redactor
from webapp.store.base import Journal
from webapp.store.sqlite.store import SqliteStore

from ..served import spawn, until
from ..store.contract.lines import messages
from .kept import catalog_of, newest

FIRST, LATER = [f"first {n}" for n in range(40)], [f"later {n}" for n in range(40)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "data", Redactor(()))
    yield store
    store.close()


def files(folder: Path) -> list[Path]:
    return list((folder / "jobs").glob("*.sqlite3*"))


def deleted(folder: Path, journal: Journal) -> None:
    for path in files(folder):
        path.unlink()


def damaged(folder: Path, journal: Journal) -> None:
    for path in files(folder):
        path.unlink()
        path.write_bytes(b"this is no database" * 4096)


def thrown_away(folder: Path, journal: Journal) -> None:
    journal.forget()


@pytest.mark.parametrize("lose", [deleted, damaged, thrown_away])
def test_a_journal_that_is_lost_while_the_command_runs_leaves_a_gap_and_is_not_called_complete(
    store: SqliteStore, lose: Callable[[Path, Journal], None], tmp_path: Path
) -> None:
    said: list[str] = []
    backlog = Backlog(tmp_path / "backlog.ndjson")
    sink = JournalLines(lambda: store.journals.open("job"))
    recorder = Recorder(sink, backlog, say=said.append)
    service = SqliteStore(tmp_path / "data", Redactor(()))
    theirs = service.journals.open("job")
    recorder.start()
    recorder.put("stdout", 1, "\n".join(FIRST).encode() + b"\n")
    until(lambda: messages(theirs) == FIRST, "the first lines")
    epoch = theirs.state().epoch
    lose(tmp_path / "data", theirs)
    recorder.put("stdout", 2, "\n".join(LATER).encode() + b"\n")
    assert recorder.close(10)
    sink.end({"job_status": "Done"}, complete=not recorder.lost)
    with contextlib.suppress(JournalError):
        theirs.state()
    state = theirs.state()
    assert messages(theirs) == LATER and state.epoch != epoch
    assert [(gap.after_line, gap.reason, gap.count) for gap in theirs.gaps(0, 99)] == [(0, "trimmed", len(FIRST))]
    assert (state.finished, state.complete, state.held) == (True, False, False)
    assert said == ["the journal was begun anew: 40 lines that were in it are gone"]
    service.close()


def test_an_older_copy_that_is_put_back_while_the_command_runs_leaves_a_gap_after_what_it_has(
    store: SqliteStore, tmp_path: Path
) -> None:
    sink = JournalLines(lambda: store.journals.open("job"))
    recorder = Recorder(sink, Backlog(tmp_path / "b.ndjson"), say=lambda text: None)
    recorder.start()
    recorder.put("stdout", 1, "\n".join(FIRST).encode() + b"\n")
    journal = store.journals.open("job")
    until(lambda: messages(journal) == FIRST, "the first lines")
    with contextlib.closing(sqlite3.connect(journal.path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(journal.path, tmp_path / "copy")
    recorder.put("stdout", 2, "\n".join(LATER).encode() + b"\n")
    until(lambda: messages(journal) == FIRST + LATER, "the later lines")
    for path in files(tmp_path / "data"):
        path.unlink()
    shutil.copy(tmp_path / "copy", journal.path)
    recorder.put("stdout", 3, b"the last\n")
    assert recorder.close(10)
    sink.end({"job_status": "Done"}, complete=not recorder.lost)
    assert messages(journal) == [*FIRST, "the last"]
    assert [(gap.after_line, gap.reason, gap.count) for gap in journal.gaps(0, 99)] == [(40, "trimmed", 40)]
    assert journal.state().complete is False


@pytest.mark.parametrize("how", ["deleted", "damaged"])
def test_a_job_whose_catalog_is_lost_while_it_runs_is_known_again(data_dir: Path, how: str) -> None:
    code = "import sys; print('hi', flush=True); sys.stdin.read(); sys.exit(3)"
    runner = spawn("run", "--", sys.executable, "-c", code, settings={"data_dir": data_dir}, stdin=-1, stderr=-3)
    assert runner.stdin is not None
    until(lambda: (data_dir / "jobtail.sqlite3").exists() and known(data_dir), "the job to be known")
    job = newest(data_dir)
    for path in data_dir.glob("jobtail.sqlite3*"):
        size = os.path.getsize(path)
        path.unlink()
        if how == "damaged":
            path.write_bytes(b"this is no database" * (size // 19 + 1))
    until(lambda: known(data_dir), "the job to be known again", 60)
    again = newest(data_dir)
    assert (again.id, again.name, again.command, again.state) == (job.id, job.name, job.command, "Running")
    runner.stdin.close()
    assert runner.wait(60) == 3
    ended = newest(data_dir)
    assert (ended.state, ended.exit_code) == ("Failed", 3)


def known(data_dir: Path) -> bool:
    with catalog_of(data_dir) as catalog:
        return bool(catalog.newest(1))
