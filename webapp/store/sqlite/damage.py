"""What SQLite's errors mean, and how a damaged file is moved away: once, whichever process finds the damage, and nobody
else's new file.

Several processes use a data folder. One lock a folder is shared by all who open a file in it, and held alone by whoever
moves or removes one: else the WAL of a file that was just begun anew would be taken away for that of the old one.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from ...errors import DamagedJournal, JournalError

log = logging.getLogger("jobtail.store")

COMPANIONS = ("", "-wal", "-shm")
LOCK = ".lock"
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# Where in the shared-memory file the lock of the one who writes stands (WAL-index format, "WAL_WRITE_LOCK").
_WRITE_LOCK = 120

Identity = tuple[int, int]


def _code(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", None) or 0
    return code & 0xFF if isinstance(error, sqlite3.Error) else 0


def damaged(error: BaseException) -> bool:
    """True when the file itself is broken: not when it is busy, full, or may not be written, and not where we broke a
    constraint or used a closed connection."""
    return _code(error) in _DAMAGE


def busy(error: BaseException) -> bool:
    return _code(error) in _BUSY


def journal_error(error: sqlite3.Error, path: Path) -> JournalError:
    """SQLite's error as ours. DamagedJournal where the file itself is broken."""
    if damaged(error):
        return DamagedJournal(f"it is damaged ({error})", path)
    if busy(error):
        return JournalError(f"the database is locked{_locked_by(path)}", path)
    if not isinstance(error, sqlite3.OperationalError):
        log.error("%s: a fault of this program", path, exc_info=error)
    return JournalError(str(error), path)


def _locked_by(path: Path) -> str:
    """Who keeps the lock, where the system tells: a process that was stopped in the middle of a commit keeps it for as
    long as it is stopped, and nobody but its user can end that."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        inode = os.stat(f"{path}-shm").st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            _, kind, _, how, pid, where, start, end = line.replace("-> ", "").split()[:8]
            if kind != "POSIX" or how != "WRITE" or int(where.rpartition(":")[2]) != inode:
                continue
            if int(start) <= _WRITE_LOCK and (end == "EOF" or int(end) >= _WRITE_LOCK):
                stopped = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "tT"
                return f" by process {pid}" + (", which is stopped: continue or end it" if stopped else "")
    return " by another process"


def identity(path: Path | str) -> Identity | None:
    """Which file stands under that name now; None where there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


@contextlib.contextmanager
def opening(path: Path) -> Iterator[None]:
    """While a file is opened: nobody moves or removes it."""
    with _locked(path, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def moving(path: Path) -> Iterator[None]:
    """While a file is moved or removed: nobody opens one in that folder."""
    with _locked(path, fcntl.LOCK_EX):
        yield


def move_damaged(path: Path, found: Identity | None, why: str) -> Path | None:
    """Renames the damaged file and what belongs to it, unless `found`, the file that was seen to be damaged, stands
    there no more: then another has done so. Gives the new name."""
    with moving(path):
        if found is None or identity(path) != found:
            return None
        kept = path.with_name(f"{path.stem}.damaged-{time.time_ns() // 1_000_000}{path.suffix}")
        for companion in COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{path}{companion}", f"{kept}{companion}")
    log.error("%s is damaged (%s): it was moved to %s and begun anew", path, why, kept.name)
    return kept


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        # Where no lock can be had (a disk that can't be written), nothing can be moved either.
        with contextlib.suppress(OSError):
            fd = os.open(path.parent / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, fd)
            fcntl.flock(fd, how)
        yield
