"""How much room is left on the disk that holds the data, and from where on that is too little.

Two marks, so that a full disk is met before it is full. Below the reserve the oldest finished jobs are forgotten; below
a quarter of it no new lines are taken, and what is left serves the small writes by which everything else goes on:
statuses, leases, ends of jobs, links.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# Of a small file system the reserve is at most this part.
PART = 20
# Files that may still be made: a journal that is in use has three.
FEW_FILES = 1000

Level = Literal["ample", "low", "full"]


@dataclass(frozen=True, slots=True)
class Room:
    """`free`: bytes that this user may still take. `reserve`: what is to stay free, 0 where that is not asked for.
    `files`: how many may still be made, None where the file system has no such bound; `few`: that is too few."""

    free: int
    reserve: int
    files: int | None = None
    few: bool = False

    @property
    def full_below(self) -> int:
        return self.reserve // 4

    @property
    def level(self) -> Level:
        if self.free < self.full_below:
            return "full"
        return "low" if self.free < self.reserve or self.few else "ample"

    @property
    def words(self) -> str:
        """What is wrong, and what that means; "" where nothing is."""
        if self.level == "full":
            least = amount(self.full_below)
            return f"{amount(self.free)} of the disk are free, less than {least}: no new lines are taken"
        if self.few:
            return f"{self.files} more files fit on the disk: the oldest finished jobs are forgotten"
        if self.level == "low":
            return (
                f"{amount(self.free)} of the disk are free, less than {amount(self.reserve)}:"
                " the oldest finished jobs are forgotten"
            )
        return ""


class Disk:
    """The file system of a folder. `reserve`: JOBTAIL_DISK_RESERVE_BYTES."""

    def __init__(
        self, folder: Path, reserve: int = 0, *, look: Callable[[Path], os.statvfs_result] = os.statvfs
    ) -> None:
        self._folder = folder
        self._reserve = reserve
        self._look = look

    def room(self) -> Room:
        """Ample where that can't be known: then writing tells."""
        try:
            found = self._look(self._folder)
        except OSError:
            return Room(0, 0)
        size = found.f_blocks * found.f_frsize
        few = bool(self._reserve and found.f_files) and found.f_favail < min(FEW_FILES, found.f_files // PART)
        return Room(
            free=found.f_bavail * found.f_frsize,
            reserve=min(self._reserve, size // PART),
            files=found.f_favail if found.f_files else None,
            few=few,
        )


def amount(size: float) -> str:
    """Bytes, for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}"
