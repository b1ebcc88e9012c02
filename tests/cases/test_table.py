"""The table of cases is true."""

from __future__ import annotations

import re
from pathlib import Path

import tests.cases

ROWS = re.findall(r"^\| (\d+) \|[^|]*\| (test_\w+\.py)::(test_\w+) \|$", tests.cases.__doc__ or "", re.MULTILINE)


def test_every_case_has_its_test() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 41))
    for _, file, name in ROWS:
        text = (Path(__file__).parent / file).read_text()
        assert f"def {name}(" in text, f"{file} has no {name}"
