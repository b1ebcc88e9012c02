"""What is kept beside the journals: the catalog, links, sign-ins, who watches, the key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webapp.errors import Conflict
from webapp.store import tried
from webapp.store.base import Store
from webapp.store.job import CANCELING, FAILED, RUNNING, Cancellation, Job
from webapp.store.report import Report
from webapp.store.share import Link

from .backend import Backend

JOB = Job("j-1", "a job", ("echo", "hi"), "/tmp", "host", "me", "3.11", 42, 1000, 1000, state_ms=1000)


class TestCatalog:
    def test_jobs_are_kept_as_given_and_listed_newest_first(self, store: Store, other: Store) -> None:
        jobs = [replace(JOB, id=f"j-{n}", created_ms=n, state_ms=n) for n in range(1, 4)]
        for job in jobs:
            store.catalog.put(job)
        assert other.catalog.get("j-2") == jobs[1]
        assert other.catalog.newest(2) == [jobs[2], jobs[1]] and other.catalog.newest(5, 2) == [jobs[0]]
        other.catalog.put(replace(jobs[1], name="another"))
        assert [job.name for job in store.catalog.newest(5)] == ["a job", "another", "a job"]
        assert store.catalog.get("none") is None

    def test_a_heartbeat_says_whether_the_job_is_known_and_was_given_up(self, store: Store, backend: Backend) -> None:
        assert store.catalog.heartbeat("j-1") is None
        store.catalog.put(JOB)
        assert store.catalog.heartbeat("j-1") is False
        backend.advance(60)
        found = store.catalog.get("j-1")
        assert found is not None and 55_000 < store.catalog.now_ms() - found.heartbeat_ms < 65_000
        store.catalog.lost(replace(found, state=FAILED, detail="lost", lost=True))
        assert store.catalog.heartbeat("j-1") is True
        after = store.catalog.get("j-1")
        assert after is not None and (after.state, after.detail, after.lost) == (RUNNING, "", False)
        # One that has beaten since it was looked at is not lost.
        backend.advance(1)
        store.catalog.heartbeat("j-1")
        store.catalog.lost(replace(after, state=FAILED, detail="lost", lost=True))
        assert (store.catalog.get("j-1") or JOB).state == RUNNING

    def test_the_first_wish_for_its_end_counts_and_one_that_ended_stays_as_it_is(self, store: Store) -> None:
        store.catalog.put(JOB)
        assert store.catalog.cancel_asked("j-1") is None
        store.catalog.request_cancel("j-1", "ada")
        store.catalog.request_cancel("j-1", "bob")
        assert store.catalog.cancel_asked("j-1") == "ada"
        assert (store.catalog.get("j-1") or JOB).state == CANCELING
        assert store.catalog.ended("j-1", "Canceled", 143, "") and not store.catalog.ended("none", "Done", 0, "")
        store.catalog.request_cancel("j-1", "eve")
        assert (store.catalog.get("j-1") or JOB).state == "Canceled"

    def test_forgetting_leaves_what_still_runs(self, store: Store) -> None:
        store.catalog.put(JOB)
        store.catalog.put(replace(JOB, id="j-2"))
        store.catalog.ended("j-2", "Done", 0, "")
        store.catalog.forget(["j-1", "j-2", "none"])
        assert [job.id for job in store.catalog.newest(5)] == ["j-1"]


def test_who_cancelled_is_kept_in_order(store: Store, other: Store) -> None:
    for who, at in (("ada", 5), ("a guest", 9)):
        store.cancellations.record(Cancellation("a", who, at, "10.0.0.1", "share-1"))
    assert [(found.who, found.at_ms) for found in other.cancellations.of_job("a")] == [("ada", 5), ("a guest", 9)]
    assert other.cancellations.of_job("b") == []


class TestShares:
    def test_a_link_is_seen_and_revoked_by_every_process(self, store: Store, other: Store) -> None:
        link = Link("one", "a-job", 10_000, True, (3, 5))
        made = store.shares.add(link, "for bob", "ada", 1000, most=10)
        assert other.shares.get("one") == made and other.shares.of_job("a-job") == [made]
        other.shares.used("one", 1500)
        assert not other.shares.revoked("one") and other.shares.revoked("never made")
        assert not other.shares.revoke("b-job", "one", 2000)
        assert other.shares.revoke("a-job", "one", 2000) and other.shares.revoke("a-job", "one", 3000)
        (after,) = store.shares.of_job("a-job")
        assert store.shares.revoked("one") and (after.revoked_ms, after.used_ms) == (2000, 1500)

    def test_a_job_has_so_many_that_work_and_no_more(self, store: Store) -> None:
        for n in range(3):
            store.shares.add(Link(f"past-{n}", "a-job", 500), "", "ada", 1000, most=2)
        for n in range(2):
            store.shares.add(Link(f"l-{n}", "a-job", 5000), "", "ada", 1000, most=2)
        with pytest.raises(Conflict, match="revoke"):
            store.shares.add(Link("l-3", "a-job", 5000), "", "ada", 1000, most=2)
        store.shares.revoke("a-job", "l-0", 1000)
        store.shares.add(Link("l-3", "a-job", 5000), "", "ada", 1000, most=2)
        assert store.shares.of_job("a-job")[0].link.id == "l-3"


def test_a_sign_in_that_was_ended_stays_so_for_all_until_it_would_have_ended(store: Store, other: Store) -> None:
    store.sessions.end("s", 5000, 1000)
    store.sessions.end("s", 5000, 1000)
    assert other.sessions.ended("s") and not other.sessions.ended("t")
    store.sessions.end("u", 9000, 6000)
    assert not other.sessions.ended("s") and other.sessions.ended("u")


def test_those_who_watch_are_counted_over_all_processes_while_they_live(
    store: Store, other: Store, backend: Backend
) -> None:
    store.presence.announce("p-1", {"a": 3, "b": 1}, 10)
    other.presence.announce("p-2", {"a": 2, "c": 0}, 10)
    assert store.presence.counts(["a", "b", "c"]) == {"a": 5, "b": 1}
    backend.advance(6)
    store.presence.announce("p-1", {"a": 1}, 10)
    backend.advance(6)
    assert other.presence.counts(["a", "b"]) == {"a": 1}


class TestAttempts:
    def test_wrong_tokens_of_all_processes_are_counted_together(
        self, store: Store, other: Store, backend: Backend
    ) -> None:
        assert store.attempts.of("token", ["a", "b"]) == {}
        store.attempts.failed("token", {"a": 2, "b": 1}, set())
        backend.advance(5)
        other.attempts.failed("token", {"a": 3}, {"a"})
        found = store.attempts.of("token", ["a", "b", "c"])
        assert set(found) == {"a", "b"} and (found["a"].failures, found["a"].known) == (5, True)
        assert (found["b"].failures, found["b"].known) == (1, False)
        assert found["a"].age < 4 <= found["b"].age
        assert store.attempts.of("sign-in", ["a"]) == {}, "each door has counts of its own"

    def test_the_right_one_wipes_the_slate_for_all(self, store: Store, other: Store) -> None:
        store.attempts.failed("token", {"a": 7, "b": 7}, set())
        other.attempts.succeeded("token", ["a", "never failed"])
        found = store.attempts.of("token", ["a", "b", "never failed"])
        assert (found["a"].failures, found["a"].known, found["b"].failures) == (0, True, 7) and len(found) == 2
        store.attempts.failed("token", {"a": 1}, set())
        assert (other.attempts.of("token", ["a"])["a"].failures, found["a"].known) == (1, True)

    def test_a_quarter_of_an_hour_forgives(self, store: Store, backend: Backend) -> None:
        store.attempts.failed("token", {"a": 7}, set())
        backend.advance(tried.FORGET_SECONDS + 5)
        assert store.attempts.of("token", ["a"]) == {}
        store.attempts.failed("token", {"a": 1}, set())
        assert store.attempts.of("token", ["a"])["a"].failures == 1

    def test_only_the_newest_addresses_are_kept(self, store: Store, backend: Backend) -> None:
        for n in range(3):
            store.attempts.failed("token", {f"{n}-{m}": 1 for m in range(tried.MOST // 2)}, set())
            backend.advance(1)
        assert len(store.attempts.of("token", [f"0-{m}" for m in range(0, tried.MOST // 2, 97)])) == 0
        newest = [f"2-{m}" for m in range(0, tried.MOST // 2, 97)]
        assert len(store.attempts.of("token", newest)) == len(newest)


def test_all_have_one_key_and_it_lasts(backend: Backend) -> None:
    key = backend.open().secret_key()
    assert len(key) >= 40 and backend.open().secret_key() == key
    backend.close()
    assert backend.open().secret_key() == key


def test_what_can_be_written_says_so(store: Store) -> None:
    store.writable()


def test_a_job_is_reported_by_whoever_said_so_first_and_by_its_newest_run(store: Store, other: Store) -> None:
    assert store.reports.get("a-job") is None
    first = Report("a-job", "ci.p1", 3, "ci")
    assert store.reports.begin(first) == first
    assert other.reports.begin(Report("a-job", "ci.p2", 9)) == first
    assert (
        other.reports.begin(Report("a-job", "ci.p1", 4))
        == store.reports.get("a-job")
        == Report("a-job", "ci.p1", 4, "ci")
    )
    assert other.reports.begin(Report("a-job", "ci.p1", 2)).epoch == 4
    store.reports.forget(["a-job", "never"])
    assert other.reports.get("a-job") is None
