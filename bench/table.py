"""One table: what was wanted, what was measured, the yardstick of the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    goal: str
    figure: str
    yardstick: str = ""
    ratio: str = ""
    met: bool | None = None  # None: no goal of its own


HEAD = ("goal", "measured", "yardstick, same run", "ratio", "met")


def markdown(rows: list[Row]) -> str:
    words = {True: "yes", False: "**no**", None: ""}
    cells = [HEAD, *((row.goal, row.figure, row.yardstick, row.ratio, words[row.met]) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
