"""The lock that a runner holds while it lives. The kernel lets go of it however the runner ends, so that
a runner that only sleeps (a closed laptop, SIGSTOP) is never taken for dead."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from ..files import private


class RunnerLock:
    """`hold` it from the start of a job to its end, then `release`."""

    def __init__(self, folder: Path, job: str) -> None:
        self.path = folder / "runners" / f"{job}.lock"
        self._fd: int | None = None

    def hold(self) -> None:
        """Where the file system has no locks, the heartbeat alone must do."""
        private(self.path.parent)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_EX)

    def take(self) -> bool:
        """`hold`, but False where somebody does already. OSError where the file can't be made."""
        private(self.path.parent)
        while True:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._fd)
                self._fd = None
                return False
            except OSError:
                return True  # no locks here: see `hold`
            if os.fstat(self._fd).st_nlink:
                return True
            os.close(self._fd)  # whoever held it has ended, and the file with him

    def held(self) -> bool:
        """True while a runner lives. Asks; takes nothing."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(fd)
        return False

    def release(self) -> None:
        self.path.unlink(missing_ok=True)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
