"""Goal 2: the most lines a second that a thousand viewers can be given."""

from __future__ import annotations

import time
from typing import Any

from bundles import bundle
from load import Viewers
from servers import Jobtail, Nchan, Upstream
from table import Row

VIEWERS = 1000
RATES = (8_000, 10_000, 12_000, 14_000, 16_000, 20_000)
WORST_MS = 2000  # past this the viewers only fall behind


def ours(rate: int, seconds: float) -> tuple[float, dict[str, Any]]:
    """Lines a second, all viewers together, and whether they kept up."""
    job = f"b-0-1-{rate}"
    path = f"/api/jobs/{job}/events?format=batch&sample_logs=false&refresh_seconds=0.1"
    with (
        Upstream() as upstream,
        Jobtail(upstream, refresh_seconds="0.1") as jobtail,
        Viewers(jobtail.port, path, VIEWERS, each=False) as viewers,
    ):
        viewers.wait()
        upstream.control("start")
        time.sleep(3)
        viewers.mark()
        time.sleep(seconds)
        got = viewers.mark()
    return got["lines"] / got["seconds"], got


def nchan(lines: int, seconds: float) -> float:
    """Bundles of so many lines, one after the other, as fast as all viewers get them."""
    with Nchan() as server, Viewers(server.port, "/sub", VIEWERS, each=False) as viewers:
        viewers.wait()
        first, began, got = 1, time.monotonic(), 0
        while time.monotonic() - began < seconds:
            server.publish(bundle(first, lines, int(time.time() * 1000)))
            first += lines
            while got < VIEWERS * (first - 1):
                got += viewers.mark()["lines"]
        return got / (time.monotonic() - began)


def measure(quick: bool) -> list[Row]:
    seconds = 3.0 if quick else 8.0
    theirs = max(nchan(lines, 3.0) for lines in ((500,) if quick else (250, 500, 1000)))
    best, slowest, lost = 0.0, 0, 0
    for rate in RATES[:1] if quick else RATES:
        found, got = ours(rate, seconds)
        print(f"  {rate} lines/s in: {found / 1e6:.2f} million/s out, p99 {got['p99']} ms", flush=True)
        if got["p99"] > WORST_MS or got["ended"]:
            break
        lost += got["missed"] + got["twice"]
        if found > best:
            best, slowest = found, got["p99"]
    return [
        Row(
            "2. most lines/s that 1,000 viewers are given: at least 8 million",
            f"{best / 1e6:.2f} million/s, p99 {slowest} ms, {lost} lost or doubled",
            f"nchan {theirs / 1e6:.2f} million/s",
            f"{best / theirs:.2f}",
            best >= 7.95e6 and not lost,
        )
    ]
