"""Merging by counts against a plain model: `max(0, n - seen)` of each key are new."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from webapp.poller import tally as module
from webapp.poller.tally import Tally

# (timestamp, message): few of each, so that twins and near misses abound.
pairs = st.tuples(st.integers(0, 12_000), st.integers(0, 2))
logs = st.lists(pairs, max_size=60)


def key(pair: tuple[int, int]) -> int:
    return pair[0] * 10 + pair[1] + 1


def loader(held: list[tuple[int, int]], loads: list[tuple[int, int]] | None = None) -> module.Loader:
    def load(start: int, end: int) -> Counter[int]:
        if loads is not None:
            loads.append((start, end))
        return Counter(key(pair) for pair in held if start <= pair[0] < end)

    return load


@given(held=logs, answer=logs, ordered=st.booleans())
def test_as_many_are_new_as_the_answer_has_more_than_the_journal(
    held: list[tuple[int, int]], answer: list[tuple[int, int]], ordered: bool
) -> None:
    if ordered:
        answer.sort()
    high = max((pair[0] for pair in held), default=-1)
    loads: list[tuple[int, int]] = []
    tally = Tally(loader(held, loads), high)
    new = Counter(pair for pair in answer if not tally.known(pair[0], key(pair)))
    assert new == Counter(answer) - Counter(held)
    assert tally.matched == sum((Counter(answer) & Counter(held)).values())
    # No stretch of the journal is read twice, and none past its end.
    for before, after in zip(sorted(loads), sorted(loads)[1:], strict=False):
        assert before[1] <= after[0]
    assert all(start <= high for start, _ in loads)


@given(held=logs, waiting=logs, answer=logs)
def test_what_waits_to_be_appended_counts_as_seen(
    held: list[tuple[int, int]], waiting: list[tuple[int, int]], answer: list[tuple[int, int]]
) -> None:
    high = max((pair[0] for pair in held), default=-1)
    tally = Tally(loader(held), high, held=Counter(key(pair) for pair in waiting))
    new = Counter(pair for pair in answer if not tally.known(pair[0], key(pair)))
    assert new == Counter(answer) - (Counter(held) + Counter(waiting))


def test_entries_without_a_timestamp_are_counted_by_themselves() -> None:
    tally = Tally(loader([]), -1, untimed={5: 2})
    assert [tally.known_untimed(key) for key in (5, 5, 5, 6)] == [True, True, False, False]


def test_a_long_quiet_log_is_read_in_a_few_stretches() -> None:
    held = [(second * 1000, 0) for second in range(3000)]
    loads: list[tuple[int, int]] = []
    tally = Tally(loader(held, loads), held[-1][0])
    assert all(tally.known(pair[0], key(pair)) for pair in held)
    assert len(loads) < 15


def test_a_busy_log_is_read_in_small_stretches() -> None:
    calls: list[tuple[int, int]] = []

    def load(start: int, end: int) -> dict[int, int]:
        calls.append((start, end))
        return {start * 1_000_000 + n: 1 for n in range(60_000 * (end - start) // 1000)}

    tally = Tally(load, 1_000_000)
    for second in range(40):
        tally.known(second * 1000, 1)
    assert max(end - start for start, end in calls) <= 2000


def test_counts_that_no_answer_confirms_are_let_go_and_loaded_again() -> None:
    def load(start: int, end: int) -> dict[int, int]:
        return {start * 1_000_000 + n + 1: 1 for n in range(200_000)}

    tally = Tally(load, 1_000_000_000)
    for second in range(20):
        tally.known(second * 1000, 0)
    assert sum(map(len, tally._left)) <= module.LEFT_MOST + 200_000
    assert tally.known(0, 1)


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_matches_past_what_is_near_are_counted_as_far(near: int, time: int) -> None:
    tally = Tally(loader([(time, 0)]), 3_000, near_ms=near)
    assert tally.known(time, key((time, 0)))
    assert (tally.near, tally.far) == ((1, 0) if time <= near else (0, 1))
