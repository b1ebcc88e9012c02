from __future__ import annotations

import pytest

from webapp.poller.drain import Drain, Verdict

QUIET = {"failed": False, "new": 0, "whole": False}
NEWS = {"failed": False, "new": 3, "whole": False}
FAILED = {"failed": True, "new": 0, "whole": False}
WHOLE = {"failed": False, "new": 0, "whole": True}


@pytest.mark.parametrize(
    ("rounds", "wanted"),
    [
        ([(1, QUIET)], Verdict.WAIT),
        ([(1, QUIET), (2, QUIET)], Verdict.WAIT),
        ([(1, QUIET), (5, QUIET)], Verdict.RECONCILE),
        ([(5, QUIET)], Verdict.WAIT),
        ([(1, QUIET), (5, NEWS)], Verdict.WAIT),
        ([(1, QUIET), (5, FAILED)], Verdict.WAIT),
        ([(1, FAILED), (4, FAILED), (5, QUIET)], Verdict.WAIT),
        ([(1, QUIET), (4, FAILED), (5, QUIET)], Verdict.RECONCILE),
        ([(1, QUIET), (4, NEWS), (5, QUIET)], Verdict.WAIT),
        ([(1, QUIET), (5, QUIET), (6, WHOLE)], Verdict.OVER),
        ([(1, QUIET), (5, QUIET), (6, {**WHOLE, "new": 1})], Verdict.WAIT),
        ([(1, QUIET), (5, QUIET), (6, {**WHOLE, "failed": True})], Verdict.RECONCILE),
        ([(59, NEWS), (60, NEWS)], Verdict.GIVEN_UP),
        ([(60, FAILED)], Verdict.GIVEN_UP),
        ([(59, QUIET), (70, WHOLE)], Verdict.OVER),
        ([(100, {**NEWS, "took": 90})], Verdict.WAIT),
        ([(100, {**NEWS, "took": 44})], Verdict.GIVEN_UP),
        ([(60, {**NEWS, "took": 5})], Verdict.GIVEN_UP),
        ([(40, {**NEWS, "took": 38}), (101, NEWS)], Verdict.GIVEN_UP),
    ],
)
def test_when_a_log_is_over(rounds: list[tuple[float, dict[str, object]]], wanted: Verdict) -> None:
    drain = Drain(least=5, rounds=2, most=60)
    drain.finished(0)
    for now, how in rounds:
        verdict = drain.round(now=now, **how)  # type: ignore[arg-type]
    assert verdict is wanted


def test_a_job_that_runs_again_begins_its_drain_anew() -> None:
    drain = Drain(least=5, rounds=2, most=60)
    drain.finished(0)
    drain.round(now=4, **QUIET)  # type: ignore[arg-type]
    drain.running()
    assert drain.round(now=100, **QUIET) is Verdict.WAIT  # type: ignore[arg-type]
    drain.finished(100)
    drain.finished(101)
    assert drain.round(now=104, **QUIET) is Verdict.WAIT  # type: ignore[arg-type]
    assert drain.round(now=105, **QUIET) is Verdict.RECONCILE  # type: ignore[arg-type]


def verdicts(drain: Drain, until: int, arrivals: dict[int, int], **how: object) -> list[int]:
    """A round a second after the end; the seconds at which the whole log would be read."""
    drain.finished(0)
    return [
        now
        for now in range(1, until + 1)
        if drain.round(now=now, **{**QUIET, "new": arrivals.get(now, 0), **how}) is Verdict.RECONCILE  # type: ignore[arg-type]
    ]


def drain() -> Drain:
    return Drain(least=5, rounds=2, most=60, empty=45, unseen=15)


def test_a_log_whose_entries_came_at_once_is_over_after_the_least_time() -> None:
    assert verdicts(drain(), 8, {}) == [5, 6, 7, 8]


def test_a_log_whose_entries_are_collected_every_while_is_waited_for_that_long() -> None:
    late = drain()
    late.came_late(12)
    assert verdicts(late, 19, {})[0] == 18
    late = drain()
    late.came_late(12)
    assert verdicts(late, 40, {10: 3})[0] == 28  # from the newest line on


def test_lines_that_come_long_after_the_end_are_followed_by_others_as_late() -> None:
    assert verdicts(drain(), 40, {4: 3})[0] == 6
    late = dict.fromkeys((2, 4, 6, 8, 10), 1)
    assert verdicts(drain(), 40, late)[0] == 25


def test_a_log_that_is_quiet_is_read_to_its_end_before_it_would_be_given_up() -> None:
    late = drain()
    late.came_late(1000)
    assert verdicts(late, 60, {30: 1})[0] == 50


def test_a_job_that_nobody_looked_at_while_it_ran_is_waited_for_until_its_newest_line_has_aged() -> None:
    assert verdicts(drain(), 10, {}, age=3.0) == []
    assert verdicts(drain(), 6, {}, age=15.0)[0] == 5
    assert verdicts(drain(), 6, {}, age=-7200.0)[0] == 5  # a clock that is wrong says nothing
    seen = drain()
    seen.round(now=-1, **QUIET)  # type: ignore[arg-type]
    assert verdicts(seen, 6, {}, age=3.0)[0] == 5
