"""Goal 4: a million lines that were written before the viewer came."""

from __future__ import annotations

import time

from bundles import bundle
from load import Viewers
from process import until
from servers import Jobtail, Nchan, Upstream
from table import Row

LINES = 1_000_000
PIECE = 500


def lines_a_second(port: int, path: str, lines: int) -> float:
    with Viewers(port, path, 1, until=lines) as viewers:
        got = viewers.wait()
    if got["missed"] or got["twice"] or got["lines"] < lines:
        raise RuntimeError(f"the backlog came with holes: {got}")
    return float(lines / got["seconds"])


def yardstick(lines: int, rounds: int) -> float:
    """nchan from its memory, the same bundles; a message a bundle."""
    with Nchan(first="oldest", kept=lines // PIECE) as server:
        for first in range(1, lines, PIECE):
            server.publish(bundle(first, PIECE, int(time.time() * 1000)))
        return max(lines_a_second(server.port, "/sub", lines) for _ in range(rounds))


def measure(quick: bool) -> list[Row]:
    lines, rounds = (100_000, 1) if quick else (LINES, 5)
    theirs = yardstick(lines, rounds)
    job = f"b-{lines}-1000-0"
    path = f"/api/jobs/{job}/events?format=batch&sample_logs=false"
    with Upstream() as upstream, Jobtail(upstream) as jobtail:
        jobtail.json(f"/api/jobs/{job}")
        until(lambda: last_line(jobtail, job) >= lines, "the log is in the journal", 120)
        ours = max(lines_a_second(jobtail.port, path, lines) for _ in range(rounds))
    return [
        Row(
            f"4. a backlog of {lines:,} lines to one viewer, from disk: at least 4 million lines/s",
            f"{ours / 1e6:.2f} million/s",
            f"nchan, from memory, {theirs / 1e6:.2f} million/s",
            f"{ours / theirs:.2f}",
            ours >= 4e6,
        )
    ]


def last_line(jobtail: Jobtail, job: str) -> int:
    newest = jobtail.json(f"/api/jobs/{job}/logs?tail=1")
    return int(newest[0]["line"]) if newest else 0
