from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webapp.client.errors import BadAnswer
from webapp.client.line import MAX_LINE_BYTES, Line, LineSplitter


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a\n", [b"a"]),
        (b"a\n\nb\r\nc\n", [b"a", b"b\r", b"c"]),
        ("x\u2028y\x85\x0bz\nb\n".encode(), ["x\u2028y\x85\x0bz".encode(), b"b"]),
    ],
)
def test_lines_end_at_lf_alone_however_they_are_cut(text: bytes, lines: list[bytes]) -> None:
    for size in range(1, len(text) + 2):
        splitter = LineSplitter()
        found = [line for at in range(0, len(text), size) for line in splitter.feed(text[at : at + size])]
        assert (found, splitter.rest) == (lines, b"")


def test_what_has_no_end_yet_is_no_line() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\nhal") == [b"a"]
    assert splitter.rest == b"hal"
    assert splitter.feed(b"f\n") == [b"half"]


def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_LINE_BYTES >= 64 << 20
    monkeypatch.setattr("webapp.client.line.MAX_LINE_BYTES", 1000)
    splitter = LineSplitter()
    with pytest.raises(BadAnswer, match="a line of more than"):
        for _ in range(11):
            splitter.feed(b"x" * 100)


def test_what_a_service_left_out_or_got_wrong_breaks_nothing() -> None:
    line = Line({"timestamp": "soon", "line": float("nan"), "message": 7})
    assert (line.id, line.line, line.timestamp, line.message, line.level) == ("", 0, 0, "7", None)


def test_a_line_is_a_dict_and_has_attributes() -> None:
    line = Line({"id": "e-1", "line": 1, "timestamp": 1500, "message": "m", "level": None, "pod": "a"})
    assert line == {"id": "e-1", "line": 1, "timestamp": 1500, "message": "m", "level": None, "pod": "a"}
    assert (line.id, line.line, line.timestamp, line.message, line.level) == ("e-1", 1, 1500, "m", None)
    assert line.time == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    assert Line(line | {"level": "error"}).level == "error"
