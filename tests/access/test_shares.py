"""The list of links, and what two processes on one folder see of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.access import shares as module
from webapp.access.shares import Shares, now_ms
from webapp.errors import Conflict
from webapp.journal.redact import Redactor
from webapp.store.share import Link
from webapp.store.sqlite.store import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path, Redactor(()))
    yield store
    store.close()


@pytest.fixture
def shares(store: SqliteStore) -> Shares:
    return Shares(store)


def link(name: str, job: str = "a-job", seconds: int = 60, **more: object) -> Link:
    return Link(name, job, now_ms() + seconds * 1000, **more)  # type: ignore[arg-type]


def test_links_are_listed_newest_first(shares: Shares) -> None:
    shares.add(link("one"), "first", "ada")
    shares.add(link("two", can_cancel=True, lines=(3, 5)), "", "ada")
    shares.add(link("other", job="b-job"), "", "ada")
    newest, oldest = shares.of_job("a-job")
    assert (newest.link.id, newest.link.can_cancel, newest.link.lines) == ("two", True, (3, 5))
    assert (oldest.note, oldest.made_by, oldest.revoked_ms, oldest.used_ms) == ("first", "ada", None, None)


def test_a_revoked_link_stays_in_the_list_and_works_no_more(shares: Shares) -> None:
    shares.add(link("one"), "", "ada")
    assert not shares.revoked("one")
    assert shares.revoke("a-job", "one")
    assert shares.revoked("one")
    (share,) = shares.of_job("a-job")
    assert share.revoked_ms is not None and not share.works(now_ms())
    assert shares.revoke("a-job", "one")
    assert shares.of_job("a-job")[0].revoked_ms == share.revoked_ms


def test_a_link_is_revoked_by_its_own_job_alone(shares: Shares) -> None:
    shares.add(link("one"), "", "ada")
    assert not shares.revoke("b-job", "one")
    assert not shares.revoke("a-job", "none")
    assert not shares.revoked("one")


def test_an_unknown_link_counts_as_revoked(shares: Shares) -> None:
    assert shares.revoked("never made")


def test_another_process_learns_of_it_within_a_second(
    shares: Shares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    theirs = SqliteStore(tmp_path, Redactor(()))
    other = Shares(theirs)
    shares.add(link("one"), "", "ada")
    assert not other.revoked("one")
    shares.revoke("a-job", "one")
    assert not other.revoked("one"), "believed for half a second"
    clock[0] += 1.1
    assert other.revoked("one")
    theirs.close()


def test_the_last_use_is_noted_and_not_at_every_look(shares: Shares) -> None:
    shares.add(link("one"), "", "ada")
    assert shares.unnoted("one")
    shares.used("one")
    assert not shares.unnoted("one")
    assert shares.of_job("a-job")[0].used_ms is not None


def test_a_job_has_so_many_links_and_no_more(shares: Shares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LIVE", 2)
    shares.add(link("one"), "", "ada")
    shares.add(link("two"), "", "ada")
    with pytest.raises(Conflict, match="revoke"):
        shares.add(link("three"), "", "ada")
    shares.revoke("a-job", "one")
    shares.add(link("three"), "", "ada")


def test_links_that_ended_long_ago_are_forgotten(shares: Shares) -> None:
    shares.add(link("old", seconds=-31 * 86_400), "", "ada")
    shares.add(link("new"), "", "ada")
    assert [share.link.id for share in shares.of_job("a-job")] == ["new"]


def test_a_session_that_was_ended_stays_ended(shares: Shares, tmp_path: Path) -> None:
    assert not shares.session_ended("s")
    shares.end_session("s", now_ms() + 60_000)
    assert shares.session_ended("s")
    theirs = SqliteStore(tmp_path, Redactor(()))
    assert Shares(theirs).session_ended("s")
    theirs.close()


def test_what_is_believed_is_bounded(shares: Shares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN", 10)
    for n in range(100):
        shares.revoked(str(n))
    assert len(shares._links) <= 10
