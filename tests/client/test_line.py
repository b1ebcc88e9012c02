from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webapp.client.line import Line, split


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\n\nb\r\nc", [b"a", b"b\r", b"c"]),
        ("x\u2028y\x85\x0bz\nb\n".encode(), ["x\u2028y\x85\x0bz".encode(), b"b"]),
    ],
)
def test_lines_end_at_lf_alone_however_they_are_cut(text: bytes, lines: list[bytes]) -> None:
    for size in range(1, len(text) + 2):
        assert list(split(text[start : start + size] for start in range(0, len(text), size))) == lines


def test_a_line_is_a_dict_and_has_attributes() -> None:
    line = Line({"id": "e-1", "line": 1, "timestamp": 1500, "message": "m", "level": None, "pod": "a"})
    assert line == {"id": "e-1", "line": 1, "timestamp": 1500, "message": "m", "level": None, "pod": "a"}
    assert (line.id, line.line, line.timestamp, line.message, line.level) == ("e-1", 1, 1500, "m", None)
    assert line.time == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    assert Line(line | {"level": "error"}).level == "error"
