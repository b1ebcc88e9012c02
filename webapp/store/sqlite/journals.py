"""All journals of a data folder: a file a job, named by a digest of its id (file systems may not tell case apart), so
that jobs wait for no other's disk, a job is forgotten by removing a file, and damage costs one job."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from ...counts import counts
from ...errors import JournalError
from ...files import private
from ...journal.redact import Redactor
from ...room import Disk, Room
from ..base import JournalSummary
from .clock import SYSTEM, Clock
from .connections import connect
from .damage import COMPANIONS, damaged, moving
from .journal import SqliteJournal
from .marks import Mark
from .schema import VERSION, prepare
from .state import load_lease, one

Why = Literal["age", "size", "disk"]
# A journal that was written within so many seconds is kept even where all files together are too large.
BUSY_SECONDS = 60


class SqliteJournals:
    """Implements `store.base.Journals`. `max_bytes`: what all files together may take. `retention_days`: how long a
    journal outlives its last line. `watched`: whether any process has viewers of a job."""

    def __init__(
        self,
        folder: Path,
        redactor: Redactor,
        *,
        beat_ms: int,
        max_bytes: int = 10 << 30,
        retention_days: float = 14.0,
        clock: Clock = SYSTEM,
        disk: Disk | None = None,
        watched: Callable[[str], bool] = lambda job: False,
    ) -> None:
        self.folder = folder / "jobs"
        self._redactor = redactor
        self._beat_ms = beat_ms
        self._max_bytes = max_bytes
        self._retention_ms = retention_days * 86_400_000
        self._clock = clock
        self._disk = disk or Disk(folder)
        self._watched = watched
        self._open: dict[str, SqliteJournal] = {}
        self._lock = threading.Lock()
        with contextlib.suppress(OSError):
            private(self.folder)

    def writable(self) -> None:
        """JournalError where no journal could be begun, as in a folder that another user has restored."""
        try:
            private(self.folder)
        except OSError as error:
            raise JournalError(f"it can't be made: {error.strerror}", self.folder) from error
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise JournalError(f"the folder of the journals can't be written: {os.strerror(errno.EACCES)}", self.folder)

    def path(self, job: str) -> Path:
        return self.folder / f"{hashlib.blake2b(job.encode(), digest_size=12).hexdigest()}.sqlite3"

    def open(self, job: str) -> SqliteJournal:
        with self._lock:
            journal = self._open.get(job)
            if journal is None:
                journal = self._open[job] = self._journal(self.path(job), job)
            return journal

    def known(self, job: str) -> bool:
        return job in self._open or self.path(job).exists()

    def release(self, job: str) -> None:
        with self._lock:
            journal = self._open.pop(job, None)
        if journal is not None:
            journal.close()

    def close(self) -> None:
        for job in list(self._open):
            self.release(job)

    def changes(self, seen: Mapping[str, tuple[str, int]]) -> list[str]:
        return [job for job, mark in seen.items() if self._moved(job, mark)]

    def _moved(self, job: str, mark: tuple[str, int]) -> bool:
        try:
            return self.open(job).mark() != mark
        except JournalError:
            return True

    # --- bounds --------------------------------------------------------------------------------------------------

    def size(self) -> int:
        return sum(_size(path) for path in self.folder.glob("*.sqlite3"))

    def room(self) -> Room:
        return self._disk.room()

    def all(self) -> Iterator[JournalSummary]:
        for _, path in sorted(((_age_ms(path), path) for path in self.folder.glob("*.sqlite3")), reverse=True):
            with contextlib.suppress(sqlite3.Error, JournalError), contextlib.closing(connect(path)) as db:
                job, last, finished, changed_ms = one(db, "job, last_line, finished, changed_ms")
                age = max(0.0, (self._clock.wall_ms() - changed_ms) / 1000)
                yield JournalSummary(job, last, _size(path), age, bool(finished), load_lease(db).left(self._clock) > 0)

    def check(self) -> Iterator[tuple[str, str]]:
        for path in sorted(self.folder.glob("*.sqlite3")):
            job = _job_of(path) or path.name
            try:
                with contextlib.closing(connect(path)) as db:
                    for (found,) in db.execute("PRAGMA quick_check"):
                        if found != "ok":
                            yield job, str(found)
            except (sqlite3.Error, JournalError) as error:
                yield job, str(error)

    def sweep(self) -> list[str]:
        gone: list[str] = []
        files = sorted((_age_ms(path), path) for path in self.folder.glob("*.sqlite3"))
        total = sum(_size(path) for _, path in files)
        room = self._disk.room()
        lacking, few = room.reserve - room.free, room.few
        for changed_ms, path in files:
            why = self._why(changed_ms, total, lacking, few)
            if why is None:
                continue
            size = _size(path)
            job = next((job for job, journal in list(self._open.items()) if journal.path == path), None)
            if job is None and (removed := self._removed(path, why)) is not None:
                counts.add("journals_forgotten_total", why=why)
                gone.append(removed)
                total, lacking, few = total - size, lacking - size, self._disk.room().few
            elif total > self._max_bytes:
                total -= size - self._halved(job, path)
        return [job for job in gone if job]

    def _why(self, changed_ms: float, total: int, lacking: int, few: bool) -> Why | None:
        """For what reason a journal should go. What was removed is subtracted, not measured: a file that somebody has
        open yet takes room until it is closed, and others must not go for it."""
        if total > self._max_bytes:
            return "size"
        if self._clock.wall_ms() - changed_ms > self._retention_ms:
            return "age"
        return "disk" if lacking > 0 or few else None

    def _removed(self, path: Path, why: Why) -> str | None:
        """Removes the file unless somebody writes or watches it, which can't begin while we look: we hold the lock of
        all who open it, and the one of all who write it. Gives its job ("" for a file that can't be read); None where
        it stays. What was written lately stays too, and for the disk's sake what has not finished."""
        kept_ms = self._retention_ms if why == "age" else BUSY_SECONDS * 1000
        with moving(path):
            changed_ms = _age_ms(path)
            try:
                with contextlib.closing(_at_rest(path) or _locked(path, int(changed_ms))) as db:
                    job, finished, changed_ms = one(db, "job, finished, changed_ms")
                    if load_lease(db).left(self._clock) > 0 or self._clock.wall_ms() - changed_ms <= kept_ms:
                        return None
                    if (why == "disk" and not finished) or self._watched(job):
                        return None
                    _remove(path)
                    return str(job)
            except (sqlite3.Error, JournalError) as error:
                if not damaged(error) or self._clock.wall_ms() - changed_ms <= kept_ms:
                    return None
            _remove(path)
            return ""

    def _halved(self, job: str | None, path: Path) -> int:
        """Trims the older half; the size afterwards. `job`: it is open here; else another process writes it, and it is
        left as soon as it is trimmed."""
        with contextlib.suppress(JournalError):
            if job is not None:
                _halve(self.open(job))
            elif name := _job_of(path):
                with contextlib.closing(self._journal(path, name)) as journal:
                    _halve(journal)
        return _size(path)

    def _journal(self, path: Path, job: str) -> SqliteJournal:
        return SqliteJournal(path, job, self._redactor, self._beat_ms, self._clock, self._disk)


def _at_rest(path: Path) -> sqlite3.Connection | None:
    """A file that nobody has open, nor can open for as long as we hold the lock of those who do. Read like this it
    needs no other file beside it, for which a full disk has no room. None where somebody has it open, or it is of
    before."""
    if path.with_name(f"{path.name}-wal").exists():
        return None
    db = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return db
    except sqlite3.Error:
        db.close()
        raise
    db.close()
    return None


def _locked(path: Path, changed_ms: int) -> sqlite3.Connection:
    """A file that nobody else writes until this is closed."""
    db = connect(path)
    try:
        prepare(db, "", "", changed_ms)
        db.execute("PRAGMA busy_timeout = 200")
        db.execute("BEGIN IMMEDIATE")
    except BaseException:
        db.close()
        raise
    return db


def _remove(path: Path) -> None:
    for companion in COMPANIONS:
        path.with_name(path.name + companion).unlink(missing_ok=True)
    Mark(path).remove()


def _age_ms(path: Path) -> float:
    """When it was last changed, about: what the file itself says is looked at before it is removed."""
    return max(_stats(path, "st_mtime"), default=0.0) * 1000


def _size(path: Path) -> int:
    return int(sum(_stats(path, "st_size")))


def _stats(path: Path, field: str) -> list[float]:
    found = []
    for companion in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            found.append(getattr(os.stat(f"{path}{companion}"), field))
    return found


def _job_of(path: Path) -> str:
    try:
        with contextlib.closing(connect(path)) as db:
            return str(one(db, "job")[0])
    except (sqlite3.Error, JournalError):
        return ""


def _halve(journal: SqliteJournal) -> None:
    state = journal.state()
    journal.trim((state.trimmed_to + state.last_line) // 2)
