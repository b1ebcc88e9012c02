"""An older state that is put back: no id ever stands for two lines."""

from __future__ import annotations

import pytest

from webapp.errors import JournalError, LeaseLost
from webapp.store.base import Journal, Store, Writer

from .backend import Backend
from .lines import entries, lines, messages, numbered


def written(store: Store, writer: Writer | None, first: int, count: int) -> Writer:
    writer = writer or store.journals.open("a-job").claim(5)
    writer.append(entries(first, count))
    return writer


def again(store: Store) -> Journal:
    """The journal, once what was put back has been noticed: the call that does so says so, once."""
    journal = store.journals.open("a-job")
    try:
        journal.state()
    except JournalError:
        journal.state()
    return journal


def test_put_back_while_stopped_it_goes_on_under_a_new_epoch(backend: Backend) -> None:
    store = backend.open()
    writer = written(store, None, 0, 600)
    saved = backend.save()
    written(store, writer, 600, 50)
    given = {line["id"]: line["message"] for line in lines(store.journals.open("a-job"))}
    backend.close()
    backend.restore(saved)
    backend.advance(60)
    store = backend.open()
    journal = store.journals.open("a-job")
    assert messages(journal) == numbered(600)
    journal.claim(5).append(entries(5000, 100))
    found = {line["id"]: line["message"] for line in lines(journal)}
    assert len(found) == 700 and not {id for id, message in found.items() if given.get(id, message) != message}
    assert {id.partition("-")[0] for id in found} == {journal.state().epoch}


def test_put_back_while_it_runs_it_goes_on_under_a_new_epoch_and_the_writer_has_to_begin_anew(
    backend: Backend, store: Store, other: Store
) -> None:
    writer = written(store, None, 0, 30)
    other.journals.open("a-job").state()
    saved = backend.save()
    written(store, writer, 30, 30)
    epoch = store.journals.open("a-job").state().epoch
    backend.restore(saved)
    with pytest.raises(JournalError):
        writer.append(entries(60, 1))
    with pytest.raises(LeaseLost):
        writer.append(entries(60, 1))
    journal = again(store)
    assert journal.state().epoch != epoch and messages(journal) == numbered(30)
    journal.claim(5).append(entries(30, 5))
    assert lines(again(other)) == lines(journal) and len(lines(journal)) == 35


def test_the_same_state_put_back_twice_never_gives_the_same_ids(backend: Backend) -> None:
    store = backend.open()
    written(store, None, 0, 10)
    saved = backend.save()
    backend.close()
    given: set[str] = set()
    for turn in range(3):
        backend.restore(saved)
        backend.advance(60)
        store = backend.open()
        journal = store.journals.open("a-job")
        journal.claim(5).append(entries(1000 * turn, 5))
        new = {line["id"] for line in lines(journal)[10:]}
        assert not new & given
        given |= new
        backend.close()


def test_what_was_never_put_back_keeps_its_epoch_over_every_restart(backend: Backend) -> None:
    store = backend.open()
    written(store, None, 0, 10).release()
    epoch = store.journals.open("a-job").state().epoch
    for turn in range(1, 4):
        backend.close()
        store = backend.open()
        written(store, None, 10 * turn, 10).release()
        assert store.journals.open("a-job").state().epoch == epoch
    assert messages(store.journals.open("a-job")) == numbered(40)
