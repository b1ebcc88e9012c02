"""A terminal for the command, like the one we have: its size, its keys. Sizes are columns and rows of characters."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
from typing import Any

# The size that is assumed where a terminal has none, or where there is no terminal.
COLUMNS, ROWS = 80, 24


def make() -> tuple[int, int]:
    """Its two ends: ours, and the command's. Neither is inherited."""
    master, slave = os.openpty()
    attributes: list[Any] = _like_ours() or termios.tcgetattr(slave)
    # No carriage return before each newline: lines are lines, and our own terminal adds what it needs.
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    copy_size(master)
    return master, slave


def _like_ours() -> list[Any] | None:
    with contextlib.suppress(termios.error, OSError):
        return termios.tcgetattr(0)
    return None


def copy_size(master: int) -> None:
    """The size of our own window, where we have one."""
    columns, rows = size()
    with contextlib.suppress(OSError):
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def size() -> tuple[int, int]:
    for fd in (0, 1, 2):
        with contextlib.suppress(OSError):
            rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))
            if rows and columns:
                return columns, rows
    return COLUMNS, ROWS


def ours() -> bool:
    """Whether we have a terminal that controls us: its keys are signals for us and our command."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
