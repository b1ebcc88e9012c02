"""Goal 1: a thousand viewers of a thousand lines a second, against nchan fed the same bundles."""

from __future__ import annotations

import time
from typing import Any

from bundles import Publisher
from load import Viewers
from servers import Jobtail, Nchan, Upstream
from table import Row

VIEWERS, RATE, BEAT = 1000, 1000, 0.1
JOB = f"b-0-1-{RATE}"
PATH = f"/api/jobs/{JOB}/events?format=batch&sample_logs=false&refresh_seconds={BEAT}&tail=0"


def watch(server: Jobtail | Nchan, viewers: Viewers, seconds: float) -> tuple[float, dict[str, Any]]:
    """CPU (share of a core) and what the viewers got, over a while."""
    viewers.mark()
    before, began = server.cpu(), time.monotonic()
    time.sleep(seconds)
    share = (server.cpu() - before) / (time.monotonic() - began)
    return share, viewers.mark()


def measure(quick: bool) -> list[Row]:
    seconds, rounds = (3.0, 1) if quick else (10.0, 3)
    ours: list[tuple[float, dict[str, Any]]] = []
    theirs: list[tuple[float, dict[str, Any]]] = []
    with Upstream() as upstream, Jobtail(upstream, refresh_seconds=str(BEAT)) as jobtail, Nchan() as nchan:
        jobtail.json(f"/api/jobs/{JOB}")
        upstream.control("start")
        # In turn: what else the machine does in the meantime is then done to both.
        for _ in range(rounds):
            with Viewers(nchan.port, "/sub", VIEWERS) as viewers:
                viewers.wait()
                with Publisher(nchan, RATE, BEAT):
                    time.sleep(1)
                    theirs.append(watch(nchan, viewers, seconds))
            with Viewers(jobtail.port, PATH, VIEWERS) as viewers:
                viewers.wait()
                time.sleep(2)
                ours.append(watch(jobtail, viewers, seconds))
    return rows(ours, theirs)


def rows(ours: list[tuple[float, dict[str, Any]]], theirs: list[tuple[float, dict[str, Any]]]) -> list[Row]:
    share, got = sorted(ours, key=lambda pair: pair[0])[len(ours) // 2]
    theirs_share, theirs_got = sorted(theirs, key=lambda pair: pair[0])[len(theirs) // 2]
    lost = sum(found["missed"] + found["twice"] + found["ended"] for _, found in ours)
    rate = got["lines"] / got["seconds"] / VIEWERS
    p99 = max(found["p99"] for _, found in ours)
    return [
        Row(
            "1. 1,000 viewers × 1,000 lines/s, beat 100 ms: less CPU than nchan",
            f"{share:.3f} of a core, {rate:.0f} lines/s each, {got['bytes'] / got['lines']:.0f} B a line",
            f"nchan {theirs_share:.3f}, {theirs_got['lines'] / theirs_got['seconds'] / VIEWERS:.0f} lines/s each",
            f"{share / theirs_share:.2f}",
            share < theirs_share and rate > 0.98 * RATE,
        ),
        Row(
            "1. p99 from the entry's timestamp to the viewer under 300 ms, nothing lost",
            f"p50 {got['p50']} ms, p99 {p99} ms, {lost} lost or doubled",
            f"nchan p50 {theirs_got['p50']}, p99 {theirs_got['p99']} ms, from the publisher",
            "",
            p99 < 300 and lost == 0,
        ),
    ]
