"""A command whose standard output and error are one terminal, and all that it wrote there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping

from ..served import environment

# What our own commands may send: colours, a foot line, a cleared screen; and the line ends that a terminal makes.
OURS = re.compile(r"\x1b\[[0-9;]*m|\r\x1b\[K|\x1b\[H\x1b\[2J\x1b\[3J|\r?\n|\t")
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def on_terminal(
    *arguments: str, settings: Mapping[str, object], variables: Mapping[str, str] | None = None, keys: bytes = b""
) -> tuple[int, str]:
    """Its exit code, and what it showed."""
    ours, its = os.openpty()
    env = environment(settings) | {"TERM": "xterm"} | dict(variables or {})
    command = subprocess.Popen(
        [sys.executable, "-m", "webapp", *arguments], env=env, stdin=its if keys else subprocess.DEVNULL,
        stdout=its, stderr=its,
    )  # fmt: skip
    os.close(its)
    if keys:
        os.write(ours, keys)
    shown = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(ours)
    return command.wait(60), shown.decode("utf-8", "replace")


def obeyed(shown: str) -> str:
    """What a terminal would have obeyed beside what we send ourselves."""
    return "".join(OBEYED.findall(OURS.sub("", shown)))
