"""The tables of a job's file, and how a file of an older version becomes one of this."""

from __future__ import annotations

import sqlite3
import time

from ...errors import DamagedJournal, NewerSchema

VERSION = 2
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
    held_until REAL NOT NULL DEFAULT 0,
    held_boot TEXT NOT NULL DEFAULT '',
    held_for REAL NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0,
    place TEXT NOT NULL DEFAULT '',
    changed_ms INTEGER NOT NULL DEFAULT 0,
    partial TEXT
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
CREATE TABLE producer (id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL);
"""

# What leads from each version to the next.
MIGRATIONS = {
    1: """
ALTER TABLE state ADD COLUMN held_boot TEXT NOT NULL DEFAULT '';
ALTER TABLE state ADD COLUMN held_for REAL NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN place TEXT NOT NULL DEFAULT '';
ALTER TABLE state ADD COLUMN changed_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN partial TEXT;
CREATE TABLE producer (id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL);
""",
}


def prepare(db: sqlite3.Connection, job: str, epoch: str, changed_ms: int) -> None:
    """The tables, where they are not there yet or are older than ours. Two processes may do it at once. `changed_ms`:
    when the file was last changed, where it does not say so itself. NewerSchema; DamagedJournal for what is not a
    journal."""
    version = _version(db)
    if version == 0:
        db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
    if version < VERSION:
        db.execute("BEGIN IMMEDIATE")
        try:
            _bring_up(db, job, epoch, changed_ms)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
    if version > VERSION:
        raise NewerSchema(
            f"a newer jobtail wrote the journal of {job!r} (version {version}; this one knows {VERSION}): run that one"
        )
    db.execute("PRAGMA journal_size_limit = 67108864")


def _bring_up(db: sqlite3.Connection, job: str, epoch: str, changed_ms: int) -> None:
    version = _version(db)
    if version == 0:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'state'").fetchone():
            raise DamagedJournal(f"the journal of {job!r} has tables and no version")
        _run(db, TABLES)
        row = (job, epoch, first_token(), changed_ms)
        db.execute("INSERT INTO state (only, job, epoch, token, changed_ms) VALUES (1, ?, ?, ?, ?)", row)
    else:
        for older in range(version, VERSION):
            _run(db, MIGRATIONS[older])
        db.execute("UPDATE state SET token = ?, changed_ms = ?", (first_token(), changed_ms))
    db.execute(f"PRAGMA user_version = {VERSION}")


def first_token() -> int:
    """Greater than any token of a file that stood in this place before, so that an old fence never fits by chance."""
    return time.time_ns() // 1000


def _run(db: sqlite3.Connection, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";\n")):
        db.execute(statement)


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
