from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from webapp.engine.catalog import Catalog
from webapp.engine.job import LOST_AFTER_MS, Job, new_id, now_ms, record_of, status_of
from webapp.engine.lock import RunnerLock
from webapp.journal.redact import Redactor
from webapp.store.sqlite.store import SqliteStore


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    store = SqliteStore(tmp_path, Redactor(()))
    yield Catalog(store, tmp_path)
    store.close()


def job(at_ms: int | None = None, name: str = "a job") -> Job:
    at = now_ms() if at_ms is None else at_ms
    return Job(new_id(at), name, ("echo", "hi"), "/tmp", "host", "me", "3.11", 42, at, at)


def test_a_job_is_kept_as_it_was_created(catalog: Catalog) -> None:
    made = job()
    catalog.put(made)
    found = catalog.get(made.id)
    assert found is not None and found.command == ("echo", "hi") and found.state == "Running"
    assert catalog.get("other") is None


def test_jobs_are_listed_newest_first_in_pages(catalog: Catalog) -> None:
    now = now_ms()
    for n in range(5):
        catalog.put(job(now + n, f"job {n}"))
    assert [found.name for found in catalog.newest(2)] == ["job 4", "job 3"]
    assert [found.name for found in catalog.newest(10, 3)] == ["job 1", "job 0"]
    assert catalog.newest(10, 5) == []


def test_the_status_has_every_field_of_the_wire(catalog: Catalog) -> None:
    made = job()
    catalog.put(made)
    running = status_of(made).model_dump(mode="json")
    assert running["status"] == "running" and running["finished_job_status"] is False
    assert (running["finished_tasks"], running["total_tasks"]) == (0, 1)
    catalog.ended(replace(made, state="Failed", exit_code=3, detail="exit code 3"))
    found = catalog.get(made.id)
    assert found is not None
    status = status_of(found)
    assert status.finished and status.terminal_status and status.job_status == "Failed"
    assert status.model_dump()["exit_code"] == 3 and status.model_dump()["detail"] == "exit code 3"
    assert record_of(found).job_status == "Failed"


def test_the_first_request_to_cancel_is_the_one_that_counts(catalog: Catalog) -> None:
    made = job()
    catalog.put(made)
    assert catalog.cancel_asked(made.id) is None
    asked = catalog.request_cancel(made.id, "ada")
    assert asked is not None and asked.state == "Canceling"
    catalog.request_cancel(made.id, "bob")
    assert catalog.cancel_asked(made.id) == "ada"
    catalog.ended(replace(made, state="Canceled", exit_code=143))
    after = catalog.request_cancel(made.id, "eve")
    assert after is not None and after.state == "Canceled"
    assert catalog.request_cancel("other") is None


def test_a_job_without_heartbeat_and_lock_is_found_lost_and_that_is_recorded(catalog: Catalog) -> None:
    made = job(now_ms() - LOST_AFTER_MS - 1000)
    catalog.put(made)
    found = catalog.get(made.id)
    assert found is not None and found.lost
    assert (found.state, found.detail) == ("Failed", "its runner was lost")
    again = catalog.newest(1)[0]
    assert again.lost and again.state_ms == found.state_ms


def test_a_runner_that_only_slept_is_not_lost(catalog: Catalog, tmp_path: Path) -> None:
    made = job(now_ms() - 60_000)
    lock = RunnerLock(tmp_path, made.id)
    lock.hold()
    catalog.put(made)
    assert (found := catalog.get(made.id)) is not None and found.state == "Running"
    lock.release()
    assert (found := catalog.get(made.id)) is not None and found.state == "Failed"


def test_a_runner_that_was_given_up_and_beats_again_runs_again(catalog: Catalog) -> None:
    made = job(now_ms() - 60_000)
    catalog.put(made)
    assert catalog.newest(1)[0].lost
    assert catalog.heartbeat(made) is True
    found = catalog.get(made.id)
    assert found is not None and found.state == "Running" and not found.lost and found.detail == ""
    assert catalog.heartbeat(made) is False


def test_who_cancelled_is_kept(catalog: Catalog) -> None:
    catalog.record_cancel("a", "ada", 5, "127.0.0.1")
    catalog.record_cancel("a", "a guest", 9, "10.0.0.1", "share-1")
    assert [(entry.who, entry.at_ms, entry.share) for entry in catalog.cancels("a")] == [
        ("ada", 5, ""),
        ("a guest", 9, "share-1"),
    ]
    assert catalog.cancels("b") == []


def test_forgetting_leaves_what_still_runs(catalog: Catalog) -> None:
    running, over = job(), job()
    catalog.put(running)
    catalog.put(over)
    catalog.ended(replace(over, state="Done", exit_code=0))
    catalog.forget([running.id, over.id])
    assert [found.id for found in catalog.newest(10)] == [running.id]


def test_two_processes_share_one_catalog(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path, Redactor(())) for _ in range(2)]
    first, second = (Catalog(store, tmp_path) for store in stores)
    made = job()
    first.put(made)
    second.request_cancel(made.id, "ada")
    assert first.cancel_asked(made.id) == "ada"
    for store in stores:
        store.close()
