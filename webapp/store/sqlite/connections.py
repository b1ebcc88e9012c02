"""The open connections to one file, as it stood when they were opened."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ...errors import JournalError
from ...files import close_to_others
from .damage import COMPANIONS, Identity, identity

READERS = 4
# How long one waits for another's commit. Who is stopped in the middle of one keeps the lock for longer, and is named.
BUSY_MS = 5_000


class Connections:
    """One connection that writes, and a few for reading, so that neither waits for the other (WAL)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self.writer = connect(path, create=True)
        self._names = [f"{path}{companion}" for companion in COMPANIONS]
        self._files: list[Identity | None] = []

    def settled(self) -> None:
        """The file is as it has to be: what stands there now is what these connections are for."""
        self._files = [identity(name) for name in self._names]

    @property
    def file(self) -> Identity | None:
        return self._files[0] if self._files else identity(self._path)

    def stale(self) -> bool:
        """Another process has moved, removed or replaced the file or what belongs to it."""
        return [identity(name) for name in self._names] != self._files

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._readers.pop()
        except IndexError:
            db = connect(self._path)
        try:
            yield db
        finally:
            if self._closed or len(self._readers) >= READERS:
                db.close()
            else:
                self._readers.append(db)

    def close(self) -> None:
        self._closed = True
        readers, self._readers = self._readers, []
        for db in [*readers, self.writer]:
            db.close()


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time. Falls back to reading alone where the disk is read-only."""
    if create:
        # Before SQLite makes it, with rights that it gives to the WAL as well. A file that is there is not opened by
        # hand: closing any descriptor of it would drop the locks that SQLite holds on it for this whole process.
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        close_to_others(path)
    try:
        db = _open(path, "rw")
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        if not path.exists():
            raise JournalError(f"it can't be opened: {error}", path) from None
        db = _open(path, "ro")
    db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -2048")
    return db


def _open(path: Path, mode: str) -> sqlite3.Connection:
    quoted = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(f"file:{quoted}?mode={mode}", uri=True, check_same_thread=False, isolation_level=None)
