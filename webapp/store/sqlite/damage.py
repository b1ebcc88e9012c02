"""Damaged SQLite files are set aside under another name: once, whoever finds the damage, and nobody else's new file.

Several processes use a data folder. One lock a folder is shared by all who open a file in it, and held alone by whoever
moves one: else the WAL of a file that was just begun anew would be taken away for that of the damaged one.
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

log = logging.getLogger("jobtail.database")

COMPANIONS = ("", "-wal", "-shm")
LOCK = ".lock"
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

Identity = tuple[int, int]


def damaged(error: BaseException) -> bool:
    """True when the file itself is broken: not when it is busy, full, or may not be written."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, sqlite3.DatabaseError) and code & 0xFF in _DAMAGE


def identity(path: Path) -> Identity | None:
    """Which file stands under that name now; None where there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


@contextlib.contextmanager
def opening(path: Path) -> Iterator[None]:
    """While a file is opened: nobody moves it."""
    with _locked(path, fcntl.LOCK_SH):
        yield


def set_aside(path: Path, found: Identity | None, why: str) -> Path | None:
    """Renames the damaged file and what belongs to it, unless `found`, the file that was seen to be damaged, stands
    there no more: then another has done so. Gives the new name."""
    with _locked(path, fcntl.LOCK_EX):
        if found is None or identity(path) != found:
            return None
        aside = path.with_name(f"{path.stem}.damaged-{time.time_ns() // 1_000_000}{path.suffix}")
        for companion in COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{path}{companion}", f"{aside}{companion}")
    log.error("%s is damaged (%s): it was set aside as %s and begun anew", path, why, aside.name)
    return aside


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        # Where no lock can be had (a disk that can't be written), nothing can be moved either.
        with contextlib.suppress(OSError):
            fd = os.open(path.parent / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, fd)
            fcntl.flock(fd, how)
        yield
