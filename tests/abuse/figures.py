"""What the suite has measured, as a table in the file that ABUSE_FIGURES names: `docs/security.md` has it."""

from __future__ import annotations

import os
from pathlib import Path

from .bounds import Bounds
from .owner import nine_in_ten

HEAD = (
    "| attack | by way of | nine in ten of the owner's lines took | the slowest | memory | threads | descriptors |\n"
    "| --- | --- | --- | --- | --- | --- | --- |\n"
)


def write(attack: str, way: str, delays: list[float], bounds: Bounds) -> None:
    name = os.environ.get("ABUSE_FIGURES")
    if not name:
        return
    file, before, most = Path(name), bounds.before, bounds.most
    row = (
        f"| {attack} | {way} | {nine_in_ten(delays):.1f} s | {max(delays):.1f} s | {before.memory} to {most.memory} MiB"
        f" | {before.threads} to {most.threads} | {before.files} to {most.files} |\n"
    )
    with file.open("a") as table:
        if not table.tell():
            table.write(HEAD)
        table.write(row)
