"""The tables of a job's file, how it is opened, and what its disk errors mean."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ...errors import JournalError

PAGE_SIZE = 8192
TABLES = """
CREATE TABLE state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    job TEXT NOT NULL,
    epoch TEXT NOT NULL,
    last_line INTEGER NOT NULL DEFAULT 0,
    trimmed_to INTEGER NOT NULL DEFAULT 0,
    high_ms INTEGER NOT NULL DEFAULT -1,
    out_ms INTEGER NOT NULL DEFAULT -1,
    status TEXT,
    upstream TEXT,
    finished INTEGER NOT NULL DEFAULT 0,
    complete INTEGER,
    sample_beat INTEGER NOT NULL DEFAULT -1,
    sample_loud INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    holder TEXT NOT NULL DEFAULT '',
    held_until REAL NOT NULL DEFAULT 0
);
CREATE TABLE batch (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    low_ms INTEGER NOT NULL,
    high_ms INTEGER NOT NULL,
    peak_ms INTEGER NOT NULL,
    longest INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    debug INTEGER NOT NULL,
    info INTEGER NOT NULL,
    warning INTEGER NOT NULL,
    error INTEGER NOT NULL
);
CREATE INDEX batch_peak ON batch (peak_ms, first);
CREATE TABLE body (
    first INTEGER PRIMARY KEY,
    marks BLOB NOT NULL,
    times BLOB NOT NULL,
    lines BLOB NOT NULL
);
CREATE TABLE trace (
    first INTEGER PRIMARY KEY,
    low_ms INTEGER NOT NULL,
    high_ms INTEGER NOT NULL,
    times BLOB NOT NULL,
    keys BLOB NOT NULL
);
CREATE INDEX trace_high ON trace (high_ms, low_ms);
CREATE TABLE untimed (key INTEGER PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE gap (
    after_line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER,
    PRIMARY KEY (after_line, reason)
);
PRAGMA user_version = 1;
"""


class DamagedJournal(JournalError):
    """The file is no database any more, or one of another age."""


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time. Falls back to reading alone where the disk is read-only."""
    mode = "rwc" if create else "rw"
    try:
        db = _open(path, mode)
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        if not path.exists():
            raise JournalError(f"{path} can't be opened: {error}") from None
        db = _open(path, "ro")
    db.execute("PRAGMA busy_timeout = 10000")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -2048")
    return db


def _open(path: Path, mode: str) -> sqlite3.Connection:
    quoted = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(f"file:{quoted}?mode={mode}", uri=True, check_same_thread=False, isolation_level=None)


def prepare(db: sqlite3.Connection, job: str, epoch: str) -> None:
    """The tables, where they are not there yet. Two processes may do it at once."""
    if _version(db) == 0:
        db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        try:
            if _version(db) == 0:
                for statement in filter(str.strip, TABLES.split(";\n")):
                    db.execute(statement)
                db.execute("INSERT INTO state (only, job, epoch) VALUES (1, ?, ?)", (job, epoch))
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    if _version(db) != 1:
        raise DamagedJournal(f"the journal of {job!r} is of another version ({_version(db)}) than this program")
    db.execute("PRAGMA journal_size_limit = 67108864")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as ours, saying what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise JournalError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise DamagedJournal(f"{path}: {error}") from error
