"""A disk that does not answer for some jobs: the others' lines come on."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.security.house import OWNER, House
from tests.served import environment, until
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journals import SqliteJournals

from .conftest import ticking, unhindered, watched

JOBS = [f"stuck-{n}" for n in range(12)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House.opened(tmp_path) as house, ticking(house):
        yield house


@contextmanager
def stopped_within_a_commit(files: list[str]) -> Iterator[None]:
    """A process that holds the locks of these files and does nothing any more."""
    command = [sys.executable, "-m", "tests.abuse.stuck", *files]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment({}))
    try:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGSTOP)
        yield
    finally:
        process.kill()
        process.communicate()


def test_jobs_whose_journals_are_locked_hold_up_no_other(house: House) -> None:
    """Twelve jobs that are watched and written to, whose journals somebody has locked and keeps locked."""
    for job in JOBS:
        house.upstream.job(job).log("before")
        assert len(house.owner("GET", f"/api/jobs/{job}/logs").json()) == 1
    undisturbed = unhindered(house.url)
    journals = SqliteJournals(house.served.data_dir, Redactor(()), beat_ms=1000)

    def reads(job: str) -> int:
        """It may wait for as long as a lock is waited for, or say that the journal can't be written."""
        return house.served.get(f"/api/jobs/{job}/logs", headers=OWNER, timeout=60).status_code

    with (
        stopped_within_a_commit([str(journals.path(job)) for job in JOBS]),
        watched(house.served, "locked journals of 12 jobs", "the service", house.url, undisturbed) as owner,
        ThreadPoolExecutor(len(JOBS)) as asking,
    ):
        for job in JOBS:
            house.upstream.jobs[job].log("while it is locked")
        # That a disk hangs is found out once for each job, a second for every four of them.
        assert set(asking.map(reads, JOBS)) <= {200, 503}
        owner.delays.clear()
        owner.watches(8)
    for job in JOBS:
        until(lambda job=job: len(house.owner("GET", f"/api/jobs/{job}/logs").json()) == 2, f"the lines of {job}", 60)
