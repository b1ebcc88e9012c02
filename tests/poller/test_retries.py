"""Backoff and the budget that all pollers of an upstream share."""

from __future__ import annotations

import pytest

from webapp.poller.backoff import Backoff
from webapp.poller.budget import RetryBucket


def test_delays_are_fully_jittered_under_a_bound_that_doubles() -> None:
    backoff = Backoff(0.5, 30)
    assert [backoff.failed(chance=lambda: 1.0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff.attempt == 8
    assert backoff.failed(chance=lambda: 0.0) == 0
    backoff.succeeded()
    assert backoff.attempt == 0
    assert backoff.failed(chance=lambda: 1.0) == 0.5
    assert Backoff(0.5, 30, attempt=10_000).failed(chance=lambda: 1.0) == 30


@pytest.mark.parametrize(("asked", "wanted"), [(None, 0.25), (0.0, 0.25), (3.0, 3.0), (1e9, 120.0)])
def test_what_the_upstream_asks_for_is_the_least(asked: float | None, wanted: float) -> None:
    assert Backoff(0.5, 30).failed(asked, chance=lambda: 0.5) == wanted


def test_a_hundred_jobs_that_fail_at_once_retry_one_after_the_other() -> None:
    bucket = RetryBucket(rate=4, burst=20)
    waits = [bucket.reserve(100.0) for _ in range(100)]
    assert waits[:20] == [0.0] * 20
    assert waits[20:] == pytest.approx([(n + 1) / 4 for n in range(80)])


def test_each_success_pays_for_one_attempt_after_a_failure() -> None:
    bucket = RetryBucket(rate=4, burst=2)
    bucket.earn()  # before anything has failed it is full
    assert [bucket.reserve(0) for _ in range(4)] == [0, 0, 0.25, 0.5]
    for _ in range(3):
        bucket.earn()
    assert bucket.reserve(0) == 0
    for _ in range(100):
        bucket.earn()
    assert [bucket.reserve(0) for _ in range(3)] == [0, 0, 0.25]


def test_the_budget_fills_up_again_but_no_further_than_its_burst() -> None:
    bucket = RetryBucket(rate=4, burst=2)
    assert [bucket.reserve(0) for _ in range(3)] == [0, 0, 0.25]
    assert bucket.reserve(0.5) == 0
    assert [bucket.reserve(1000) for _ in range(3)] == [0, 0, 0.25]
