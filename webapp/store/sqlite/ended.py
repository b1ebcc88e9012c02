"""Which links were revoked and which sign-ins ended, kept beside `jobtail.sqlite3` once more.

An older copy of that database which is put back, under a service that runs or one that is stopped, knows nothing of
what was revoked since it was made. This file is in no backup, so that none can put it back, and what it names stays
revoked. Where the whole folder is an older copy, nothing within it can tell: see docs/operations.md.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger("jobtail.store")
# Past this size what would have ended by itself is thrown out.
LARGE = 64 << 10


class Ended:
    """A line each: the id, when it was ended, and when it would have ended by itself, both in ms."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._known: dict[str, int] = {}

    def add(self, id: str, at_ms: int, ends_ms: int) -> None:
        """What is already there stays. A disk that refuses is no reason to fail: the database has it too."""
        if self.at(id) is not None:
            return
        try:
            with self._locked(os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX) as fd:
                if os.fstat(fd).st_size > LARGE:
                    self._throw_out(fd, at_ms)
                end = os.lseek(fd, 0, os.SEEK_END)
                begin = b"" if not end or os.pread(fd, 1, end - 1) == b"\n" else b"\n"
                os.write(fd, b"%b%b %d %d\n" % (begin, id.encode(), at_ms, ends_ms))
                os.fsync(fd)
        except OSError as error:
            log.warning("%s can't be written (%s): an older copy of the database could undo this", self._path, error)

    def at(self, id: str) -> int | None:
        """When it was ended, in ms; None where it is not known to be, or would have ended by itself since."""
        self._look()
        return self._known.get(id)

    def _look(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(self._path)
            seen = (status.st_mtime_ns, status.st_size)
            if seen == self._seen:
                return
            try:
                with self._locked(os.O_RDONLY, fcntl.LOCK_SH) as fd:
                    rows = list(_rows(fd))
                newest = max((at for _, at, _ in rows), default=0)
                self._known = {id: at for id, at, ends in rows if ends >= newest}
                self._seen = seen
            except OSError as error:
                log.warning("%s can't be read (%s)", self._path, error)

    def _throw_out(self, fd: int, now_ms: int) -> None:
        kept = [row for row in _rows(fd) if row[2] > now_ms]
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, b"".join(b"%s %d %d\n" % (id.encode(), at, ends) for id, at, ends in kept))

    @contextlib.contextmanager
    def _locked(self, flags: int, lock: int) -> Iterator[int]:
        fd = os.open(self._path, flags | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, lock)
            yield fd
        finally:
            os.close(fd)


def _rows(fd: int) -> Iterator[tuple[str, int, int]]:
    """Whole lines; one that broke off is none."""
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        for line in file.read().splitlines(keepends=True):
            with contextlib.suppress(ValueError):
                id, at_ms, ends_ms = line.decode("ascii").split()
                if line.endswith(b"\n"):
                    yield id, int(at_ms), int(ends_ms)
