"""Lines that a runner left behind, and several services that find them at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from webapp.engine.backlog import Backlog, backlog_path
from webapp.engine.catalog import Catalog
from webapp.engine.source import EmbeddedSource
from webapp.journal.text import text
from webapp.store.base import Journals
from webapp.store.job import DONE

from .backend import Backend
from .lines import lines
from .test_small import JOB

JOBS, TIMES = 20, 10  # 200 tries
LINES = 60


def test_two_services_give_each_line_of_a_backlog_once(backend: Backend, tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    stores = [backend.open(), backend.open()]
    sources = [EmbeddedSource(Catalog(store, folder), store.journals, store.reports) for store in stores]
    jobs = [f"job-{n}" for n in range(JOBS)]
    now = stores[0].catalog.now_ms()
    for job in jobs:
        stores[0].catalog.put(replace(JOB, id=job, state=DONE, exit_code=0, heartbeat_ms=now))
    together = threading.Barrier(2, timeout=30)

    def serve(source: EmbeddedSource) -> None:
        for job in jobs:
            for time in range(TIMES):
                if together.wait() == 0:
                    leave(stores[0].journals, folder, job, time * LINES)
                together.wait()
                source._looked_up(job)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(serve, sources))
    for job in jobs:
        journal = stores[1].journals.open(job)
        assert [line["message"] for line in lines(journal)] == [str(n) for n in range(TIMES * LINES)], job
        assert (journal.state().finished, journal.state().complete, journal.gaps(0, 1 << 40)) == (True, True, []), job
        assert not backlog_path(folder, job).exists()


def leave(journals: Journals, folder: Path, job: str, first: int) -> None:
    """As a runner does that could not write to the journal any more."""
    backlog = Backlog(backlog_path(folder, job))
    backlog.after = (journals.open(job).state().epoch, first) if first else ("", 0)
    backlog.push([text(n, str(n).encode(), {"stream": "stdout"}) for n in range(first, first + LINES)])
    assert backlog.save()
