"""A command whose standard output and error are one terminal, and all that it wrote there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping

from ..served import environment

# What our own commands may send: colours, a foot line, a cleared screen; and the line ends that a terminal makes.
OURS = re.compile(r"\x1b\[[0-9;]*m|\r\x1b\[K|\x1b\[H\x1b\[2J\x1b\[3J|\r?\n|\t")
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Shown:
    """A command that still runs, and `text`: what it showed until now."""

    def __init__(self, *arguments: str, settings: Mapping[str, object], variables: Mapping[str, str] | None = None,
                 keys: bytes = b"") -> None:  # fmt: skip
        self._ours, its = os.openpty()
        env = environment(settings) | {"TERM": "xterm"} | dict(variables or {})
        self._command = subprocess.Popen(
            [sys.executable, "-m", "webapp", *arguments], env=env, stdin=its if keys else subprocess.DEVNULL,
            stdout=its, stderr=its,
        )  # fmt: skip
        os.close(its)
        if keys:
            os.write(self._ours, keys)
        self._shown = b""

    @property
    def text(self) -> str:
        return self._shown.decode("utf-8", "replace")

    def read(self) -> bool:
        """Waits for more. False: there is none."""
        try:
            data = os.read(self._ours, 65536)
        except OSError:
            data = b""
        self._shown += data
        return bool(data)

    def until(self, text: str) -> None:
        while text not in self.text:
            assert self.read(), self.text

    def interrupt(self) -> None:
        self._command.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Its exit code, and all that it showed."""
        while self.read():
            pass
        os.close(self._ours)
        return self._command.wait(60), self.text


def on_terminal(
    *arguments: str, settings: Mapping[str, object], variables: Mapping[str, str] | None = None, keys: bytes = b""
) -> tuple[int, str]:
    """Its exit code, and what it showed."""
    return Shown(*arguments, settings=settings, variables=variables, keys=keys).end()


def obeyed(shown: str) -> str:
    """What a terminal would have obeyed beside what we send ourselves."""
    return "".join(OBEYED.findall(OURS.sub("", shown)))
