"""The drawing of the whole log."""

from __future__ import annotations

from webapp.journal.parts import Part
from webapp.web.map import HEIGHT, WIDTH, paths


def test_bars_stay_in_their_box_and_one_error_in_a_million_lines_is_seen() -> None:
    million, few, one = (1, 1_000_000, 0, 10), (1_000_001, 1_000_100, 9, 9), (1_000_101, 1_000_101, 9, 5)
    parts = [Part(*million, 0, 1), Part(*few, 3, 0), Part(*one, 0, 0)]
    drawn = paths(parts)
    assert drawn["rate"].count("M") == 3
    assert drawn["error"].startswith(f"M0.0 {HEIGHT}v-2.0h")
    assert drawn["warn"].count("M") == 1
    for bar in drawn["rate"].split("z")[:-1]:
        x, rest = bar[1:].split(f" {HEIGHT}v-")
        height, width = rest.split(f"V{HEIGHT}")[0].split("h")
        assert 0 < float(height) <= HEIGHT
        assert float(x) + float(width) <= WIDTH + 0.1


def test_no_lines_no_bars() -> None:
    assert paths([]) == {"rate": "", "warn": "", "error": ""}
