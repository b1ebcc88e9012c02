"""All journals of a data folder: a file a job, named by a digest of its id (file systems may not tell case apart)."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import time
from pathlib import Path

from ...errors import JournalError
from ...journal.redact import Redactor
from .damage import COMPANIONS, identity, set_aside
from .journal import Journal
from .schema import DamagedJournal


class Journals:
    """`max_bytes`: what all files together may take. `retention_days`: how long a journal outlives its last line."""

    def __init__(
        self, folder: Path, redactor: Redactor, *, beat_ms: int, max_bytes: int = 10 << 30, retention_days: float = 14.0
    ) -> None:
        self.folder = folder / "jobs"
        self._redactor = redactor
        self._beat_ms = beat_ms
        self._max_bytes = max_bytes
        self._retention_seconds = retention_days * 86400
        self._open: dict[str, Journal] = {}
        self._lock = threading.Lock()
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, job: str) -> Path:
        return self.folder / f"{hashlib.blake2b(job.encode(), digest_size=12).hexdigest()}.sqlite3"

    def open(self, job: str) -> Journal:
        """The job's journal, begun where there is none. A damaged file is set aside and named in the log."""
        with self._lock:
            journal = self._open.get(job)
            if journal is None:
                journal = self._open[job] = self._opened(job)
            return journal

    def existing(self, job: str) -> Journal | None:
        """The same, but None where this job has no journal yet."""
        return self.open(job) if job in self._open or self.path(job).exists() else None

    def _opened(self, job: str) -> Journal:
        path = self.path(job)
        found = identity(path)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                return self._journal(path, job)
            except DamagedJournal as error:
                set_aside(path, found, str(error))
                return self._journal(path, job)
        except OSError as error:
            raise JournalError(f"{self.folder} can't be written: {error.strerror}") from error

    def set_aside(self, job: str, error: Exception) -> Journal:
        """The journal turned out to be damaged while it was in use: begins another, under a new epoch."""
        with self._lock:
            damaged = self._open.pop(job, None)
            if damaged is not None:
                with contextlib.suppress(sqlite3.Error):
                    damaged.close()
                set_aside(damaged.path, damaged.file, str(error))
            self._open[job] = self._opened(job)
            return self._open[job]

    def release(self, job: str) -> None:
        """Nobody here needs it for now."""
        with self._lock:
            journal = self._open.pop(job, None)
        if journal is not None:
            journal.close()

    def close(self) -> None:
        for job in list(self._open):
            self.release(job)

    def sweep(self) -> list[str]:
        """Keeps to the bounds: whole journals past their time go, then, where the files are too large together, the
        oldest ones, and of the one that is written now its oldest lines. Returns the jobs that are gone."""
        gone: list[str] = []
        files = sorted((self._age(path), path) for path in self.folder.glob("*.sqlite3"))
        total = sum(size for (_, size), _ in files)
        now = time.time()
        for (changed, size), path in files:
            old = now - changed > self._retention_seconds
            if not old and total <= self._max_bytes:
                continue
            job = next((job for job, journal in list(self._open.items()) if journal.path == path), None)
            if job is None and (old or now - changed > 60):
                gone.append(self._job_of(path))
                for companion in COMPANIONS:
                    path.with_name(path.name + companion).unlink(missing_ok=True)
                total -= size
            elif not old:
                total -= size - self._halved(job, path)
        return [job for job in gone if job]

    def _age(self, path: Path) -> tuple[float, int]:
        changed, size = 0.0, 0
        for companion in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.with_name(path.name + companion).stat()
                changed, size = max(changed, stat.st_mtime), size + stat.st_size
        return changed, size

    def _halved(self, job: str | None, path: Path) -> int:
        """Trims the older half; the size afterwards. `job`: it is open here; else another process writes it, and it is
        left as soon as it is trimmed."""
        if job is not None:
            _halve(self.open(job))
        elif name := self._job_of(path):
            with contextlib.suppress(JournalError), contextlib.closing(self._journal(path, name)) as journal:
                _halve(journal)
        return self._age(path)[1]

    def _journal(self, path: Path, job: str) -> Journal:
        return Journal(path, job, self._redactor, self._beat_ms)

    def _job_of(self, path: Path) -> str:
        try:
            with contextlib.closing(sqlite3.connect(path)) as db:
                return str(db.execute("SELECT job FROM state").fetchone()[0])
        except (sqlite3.Error, TypeError):
            return ""


def _halve(journal: Journal) -> None:
    state = journal.state()
    journal.trim((state.trimmed_to + state.last_line) // 2)
