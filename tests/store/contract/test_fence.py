"""Who may write a journal, and who may not any more."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from webapp.errors import BegunAnew, LeaseHeld, LeaseLost, LineMoved, OutcomeUnknown
from webapp.store.base import Journal, Store, Writer

from .backend import Backend
from .lines import entries, lines, messages, numbered

WRITES = {
    "append": lambda writer: writer.append(entries(90, 1)),
    "add_gap": lambda writer: writer.add_gap(0, "upstream", 5),
    "set_status": lambda writer: writer.set_status({"job_id": "a-job", "job_status": "Zombie"}),
    "set_upstream": lambda writer: writer.set_upstream({"state": "zombie"}),
    "set_partial": lambda writer: writer.set_partial({"message": "zombie"}),
    "finish": lambda writer: writer.finish(True),
    "reopen": lambda writer: writer.reopen(),
    "renew": lambda writer: writer.renew(),
    "resume": lambda writer: writer.resume(),
}


def test_one_has_the_lease_and_who_asks_meanwhile_is_told_who_and_for_how_long(store: Store, other: Store) -> None:
    writer = store.journals.open("a-job").claim(60)
    with pytest.raises(LeaseHeld) as held:
        other.journals.open("a-job").claim(60)
    assert held.value.holder and 0 < held.value.seconds <= 60
    assert other.journals.open("a-job").state().held
    writer.release()
    assert not other.journals.open("a-job").state().held
    other.journals.open("a-job").claim(60)


def test_the_token_grows_with_each_taking(journal: Journal, backend: Backend) -> None:
    tokens = []
    for turn in range(4):
        writer = journal.claim(5, take_over=turn == 1)
        tokens.append(writer.fence.token)
        if turn != 0:
            writer.release()
    assert tokens == sorted(set(tokens))
    assert all(writer.fence.epoch == journal.state().epoch for writer in [journal.claim(5)])


def test_a_lease_lasts_as_long_as_it_is_renewed(journal: Journal, backend: Backend, other: Store) -> None:
    writer = journal.claim(5)
    for _ in range(4):
        backend.advance(4)
        writer.renew()
    with pytest.raises(LeaseHeld):
        other.journals.open("a-job").claim(5)
    backend.advance(5.1)
    assert not journal.state().held
    other.journals.open("a-job").claim(5)


def test_a_lease_that_ended_and_that_nobody_took_is_still_good(journal: Journal, backend: Backend) -> None:
    writer = journal.claim(5)
    backend.advance(60)
    writer.append(entries(0, 1))
    writer.renew()
    assert journal.state().held and messages(journal) == numbered(1)


@pytest.mark.parametrize("write", WRITES)
def test_a_writer_that_was_paused_while_another_wrote_can_do_nothing(
    journal: Journal, backend: Backend, other: Store, write: str
) -> None:
    zombie = journal.claim(5)
    zombie.append(entries(0, 3))
    backend.advance(60)
    heir = other.journals.open("a-job").claim(5)
    heir.append(entries(3, 3))
    heir.release()  # it died, or is done: the lease is free again
    before = journal.state()
    with pytest.raises(LeaseLost):
        WRITES[write](zombie)
    zombie.release()
    assert journal.state() == before and messages(journal) == numbered(6)


def test_a_lease_that_is_released_late_takes_nothing_from_its_heir(journal: Journal, backend: Backend) -> None:
    late = journal.claim(5)
    backend.advance(60)
    heir = journal.claim(5)
    late.release()
    assert journal.state().held
    heir.append(entries(0, 1))


def test_whoever_has_a_right_to_it_takes_it_over_at_once(journal: Journal) -> None:
    guest = journal.claim(60)
    owner = journal.claim(60, take_over=True)
    with pytest.raises(LeaseLost):
        guest.append(entries(0, 1))
    owner.append(entries(0, 1))


@pytest.mark.parametrize("write", sorted(WRITES.keys() - {"renew", "resume"}))
def test_nothing_is_written_to_a_journal_that_was_begun_anew_before_the_writer_knows_of_it(
    journal: Journal, other: Store, write: str
) -> None:
    writer = journal.claim(60)
    writer.append(entries(0, 3))
    other.journals.open("a-job").forget()
    before = journal.state()
    writer.renew()
    with pytest.raises(BegunAnew):
        WRITES[write](writer)
    assert journal.state() == before
    state = writer.resume()
    assert (state.epoch, state.last_line) == (writer.fence.epoch, 0) and state.epoch == before.epoch
    WRITES[write](writer)


def test_a_writer_that_is_wrong_about_the_last_line_writes_nothing(journal: Journal) -> None:
    writer = journal.claim(60)
    twin = journal.claim(60, take_over=True)
    twin.append(entries(0, 2))
    writer.fence = twin.fence  # type: ignore[misc]  # as if the fence alone were asked
    with pytest.raises(LineMoved):
        writer.append(entries(0, 2))
    writer.resume()
    writer.append(entries(2, 1))
    assert messages(journal) == numbered(3)


@pytest.mark.parametrize("lands", [True, False])
def test_an_append_whose_commit_had_an_unknown_outcome_is_asked_for_again_and_lands_once(
    journal: Journal, backend: Backend, lands: bool
) -> None:
    writer = journal.claim(60)
    writer.append(entries(0, 10))
    with backend.unknown_commit(lands=lands), pytest.raises(OutcomeUnknown):
        writer.append(entries(10, 1200))
    batches = writer.append(entries(10, 1200))
    assert (batches[0].first, batches[-1].last) == (11, 1210)
    writer.append(entries(1210, 5))
    assert messages(journal) == numbered(1215)
    assert [line["line"] for line in lines(journal)] == list(range(1, 1216))


@pytest.mark.parametrize("lands", [True, False])
def test_after_an_unknown_outcome_one_may_ask_what_there_is_instead(
    journal: Journal, backend: Backend, lands: bool
) -> None:
    writer = journal.claim(60)
    with backend.unknown_commit(lands=lands), pytest.raises(OutcomeUnknown):
        writer.append(entries(0, 7))
    state = writer.resume()
    assert state.last_line == (7 if lands else 0)
    writer.append(entries(state.last_line, 10 - state.last_line))
    assert messages(journal) == numbered(10)


def test_other_entries_after_an_unknown_outcome_are_refused_where_it_landed(journal: Journal, backend: Backend) -> None:
    writer = journal.claim(60)
    with backend.unknown_commit(lands=True), pytest.raises(OutcomeUnknown):
        writer.append(entries(0, 7))
    for _ in range(2):
        with pytest.raises(LineMoved):
            writer.append(entries(50, 7))
    assert messages(journal) == numbered(7)


def test_after_an_unknown_outcome_and_the_loss_of_the_lease_nothing_is_written(
    journal: Journal, backend: Backend, other: Store
) -> None:
    writer = journal.claim(5)
    with backend.unknown_commit(lands=False), pytest.raises(OutcomeUnknown):
        writer.append(entries(0, 7))
    backend.advance(60)
    other.journals.open("a-job").claim(5).append(entries(0, 7))
    with pytest.raises(LeaseLost):
        writer.append(entries(0, 7))
    assert messages(journal) == numbered(7)


def test_of_many_who_ask_at_once_one_gets_it(backend: Backend) -> None:
    stores = [backend.open() for _ in range(4)]
    won: list[Writer] = []
    start = threading.Barrier(len(stores), timeout=30)

    def ask(store: Store) -> None:
        journal = store.journals.open("a-job")
        start.wait()
        with contextlib.suppress(LeaseHeld):
            won.append(journal.claim(60))

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(ask, stores))
    assert len(won) == 1
