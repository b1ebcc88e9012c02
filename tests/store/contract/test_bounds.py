"""Journals go when they are too old or too large together, and none that is written."""

from __future__ import annotations

from webapp.journal.line import Entry
from webapp.store.base import Store

from .backend import Backend
from .lines import entries, messages, numbered

DAY = 86_400


def fill(store: Store, job: str, count: int = 600) -> None:
    writer = store.journals.open(job).claim(5)
    writer.append([Entry(n + 1, "x" * 1000, None, n + 1) for n in range(count)])
    writer.release()
    store.journals.release(job)


def test_a_journal_outlives_its_last_line_by_so_long_and_no_longer(backend: Backend) -> None:
    store = backend.open(retention_days=1)
    fill(store, "old", 5)
    backend.advance(0.6 * DAY)
    fill(store, "young", 5)
    assert store.journals.sweep() == []
    backend.advance(0.6 * DAY)
    assert store.journals.sweep() == ["old"]
    assert not store.journals.known("old") and store.journals.known("young")


def test_where_all_are_too_large_together_the_oldest_go_first(backend: Backend) -> None:
    store = backend.open(max_bytes=1 << 20)
    for job in ("old", "elder", "younger"):
        fill(store, job)
        backend.advance(600)
    gone = store.journals.sweep()
    assert gone == ["old", "elder"] and store.journals.known("younger")


def test_one_that_is_written_stays_however_old_its_last_line_is(backend: Backend, other: Store) -> None:
    store = backend.open(retention_days=1)
    writer = other.journals.open("a-job").claim(5)
    writer.append(entries(0, 5))
    backend.advance(3 * DAY)
    writer.renew()
    assert store.journals.sweep() == []
    writer.append(entries(5, 5))
    assert messages(store.journals.open("a-job")) == numbered(10)


def test_what_was_just_appended_is_not_swept_away(backend: Backend, other: Store) -> None:
    store = backend.open(retention_days=1)
    writer = other.journals.open("a-job").claim(5)
    writer.append(entries(0, 5))
    backend.advance(3 * DAY)
    writer.append(entries(5, 5))  # the lease has ended, and nobody else has it
    epoch = writer.fence.epoch
    assert store.journals.sweep() == []
    assert (writer.resume().epoch, messages(store.journals.open("a-job"))) == (epoch, numbered(10))


def test_one_that_begins_again_after_it_was_swept_away_has_another_epoch(backend: Backend) -> None:
    store = backend.open(retention_days=1)
    writer = store.journals.open("a-job").claim(5)
    writer.append(entries(0, 5))
    epoch = writer.fence.epoch
    store.journals.release("a-job")
    backend.advance(3 * DAY)
    assert store.journals.sweep() == ["a-job"]
    journal = store.journals.open("a-job")
    assert journal.state().epoch != epoch and messages(journal) == []
