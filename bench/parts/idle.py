"""Goal 3: five thousand viewers of a job that says nothing."""

from __future__ import annotations

import time

from load import Viewers
from servers import Jobtail, Nchan, Server, Upstream
from table import Row

VIEWERS = 5000
PATH = "/api/jobs/b-10-1-0/events?format=batch&sample_logs=false"


def settled(server: Server, path: str, count: int) -> tuple[float, float, float]:
    """KiB a viewer, CPU seconds to connect them all, and CPU a second once they sit there."""
    with Viewers(server.port, path, 10) as viewers:
        viewers.wait()
        time.sleep(1)
    before, cpu = server.memory(), server.cpu()
    with Viewers(server.port, path, count) as viewers:
        if viewers.wait()["refused"]:
            raise RuntimeError("viewers were refused")
        time.sleep(1)
        connected = server.cpu() - cpu
        time.sleep(1)
        held, cpu = server.memory() - before, server.cpu()
        time.sleep(5)
        idle = (server.cpu() - cpu) / 5
        if viewers.mark()["ended"]:
            raise RuntimeError("viewers were sent away")
    return held / 1024 / count, connected, idle


def measure(quick: bool) -> list[Row]:
    count = 1000 if quick else VIEWERS
    with Nchan() as nchan:
        their_size, their_cpu, their_idle = settled(nchan, "/sub", count)
    with Upstream() as upstream, Jobtail(upstream) as jobtail:
        upstream.control("start")
        size, cpu, idle = settled(jobtail, PATH, count)
    return [
        Row(
            f"3. {count:,} idle viewers: at most 16 KiB each",
            f"{size:.1f} KiB, {idle:.3f} of a core while idle",
            f"nchan {their_size:.1f} KiB, {their_idle:.3f}",
            f"{size / their_size:.2f}",
            size <= 16,
        ),
        Row(
            "3. connected in at most 2 s of CPU",
            f"{cpu:.2f} s",
            f"nchan {their_cpu:.2f} s",
            f"{cpu / max(their_cpu, 0.01):.1f}",
            cpu <= 2,
        ),
    ]
