"""Only a file that is broken is moved away: never a healthy one for a fault of ours, or for a lock."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.errors import DamagedJournal, JournalError, LeaseLost, NewerSchema
from webapp.journal.redact import Redactor
from webapp.store.sqlite import connections
from webapp.store.sqlite.damage import damaged, journal_error
from webapp.store.sqlite.database import SqliteDatabase
from webapp.store.sqlite.journals import SqliteJournals

from ..written import Written
from .contract.lines import entries, messages, numbered


@pytest.fixture
def journals(tmp_path: Path) -> Iterator[SqliteJournals]:
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    yield journals
    journals.close()


def faults() -> list[sqlite3.Error]:
    """Errors of every kind that a healthy file may lead to."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY CHECK (n > 0))")
    found: list[sqlite3.Error] = []
    for statement, values in (
        ("INSERT INTO t VALUES (0)", ()),
        ("INSERT INTO none VALUES (1)", ()),
        ("no SQL at all", ()),
        ("SELECT ?", ()),
        ("SELECT ?", (object(),)),
    ):
        try:
            db.execute(statement, values)
        except sqlite3.Error as error:
            found.append(error)
    db.close()
    try:
        db.execute("SELECT 1")
    except sqlite3.Error as error:
        found.append(error)
    return found


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: type(fault).__name__)
def test_a_fault_of_ours_moves_no_file(journals: SqliteJournals, fault: sqlite3.Error, tmp_path: Path) -> None:
    assert not damaged(fault) and not isinstance(journal_error(fault, tmp_path), DamagedJournal)
    writer = journals.open("a-job").claim(60)
    writer.append(entries(0, 3))
    with pytest.raises(JournalError), writer._writing():
        raise fault
    writer.append(entries(3, 1))
    assert messages(journals.open("a-job")) == numbered(4)
    database = SqliteDatabase(tmp_path / "small.sqlite3", "CREATE TABLE IF NOT EXISTS t (n INTEGER)")
    with pytest.raises(JournalError), database.writing():
        raise fault
    database.close()
    assert not list(tmp_path.rglob("*.damaged-*"))


def test_a_journal_whose_connections_were_closed_goes_on(journals: SqliteJournals) -> None:
    journal = Written(journals.open("a-job"))
    journal.append(entries(0, 3))
    journal.close()
    journal.append(entries(3, 3))
    assert messages(journal.journal) == numbered(6)


def test_damage_found_while_it_is_read_is_said_once_and_then_there_is_a_new_journal(
    journals: SqliteJournals, tmp_path: Path
) -> None:
    journal = journals.open("a-job")
    writer = journal.claim(60)
    writer.append(entries(0, 5000))
    epoch = writer.fence.epoch
    path = journal.path
    journals.release("a-job")
    with open(path, "r+b") as file:
        file.seek(8192 * 3)
        file.write(os.urandom(os.path.getsize(path) - 8192 * 3))
    journal = journals.open("a-job")
    with pytest.raises(DamagedJournal):
        for after in range(0, 5000, 100):
            journal.read(after)
            journal.seen(0, 1 << 60)
    assert journal.state().epoch != epoch and messages(journal) == []
    assert len(list(tmp_path.rglob("*.damaged-*.sqlite3"))) == 1
    journal.claim(5).append(entries(0, 2))
    assert messages(journal) == numbered(2)


@pytest.mark.parametrize("what", ["removed", "overwritten"])
def test_whatever_is_done_to_the_file_in_use_no_id_gets_a_second_meaning(journals: SqliteJournals, what: str) -> None:
    journal = journals.open("a-job")
    writer = journal.claim(60)
    writer.append(entries(0, 30))
    checkpoint(journal.path)
    older = journal.path.read_bytes()
    writer.append(entries(30, 30))
    before = journal.state()
    if what == "removed":
        journal.path.unlink()
    else:
        checkpoint(journal.path)
        with open(journal.path, "r+b") as file:  # as cp does it: the same file, other content
            file.truncate(0)
            file.write(older)
    with pytest.raises(JournalError):
        writer.append(entries(60, 1))
        journal.state()
    with pytest.raises(LeaseLost):
        writer.append(entries(60, 1))
    heir = journal.claim(60)
    assert heir.fence.epoch not in ("", before.epoch)
    heir.append(entries(100, 1))
    assert messages(journal)[-1] == "line 100"


