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
