"""A SQLite file that several processes share, opened one way everywhere.

WAL (readers never wait for the writer), a busy time-out, files only their owner can read, and a file that is
damaged is moved to another name, with one line in the log, and begun anew.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...errors import JournalError, NewerSchema
from ...files import close_to_others, private
from .damage import busy, damaged, identity, journal_error, move_damaged, opening

BUSY_MS = 5_000
VERSION = 1  # of the tables; files of older versions have none, and the same tables


def connect(path: Path, schema: str = "", *, synchronous: str = "FULL") -> sqlite3.Connection:
    """An open connection with the tables of `schema` (`CREATE ... IF NOT EXISTS`). Rows are `sqlite3.Row`s;
    no transaction begins by itself. May go from thread to thread, under a lock of the caller's.

    JournalError when the folder or file cannot be made, read or written.
    """
    found = identity(path)
    try:
        try:
            return _open(path, schema, synchronous)
        except sqlite3.DatabaseError as error:
            if not damaged(error):
                raise
            move_damaged(path, found, str(error))
            return _open(path, schema, synchronous)
    except sqlite3.Error as error:
        raise journal_error(error, path) from error
    except OSError as error:
        raise JournalError(f"it can't be opened: {error.strerror}", path) from error


def _open(path: Path, schema: str, synchronous: str) -> sqlite3.Connection:
    private(path.parent)
    with opening(path):
        return _opened(path, schema, synchronous)


def _opened(path: Path, schema: str, synchronous: str) -> sqlite3.Connection:
    # Only a new file is ever opened by hand: closing any descriptor of it drops the locks that SQLite holds on it
    # for this whole process, and then another process takes its WAL away while it is in use.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    close_to_others(path)
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        _wal(connection)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise NewerSchema(
                f"a newer jobtail wrote it (version {version}; this one knows {VERSION}): run that one", path
            )
        if schema:
            connection.executescript(schema)
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _wal(connection: sqlite3.Connection) -> None:
    """Two that switch a new file to WAL at once get "busy" whatever the time-out: so we try again."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if not busy(error):
                raise
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


class SqliteDatabase:
    """One connection behind a lock, for small tables that threads share. Errors come out as JournalError; a
    file found damaged in use is moved away, so that the next call finds a new one."""

    def __init__(self, path: Path, schema: str, *, synchronous: str = "FULL") -> None:
        self.path = path
        self._schema = schema
        self._synchronous = synchronous
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = connect(path, schema, synchronous=synchronous)
        self._file = identity(path)

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._connection is not None and identity(self.path) != self._file:
                self._connection.close()
                self._connection = None  # another process has moved or removed it
            if self._connection is None:
                self._connection = connect(self.path, self._schema, synchronous=self._synchronous)
                self._file = identity(self.path)
            try:
                yield self._connection
            except sqlite3.Error as error:
                self._failed(error)
                raise journal_error(error, self.path) from error

    def _failed(self, error: sqlite3.Error) -> None:
        if damaged(error) and self._connection is not None:
            self._connection.close()
            self._connection = None
            with contextlib.suppress(OSError):
                move_damaged(self.path, self._file, str(error))

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        with self._using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._using() as connection:
            return connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        found = self.rows(sql, values)
        return found[0] if found else None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