def test_a_wal_that_is_taken_away_while_it_is_in_use_costs_nothing(journals: SqliteJournals) -> None:
    journal = journals.open("a-job")
    writer = journal.claim(60)
    writer.append(entries(0, 30))
    Path(f"{journal.path}-wal").unlink()
    with pytest.raises(JournalError):
        writer.append(entries(30, 30))
    writer.append(entries(30, 30))
    assert messages(journal) == numbered(60)


def test_who_keeps_the_lock_is_named_after_a_bounded_wait(
    journals: SqliteJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_MS", 100)
    path = journals.open("a-job").path
    script = (
        f"import os, signal, sqlite3\ndb = sqlite3.connect({str(path)!r}, isolation_level=None)\n"
        "db.execute('BEGIN IMMEDIATE')\nos.kill(os.getpid(), signal.SIGSTOP)\n"
    )
    stopped = subprocess.Popen([sys.executable, "-c", script])
    try:
        os.waitpid(stopped.pid, os.WUNTRACED)
        with pytest.raises(JournalError, match="locked") as error:
            journals.open("a-job").claim(5)
        if Path("/proc/locks").exists():
            assert f"by process {stopped.pid}, which is stopped" in error.value.detail
        assert journals.open("a-job").state().last_line == 0  # readers wait for nobody
    finally:
        stopped.send_signal(signal.SIGKILL)
        stopped.wait()
    journals.open("a-job").claim(5).append(entries(0, 1))


def test_errors_name_no_path_to_those_who_are_no_owners(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("a file, not a folder")
    with pytest.raises(JournalError) as error:
        SqliteJournals(tmp_path, Redactor(()), beat_ms=1000).open("a-job")
    assert str(tmp_path) in str(error.value)
    assert str(tmp_path) not in error.value.detail + error.value.for_viewers
    with pytest.raises(JournalError) as error:
        SqliteDatabase(tmp_path / "jobs" / "x.sqlite3", "")
    assert str(tmp_path) in str(error.value)
    assert str(tmp_path) not in error.value.detail + error.value.for_viewers


class TestSchema:
    def test_a_file_of_the_first_version_is_brought_up_with_all_that_is_in_it(self, tmp_path: Path) -> None:
        path = tmp_path / "jobs" / "x.sqlite3"
        path.parent.mkdir()
        first_version(path)
        journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
        path.rename(journals.path("a-job"))
        journal = journals.open("a-job")
        state = journal.state()
        assert (state.epoch, state.last_line, state.held) == ("abc1234", 1, False)
        assert messages(journal) == ["old"]
        journal.claim(5).append(entries(0, 1))
        assert journal.state().epoch == "abc1234" and messages(journal) == ["old", "line 0"]
        journals.close()
        again = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
        assert again.open("a-job").state().epoch == "abc1234"
        again.close()

    def test_a_file_of_a_newer_version_is_refused_in_one_sentence_and_left_alone(
        self, journals: SqliteJournals
    ) -> None:
        journal = Written(journals.open("a-job"))
        journal.append(entries(0, 3))
        journals.close()
        path = journals.path("a-job")
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 99")
        with pytest.raises(NewerSchema, match="a newer jobtail wrote"):
            journals.open("a-job")
        assert journals.sweep() == []
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 2")
        assert messages(journals.open("a-job")) == numbered(3)


def checkpoint(path: Path) -> None:
    """The file itself holds all there is, and its WAL nothing."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


def first_version(path: Path) -> None:
    """A journal as version 1 of the schema has it, with one line."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript((Path(__file__).parent / "version1.sql").read_text())
    db.close()
