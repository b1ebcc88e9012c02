"""`/metrics` in Prometheus' text format: what this process counted and measures, and the same of the other workers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from ..access.grant import Action, Grant
from ..counts import COUNTED, Labels, counts
from ..errors import JournalError
from ..service import Service
from ..threads import METRICS
from .route import guarded

Sample = tuple[str, Labels, float]
MEASURED = {
    "viewers": "Streams that are open.",
    "readers": "Downloads and logs that are followed.",
    "jobs_followed": "Jobs that this process keeps open.",
    "viewer_lag_lines": "Lines between the end of a job's journal and what its viewer was sent.",
    "viewer_lag_seconds": "Seconds for which a viewer's socket has taken nothing.",
    "limiter_tasks": "Work that is under way, and work that waits for a thread or a request, by what for.",
    "event_loop_delay_seconds": "By how much the last beat of the event loop was late.",
    "journal_bytes": "Bytes of all journals.",
    "disk_free_bytes": "Bytes that are free where the data folder is (not with a database).",
    "disk_reserve_bytes": "Below so many the oldest finished jobs are forgotten, below a quarter no lines are taken.",
    "disk_free_files": "Files that may still be made there, where the file system bounds them.",
    "up": "1: this process answers.",
}
SNAPSHOT_SECONDS = 2.0
STALE_SECONDS = 10.0


def measured(service: Service) -> Iterator[Sample]:
    """What is true now."""
    hub = service.hub
    channels = list(hub.channels.values())
    viewers = [(channel, viewer) for channel in channels for viewer in list(channel.audience.viewers)]
    yield "up", (), 1.0
    yield "viewers", (), float(len(viewers))
    yield "readers", (), float(sum(channel.readers for channel in channels))
    yield "jobs_followed", (), float(len(channels))
    now = time.monotonic()
    lines = [max(0, channel.state.last_line - viewer.position.line) for channel, viewer in viewers]
    waits = [now - viewer.waits_since if viewer.waits_since is not None else 0.0 for _, viewer in viewers]
    for name, lags in (("viewer_lag_lines", lines), ("viewer_lag_seconds", waits)):
        yield name, (("which", "slowest"),), float(max(lags, default=0))
        yield name, (("which", "median"),), float(statistics.median(lags)) if lags else 0.0
    for limiter, running, waiting in service.load():
        yield "limiter_tasks", (("limiter", limiter), ("state", "running")), float(running)
        yield "limiter_tasks", (("limiter", limiter), ("state", "waiting")), float(waiting)
    yield "event_loop_delay_seconds", (), hub.late


def stored(service: Service) -> Iterator[Sample]:
    """Blocks."""
    with contextlib.suppress(JournalError):
        yield "journal_bytes", (), float(service.store.journals.size())
    if room := service.store.journals.room():
        yield "disk_free_bytes", (), float(room.free)
        yield "disk_reserve_bytes", (), float(room.reserve)
        if room.files is not None:
            yield "disk_free_files", (), float(room.files)


class Snapshots:
    """What each worker last measured, in a folder that they share: a request for `/metrics` reaches one of them."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self.number = number

    def write(self, samples: list[Sample]) -> None:
        draft = self._folder / f"{self.number}.draft"
        with contextlib.suppress(OSError):
            draft.write_text(json.dumps(samples))
            draft.replace(self._folder / f"{self.number}.json")

    def others(self) -> Iterator[tuple[str, list[Sample]]]:
        for path in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError):
                if path.stem != str(self.number) and time.time() - path.stat().st_mtime < STALE_SECONDS:
                    found = json.loads(path.read_text())
                    yield path.stem, [(name, tuple(map(tuple, labels)), value) for name, labels, value in found]


class _Families:
    """Samples of several workers, as Prometheus' client wants them."""

    def __init__(self, of_workers: Iterable[tuple[str, list[Sample]]]) -> None:
        self._of_workers = list(of_workers)

    def collect(self) -> Iterator[Metric]:
        for names, kind in ((COUNTED, CounterMetricFamily), (MEASURED, GaugeMetricFamily)):
            for name, text in names.items():
                family = kind(f"jobtail_{name}", text)
                for worker, samples in self._of_workers:
                    for found, labels, value in samples:
                        if found == name:
                            family.add_sample(f"jobtail_{name}", {**dict(labels), "worker": worker}, value)
                yield family


def own(service: Service) -> list[Sample]:
    return [*counts.all(), *measured(service)]


async def metrics(request: Request, service: Service, grant: Grant) -> Response:
    snapshots: Snapshots | None = getattr(request.app.state, "snapshots", None)
    text = await METRICS.run(written, own(service), service, snapshots)
    return Response(text, headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"})


def written(here: list[Sample], service: Service, snapshots: Snapshots | None) -> bytes:
    """Blocks: sizes, free space, this process and the other workers are read from files."""
    samples = [*here, *stored(service)]
    others = [] if snapshots is None else snapshots.others()
    registry = CollectorRegistry()
    registry.register(_Families([("0" if snapshots is None else str(snapshots.number), samples), *others]))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


async def keep(snapshots: Snapshots, service: Service) -> None:
    """Tells the other workers, for ever."""
    while True:
        await METRICS.run(snapshots.write, own(service))
        await asyncio.sleep(SNAPSHOT_SECONDS)


routes = [guarded("/metrics", metrics, Action.METRICS)]
