from __future__ import annotations

from datetime import datetime

import pytest

from webapp.cli.when import milliseconds_of
from webapp.durations import duration, seconds_of

NOW = datetime(2026, 3, 4, 12, 0, 0).timestamp()


@pytest.mark.parametrize(
    ("text", "ago"),
    [("10m", 600), ("2h", 7200), ("1h30m", 5400), ("90s", 90), ("1d", 86400), ("10m ago", 600), ("1.5 h", 5400),
     ("0s", 0), ("10:30", 5400), ("13:00", 82800), ("2026-03-04T11:59", 60), ("2026-03-04 11:59:30", 30),
     ("2026-03-04", 43200)],
)  # fmt: skip
def test_moments_are_read_as_people_write_them(text: str, ago: float) -> None:
    assert milliseconds_of(text, NOW) == round((NOW - ago) * 1000)


def test_a_moment_may_have_a_zone_or_be_a_number() -> None:
    assert milliseconds_of("2026-01-02T03:04:05Z", NOW) == 1767323045000
    assert milliseconds_of("2026-01-02T03:04:05+01:00", NOW) == 1767319445000
    assert milliseconds_of("@1700000000.5", NOW) == 1700000000500


@pytest.mark.parametrize("text", ["", "soon", "10", "10x", "m", "@", "@x", "25:00", "2026-13-01", "-5m", "1e5s", "١m"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        milliseconds_of(text, NOW)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.3, "300 ms"), (12.34, "12.3 s"), (252, "4 min 12 s"), (3600, "1 h"), (7440, "2 h 4 min"), (266400, "3 d 2 h")],
)
def test_a_duration_is_written_in_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
    if seconds > 60:
        assert seconds_of(text) == seconds
