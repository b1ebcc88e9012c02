"""The whole log as a drawing: how fast it came, where it warned and failed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

from ..journal.parts import Part

WIDTH, HEIGHT = 600, 36


def paths(parts: Sequence[Part]) -> dict[str, str]:
    """SVG paths `rate`, `warn` and `error` in a box of WIDTH by HEIGHT: a bar a part, as wide as it has lines."""
    if not parts:
        return {"rate": "", "warn": "", "error": ""}
    scale = WIDTH / (parts[-1].last - parts[0].first + 1)
    most = max(_rate(part) for part in parts)

    def full(part: Part) -> float:
        return HEIGHT * (0.1 + 0.9 * sqrt(_rate(part) / most))

    def share(part: Part, count: int) -> float:
        """At least 2, so that one error in a million lines is seen."""
        return max(2.0, full(part) * sqrt(count / _count(part))) if count else 0.0

    def draw(height: Callable[[Part], float]) -> str:
        return "".join(_bar(part, height(part), parts[0].first, scale) for part in parts)

    return {
        "rate": draw(full),
        "warn": draw(lambda part: share(part, part.warnings)),
        "error": draw(lambda part: share(part, part.errors)),
    }


def _count(part: Part) -> int:
    return part.last - part.first + 1


def _rate(part: Part) -> float:
    return _count(part) / max(50, part.high_ms - part.low_ms)


def _bar(part: Part, height: float, first: int, scale: float) -> str:
    if not height:
        return ""
    width = _count(part) * scale
    return f"M{(part.first - first) * scale:.1f} {HEIGHT}v-{height:.1f}h{max(width - 1, width * 0.8):.1f}V{HEIGHT}z"
