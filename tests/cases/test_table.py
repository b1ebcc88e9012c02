"""The table of cases in docs/exactness.md is true."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
DOC = HERE.parent.parent / "docs" / "exactness.md"
ROWS = re.findall(r"^\|[^|]*\|[^|]*\| `(test_\w+\.py)::(test_\w+)` \|$", DOC.read_text(), re.MULTILINE)


def test_every_case_has_its_test() -> None:
    assert len(ROWS) > 50
    for file, name in ROWS:
        assert f"def {name}(" in (HERE / file).read_text(), f"{file} has no {name}"
