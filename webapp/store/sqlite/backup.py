"""A copy of a data folder while it is in use: each file as of one moment of its own, in one tar file.

Unpacked into an empty folder it is a data folder again. Its journals are older copies of themselves there, so they go
on under new epochs (`copies.py`): no id that was given since the backup gets a second meaning.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tarfile
import tempfile
from pathlib import Path

from ...errors import JournalError
from .connections import connect

# Beside the journals; `presence.sqlite3` and locks are of the moment alone.
_FILES = ("jobtail.sqlite3", "secret.key")


def backup(folder: Path, file: Path) -> None:
    """JournalError where the folder can't be read or the file can't be written; then there is no file."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as archive:
            for path in (*(folder / name for name in _FILES), *sorted((folder / "jobs").glob("*.sqlite3"))):
                _add(archive, path, str(path.relative_to(folder)))
            raw.flush()
            os.fsync(descriptor)
        draft.replace(file)
    except OSError as error:
        raise JournalError(f"it can't be written: {error.strerror}", file) from error
    finally:
        draft.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """A file that is removed while the backup is made is left out."""
    with contextlib.suppress(FileNotFoundError):
        if path.suffix != ".sqlite3":
            archive.add(path, name, filter=_private)
            return
        if not path.exists():
            return
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
            copy = Path(folder) / path.name
            _copy(path, copy)
            archive.add(copy, name, filter=_private)


def _copy(path: Path, copy: Path) -> None:
    try:
        with contextlib.closing(connect(path)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise JournalError(f"it can't be copied: {error}", path) from error


def _private(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
    return member
