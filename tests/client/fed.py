"""A real job whose output is what the test writes: it copies a named pipe."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ..served import Served


class Fed:
    """`say` gives it lines, `end` ends it with an exit code of 0."""

    def __init__(self, served: Served, folder: Path, name: str = "") -> None:
        self._pipe = folder / f"pipe-{os.urandom(4).hex()}"
        os.mkfifo(self._pipe)
        self.id, self.runner = served.begin("cat", str(self._pipe), name=name)
        self._out = self._pipe.open("w", buffering=1, encoding="utf-8", newline="\n")

    def say(self, *lines: str) -> None:
        self._out.write("".join(line + "\n" for line in lines))
        self._out.flush()

    def begin_line(self, text: str) -> None:
        """What has no newline yet."""
        self._out.write(text)
        self._out.flush()

    def end(self) -> int:
        self._out.close()
        try:
            return self.runner.wait(20)
        except subprocess.TimeoutExpired:
            self.runner.kill()
            raise
        finally:
            assert self.runner.stderr is not None
            self.runner.stderr.close()
