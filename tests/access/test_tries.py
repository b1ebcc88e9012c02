"""Slowing down whoever guesses."""

import pytest

from webapp.access import tries
from webapp.access.tries import Tries, wait
from webapp.errors import TooManyTries
from webapp.store.tried import Tried


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (9, 0), (10, 1), (11, 2), (12, 4), (15, 32), (16, 60), (10_000, 60)]
)
def test_the_wait_grows_to_a_minute(failures: int, seconds: float) -> None:
    assert wait(failures, 10) == seconds


def fail(counted: Tries, times: int, address: str = "a") -> None:
    for _ in range(times):
        counted.failed(address)


def test_after_some_failures_one_waits_and_then_may_try_again() -> None:
    clock = Clock()
    counted = Tries(3, clock=clock)
    fail(counted, 2)
    counted.check("a")
    fail(counted, 1)
    with pytest.raises(TooManyTries) as refused:
        counted.check("a")
    assert refused.value.retry_after == 1
    clock.now += 1
    counted.check("a")


def test_others_do_not_wait() -> None:
    counted = Tries(1, clock=Clock())
    fail(counted, 5)
    counted.check("b")


def test_the_right_token_wipes_the_slate() -> None:
    counted = Tries(3, generous=False, clock=Clock())
    fail(counted, 2)
    counted.succeeded("a")
    fail(counted, 2)
    counted.check("a")


def test_where_the_right_token_came_from_more_is_borne() -> None:
    counted = Tries(3, clock=Clock())
    counted.succeeded("a")
    fail(counted, 29)
    counted.check("a")
    fail(counted, 1)
    with pytest.raises(TooManyTries):
        counted.check("a")


def test_a_quarter_of_an_hour_forgives() -> None:
    clock = Clock()
    counted = Tries(3, clock=clock)
    fail(counted, 50)
    clock.now += tries.FORGET_AFTER + 1
    counted.check("a")
    fail(counted, 1)
    counted.check("a")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "MAX_ADDRESSES", 10)
    counted = Tries(3, clock=Clock())
    for n in range(1000):
        counted.failed(str(n))
    assert len(counted._counts) == 10


def test_what_others_know_counts_here_together_with_what_they_were_not_told() -> None:
    clock = Clock()
    counted = Tries(3, generous=False, clock=clock)
    fail(counted, 2)
    assert counted.suspects() == ["a"] and counted.untold
    news = counted.news()
    assert news.failed == {"a": 2} and not counted.untold
    fail(counted, 1)
    counted.learn("a", Tried(5, 0.0, False))
    with pytest.raises(TooManyTries) as refused:
        counted.check("a")
    assert refused.value.retry_after == 8, "5 of all, and 1 that they know nothing of"


def test_what_could_not_be_told_is_told_another_time() -> None:
    counted = Tries(3, clock=Clock())
    fail(counted, 2)
    news = counted.news()
    fail(counted, 1)
    counted.keep(news)
    assert counted.news().failed == {"a": 3}
    fail(counted, 1)
    news = counted.news()
    counted.succeeded("a")
    counted.keep(news)
    last = counted.news()
    assert last.failed == {} and last.cleared == {"a"}


def test_an_address_from_which_the_right_one_came_elsewhere_is_borne_more_here() -> None:
    counted = Tries(3, clock=Clock())
    counted.learn("a", Tried(29, 0.0, True))
    counted.check("a")
    counted.learn("a", Tried(0, 0.0, True))
    fail(counted, 29)
    counted.check("a")
