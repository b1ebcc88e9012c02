from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from webapp.engine.backlog import Backlog, backlog_path
from webapp.engine.catalog import Catalog
from webapp.engine.job import Job, new_id, now_ms
from webapp.engine.source import EmbeddedSource
from webapp.errors import Conflict, JobNotFound
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.journal.text import text
from webapp.store.sqlite.journals import SqliteJournals
from webapp.store.sqlite.store import SqliteStore

from .kept import messages

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(data_dir: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(data_dir, Redactor(()))
    yield store
    store.close()


@pytest.fixture
def catalog(store: SqliteStore, data_dir: Path) -> Catalog:
    return Catalog(store, data_dir)


@pytest.fixture
def journals(store: SqliteStore) -> SqliteJournals:
    return store.journals


@pytest.fixture
def source(catalog: Catalog, store: SqliteStore) -> EmbeddedSource:
    return EmbeddedSource(catalog, store.journals, store.reports)


def created(catalog: Catalog, age_ms: int = 0) -> str:
    at = now_ms() - age_ms
    job = Job(new_id(at), "sleep 9", ("sleep", "9"), "/tmp", "host", "me", "3.11", 42, at, at)
    catalog.put(job)
    return job.id


async def test_it_answers_as_an_upstream_does(source: EmbeddedSource, catalog: Catalog) -> None:
    older, newer = created(catalog, 10), created(catalog)
    assert [job.id for job in await source.jobs(5, 0)] == [newer, older]
    assert await source.jobs(5, 2) == []
    status = await source.status(newer)
    assert (status.job_id, status.finished, status.job_status) == (newer, False, "Running")
    config = await source.config(newer)
    assert [step.model_dump()["command"] for step in config.steps] == [["sleep", "9"]]
    assert (await source.cancel(newer, "ada")).job_status == "Canceling"
    await source.aclose()


async def test_a_job_that_is_not_there_is_not_found(source: EmbeddedSource) -> None:
    for ask in (source.status, source.cancel, source.config):
        with pytest.raises(JobNotFound):
            await ask("nothing")
    with pytest.raises(Conflict):
        source.logs("nothing", None)


async def test_lines_that_a_runner_left_behind_are_taken_in(
    source: EmbeddedSource, catalog: Catalog, journals: SqliteJournals, data_dir: Path
) -> None:
    job = created(catalog)
    writer = journals.open(job).claim(60)
    writer.append([Entry(1, "written", {"stream": "stdout"})])
    writer.release()
    left = Backlog(backlog_path(data_dir, job))
    left.after = (writer.fence.epoch, 1)
    left.push([text(2, b"left behind", {"stream": "stdout"})])
    assert left.save()
    await source.status(job)
    assert messages(data_dir) == ["written"]  # its runner may still write them itself
    found = catalog.get(job)
    assert found is not None
    catalog.ended(replace(found, state="Done", exit_code=0))
    await source.status(job)
    assert messages(data_dir) == ["written", "left behind"]
    state = journals.open(job).state()
    assert state.finished and state.complete and state.status is not None and state.status["job_status"] == "Done"
    assert not backlog_path(data_dir, job).exists()
