"""The key that signs links and cookies, in a file of the data folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from ...errors import JournalError
from ...files import private

WEAK_KEY = 16


def kept_key(folder: Path) -> str:
    """The key in `secret.key`, made when absent. Two processes that start at once agree on one."""
    path = folder / "secret.key"
    try:
        private(folder)
        with contextlib.suppress(FileExistsError):
            _make(path)
        path.chmod(0o600)
        key = path.read_text().strip()
    except OSError as error:
        raise JournalError(f"it can't be made or read: {error.strerror}", path) from error
    if len(key) < WEAK_KEY:
        raise JournalError("it holds no key: remove it, and a new one is made (links and sign-ins end)", path)
    return key


def _make(path: Path) -> None:
    """Written under another name and then linked, so that nobody ever reads half a key."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()
