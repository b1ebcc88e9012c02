"""Folders that only their owner may enter, even where the folder above them is open to others."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def private(folder: Path) -> None:
    """Makes the folder for its owner alone; one that is there already is closed to others where it is ours. OSError
    where it can't be made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    close_to_others(folder)


def close_to_others(path: Path) -> None:
    """A file or folder that others may read, from an older version or a copy, is closed to them where we may do so."""
    with contextlib.suppress(OSError):
        mode = os.stat(path).st_mode
        if mode & 0o077:
            os.chmod(path, mode & 0o7700)
