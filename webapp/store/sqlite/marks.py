"""How a journal's file is known to be an older copy of itself: by marks that stand outside of it.

A copy that is put back (while the service is stopped or runs, one file or the whole folder) ends at an earlier line
than what was shown already, and its next lines would get ids that have been given to others. So the revision of each
journal is also kept beside it, written after every commit, without waiting for the disk: a file whose revision is
behind its mark is an older state. Where the marks were put back as well, the file `place` tells: it is written once and
never again, and each journal keeps the time of its last change (ctime), which no copy can bring along.

A rollback of the whole disk (a snapshot of a virtual machine) can't be seen from within: see docs/exactness.md.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import zlib
from pathlib import Path

from ...files import private

_MARK = struct.Struct("<QI")


class Mark:
    """The mark of one journal's file."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent / "marks"
        self._path = self._folder / path.stem
        self._last = -1
        self._fd: int | None = None

    def place(self) -> str:
        """Names the folder as it was made here; "" where it can't be read or made."""
        place = self._folder / "place"
        try:
            private(self._folder)
            with contextlib.suppress(FileExistsError), open(place, "x", opener=_private) as file:
                file.write(secrets.token_hex(16) + "\n")
            return str(os.stat(place).st_ctime_ns)
        except OSError:
            return ""

    def read(self) -> int | None:
        """The greatest revision that was told of; None without one."""
        try:
            revision, check = _MARK.unpack(self._path.read_bytes())
        except (OSError, struct.error):
            return None
        return int(revision) if zlib.crc32(struct.pack("<Q", revision)) == check else None

    def write(self, revision: int) -> bool:
        """Tells of a commit. Where that is not possible, it is left: the mark may be behind, never ahead."""
        if revision == self._last:
            return True
        data = _MARK.pack(revision, zlib.crc32(struct.pack("<Q", revision)))
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._fd, data, 0)
        except OSError:
            self.close()
            return False
        self._last = revision
        return True

    def close(self) -> None:
        """Before another file may stand in its place."""
        fd, self._fd, self._last = self._fd, None, -1
        if fd is not None:
            os.close(fd)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
