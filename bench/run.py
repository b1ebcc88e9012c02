"""Every goal of speed, measured beside its yardstick in the same run.

    python bench/run.py [--quick] [PART ...]

Parts: viewers capacity idle backlog intake random search page growth requests latency run remote database replicas
bloat start. All of them by default.
`--quick` measures shorter and on a log of a million lines: to see that it works, not for figures.
"""

from __future__ import annotations

import sys
import time

import machine
from parts import (
    backlog,
    capacity,
    database,
    idle,
    latency,
    long_log,
    page,
    remote,
    replicas,
    requests,
    run,
    start,
    viewers,
)
from table import Row, markdown

PARTS = {
    "viewers": viewers.measure,
    "capacity": capacity.measure,
    "idle": idle.measure,
    "backlog": backlog.measure,
    "intake": long_log.intake,
    "random": long_log.random_access,
    "search": long_log.search,
    "page": page.measure,
    "growth": long_log.growth,
    "requests": requests.measure,
    "latency": latency.measure,
    "run": run.measure,
    "remote": remote.measure,
    "database": database.measure,
    "replicas": replicas.measure,
    "bloat": replicas.bloat,
    "start": start.measure,
}


def main(words: list[str]) -> int:
    quick = "--quick" in words
    names = [word for word in words if word != "--quick"] or list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in names:
        began = time.monotonic()
        try:
            found = PARTS[name](quick)
        except Exception as error:  # the other parts can still be measured
            found = [Row(name, f"failed: {type(error).__name__}: {str(error).splitlines()[-1:]}", met=False)]
        rows += found
        print(
            f"{name}: {time.monotonic() - began:.0f} s",
            *(f"  {row.goal}: {row.figure}" for row in found),
            sep="\n",
            flush=True,
        )
    long_log.forget()
    print("", markdown(rows), "", *machine.describe(), sep="\n")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
