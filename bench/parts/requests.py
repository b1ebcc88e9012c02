"""Goal 7: what the upstream is asked for one viewer, and for a thousand."""

from __future__ import annotations

import time

from load import Viewers
from servers import Jobtail, Upstream
from table import Row

MANY = 1000


def measure(quick: bool) -> list[Row]:
    seconds = 10 if quick else 40
    jobs = ["b-100-10-20", "b-200-10-20"]
    paths = [f"/api/jobs/{job}/events?format=batch" for job in jobs]
    with (
        Upstream() as upstream,
        Jobtail(upstream) as jobtail,
        Viewers(jobtail.port, paths[0], 1) as one,
        Viewers(jobtail.port, paths[1], MANY) as many,
    ):
        one.wait(), many.wait()
        upstream.control("start")
        time.sleep(5)
        upstream.control("counts")
        time.sleep(seconds)
        counts = upstream.control("counts")
    asked = [sum(counts.get(f"{kind} {job}", 0) for kind in ("status", "logs")) / seconds for job in jobs]
    return [
        Row(
            f"7. upstream requests a beat of 1 s: as many for {MANY:,} viewers as for one, at most 2.5",
            f"{asked[1]:.2f} for {MANY:,}",
            f"{asked[0]:.2f} for one; {MANY:,} if each viewer asks for itself",
            f"{asked[1] / asked[0]:.2f}",
            max(asked) <= 2.5 and abs(asked[1] - asked[0]) < 0.2,
        )
    ]
