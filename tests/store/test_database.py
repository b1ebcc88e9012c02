from __future__ import annotations

import logging
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webapp.errors import JournalError, NewerSchema
from webapp.store.sqlite.damage import damaged, identity, move_damaged
from webapp.store.sqlite.database import SqliteDatabase, connect

SCHEMA = "CREATE TABLE IF NOT EXISTS t (n INTEGER)"


def test_opens_in_wal_mode_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "a.sqlite3"
    connection = connect(path, SCHEMA)
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700
    connection.close()


def test_a_damaged_file_is_moved_and_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.sqlite3"
    path.write_bytes(b"this is no database at all, whatever its name" * 100)
    with caplog.at_level(logging.ERROR):
        connection = connect(path, SCHEMA)
    connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    moved = list(tmp_path.glob("a.damaged-*.sqlite3"))
    assert len(moved) == 1 and moved[0].read_bytes().startswith(b"this is no database")
    assert "is damaged" in caplog.text and str(path) in caplog.text


def test_several_who_find_the_damage_at_once_set_it_aside_once(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    path.write_bytes(b"broken" * 1000)
    with ThreadPoolExecutor(8) as pool:
        connections = list(pool.map(lambda _: connect(path, SCHEMA), range(8)))
    for n, connection in enumerate(connections):
        connection.execute("INSERT INTO t VALUES (?)", (n,))
    assert connections[0].execute("SELECT count(*) FROM t").fetchone()[0] == 8
    # What belongs to the new file stayed with it.
    assert [path.suffix for path in tmp_path.glob("*.damaged-*")] == [".sqlite3"]
    for connection in connections:
        connection.close()


def test_who_still_holds_a_file_that_another_move_damaged_goes_on_in_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    mine, theirs = SqliteDatabase(path, SCHEMA), SqliteDatabase(path, SCHEMA)
    assert move_damaged(path, identity(path), "found by another process") is not None
    with mine.writing() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
    assert [row[0] for row in theirs.rows("SELECT n FROM t")] == [1]
    mine.close()
    theirs.close()


def test_damage_found_in_use_raises_once_and_then_works(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    database = SqliteDatabase(path, SCHEMA)
    with database.writing() as connection:
        connection.executemany("INSERT INTO t VALUES (?)", ((n,) for n in range(20_000)))
    database.close()
    with open(path, "r+b") as file:
        file.seek(8192)
        file.write(os.urandom(os.path.getsize(path) - 8192))
    with pytest.raises(JournalError):
        database.rows("SELECT sum(n) FROM t")
    assert database.rows("SELECT n FROM t") == []
    assert list(tmp_path.glob("*.damaged-*"))
    database.close()


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "a.sqlite3", SCHEMA)
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError
    assert database.rows("SELECT * FROM t") == []
    database.close()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"a\.sqlite3: it can't be opened"):
        connect(tmp_path / "file" / "a.sqlite3")


def test_a_busy_file_is_not_a_damaged_one(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    first, second = connect(path, SCHEMA), connect(path, SCHEMA)
    second.execute("PRAGMA busy_timeout=1")
    first.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        second.execute("BEGIN IMMEDIATE")
    assert not damaged(caught.value)
    first.close()
    second.close()


def test_a_file_of_a_newer_version_is_refused_in_one_sentence_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    connection = connect(path, SCHEMA)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(NewerSchema, match="a newer jobtail wrote it"):
        connect(path, SCHEMA)
    assert [found.name for found in tmp_path.glob("*.sqlite3")] == ["a.sqlite3"]
