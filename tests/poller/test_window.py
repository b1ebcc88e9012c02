from __future__ import annotations

import pytest

from webapp.poller.window import Depth, Schedule, since_ms


@pytest.mark.parametrize(
    ("newest", "date", "reach", "wanted"),
    [
        (-1, None, 10, None),
        (-1, 5_000_000, 10, None),
        (1_000_000, None, 10, 989_999),
        (1_000_000, 2_000_000, 10, 989_999),
        (9_000_000_000, 1_000_000, 10, 989_999),
        (1_000_000, None, 0, 999_999),
        (2, None, 10, None),
        (10_001, None, 10, None),
        (10_002, None, 10, 1),
    ],
)
def test_where_to_ask_from(newest: int, date: int | None, reach: float, wanted: int | None) -> None:
    assert since_ms(newest, date, reach) == wanted


def schedule(**more: float) -> Schedule:
    return Schedule(**{"late_every": 5, "sweep_every": 30, "sweep_share": 0.1, "window": 10, "window_most": 120} | more)


def test_most_rounds_are_beats_some_late_windows_and_few_sweeps() -> None:
    found = schedule()
    found.start(0)
    depths = []
    for now in range(1, 61):
        depth = found.depth(now)
        found.done(depth, now, took=0.1)
        depths.append(depth)
    assert (depths.count(Depth.SWEEP), depths.count(Depth.DEEP)) == (1, 1)
    assert 9 <= depths.count(Depth.LATE) <= 11


def test_sweeps_that_take_long_come_seldom() -> None:
    found = schedule(deep_every=1000)
    found.start(0)
    found.done(Depth.SWEEP, now=100, took=20)
    assert found.depth(299) is not Depth.SWEEP
    assert found.depth(300) is Depth.SWEEP


@pytest.mark.parametrize(
    ("lateness", "window"), [(0, 10), (7_000, 10), (40_000, 50), (90_000, 112.5), (100_000, 120), (600_000, 120)]
)
def test_the_window_widens_to_what_was_seen(lateness: int, window: float) -> None:
    found = schedule()
    assert found.came_late(lateness) is (window > 10)
    assert found.window == window
    assert not found.came_late(1)


def test_the_whole_is_read_again_ever_more_seldom_and_sweeps_reach_what_it_found() -> None:
    found = schedule()
    found.start(0)
    times = []
    for now in range(1, 2000):
        depth = found.depth(now)
        if depth is Depth.DEEP:
            times.append(now)
        found.done(depth, now, took=0.1)
    assert times == [60, 180, 420, 900, 1500]
    found.came_late(0, 3_600_000)
    assert found.seconds(Depth.SWEEP) == 4500
    found.came_late(0, 10**12)
    assert found.seconds(Depth.SWEEP) == 90_000
    assert found.seconds(Depth.DEEP) is found.seconds(Depth.WHOLE) is None
