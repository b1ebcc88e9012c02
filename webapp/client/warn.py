"""Warnings that point to the line of the caller's program, however many of our frames lie between."""

from __future__ import annotations

import sys
import warnings

_HERE = __name__.rpartition(".")[0]


def warn(message: str, category: type[Warning]) -> None:
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_HERE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
