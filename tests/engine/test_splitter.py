from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.engine.splitter import Splitter, boundary
from webapp.journal.line import Entry
from webapp.journal.text import Text


def lines_of(texts: list[Text]) -> list[Entry]:
    return [Entry(each.timestamp, message, each.extra) for each in texts for message in each.messages()]


def fed(*chunks: bytes, limit: int = 16 << 20) -> list[Entry]:
    splitter = Splitter("stdout", limit)
    return lines_of([text for n, chunk in enumerate(chunks) for text in splitter.feed(n, chunk)] + splitter.end())


def messages(*chunks: bytes, limit: int = 16 << 20) -> list[str]:
    return [entry.message for entry in fed(*chunks, limit=limit)]


@pytest.mark.parametrize(
    ("before", "lost", "after", "expected", "missing"),
    [
        (b"a\n", b"b\nc\n", b"d\n", ["a", "d"], 2),
        (b"a1", b" a2\nb\n", b"c\n", ["a1*", "c"], 1),
        (b"a\n", b"b\nc1", b" c2\nd\n", ["a", "d"], 2),
        (b"a1", b" a2", b" a3\nb\n", ["a1*", "b"], 0),
        (b"a1", b" a2", b" a3", ["a1*"], 0),
        (b"a\n", b"b1", b"", ["a"], 1),
    ],
)
def test_no_line_is_made_of_what_stands_on_either_side_of_lost_bytes(
    before: bytes, lost: bytes, after: bytes, expected: list[str], missing: int
) -> None:
    splitter = Splitter("stdout")
    texts = splitter.feed(1, before)
    pieces, count = splitter.lose(lost.count(b"\n"), not lost.endswith(b"\n"))
    entries = lines_of([*texts, *pieces, *splitter.feed(2, after), *splitter.end()])
    assert [entry.message + "*" * ("split" in (entry.extra or {})) for entry in entries] == expected
    assert count == missing


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((b"one\ntwo\n",), ["one", "two"]),
        ((b"no newline at the end",), ["no newline at the end"]),
        ((b"cut ", b"in ", b"pieces\n"), ["cut in pieces"]),
        ((b"\n\n",), ["", ""]),
        ((b"  indented \t\n",), ["  indented \t"]),
        ((b" 10%\r 20%\r100%\n",), [" 10%\r 20%\r100%"]),
        ((b"windows\r\n",), ["windows\r"]),
        ((b"sep \xe2\x80\xa8 stays\x0b\x0c\x85\n",), ["sep \u2028 stays\x0b\x0c\ufffd"]),
        ((b"\xff\x00\x1b\n",), ["\ufffd\x00\x1b"]),
        ((b"caf\xc3", b"\xa9\n"), ["café"]),
        ((), []),
    ],
)
def test_a_line_ends_at_its_newline_and_nowhere_else(chunks: tuple[bytes, ...], expected: list[str]) -> None:
    assert messages(*chunks) == expected


def test_a_line_bears_the_time_at_which_its_end_was_read() -> None:
    splitter = Splitter("stderr")
    assert splitter.feed(10, b"half ") == []
    (line,) = splitter.feed(20, b"a line\nmore")
    assert (line.timestamp, line.messages(), line.extra) == (20, ["half a line"], {"stream": "stderr"})
    (rest,) = splitter.end()
    assert (rest.timestamp, rest.messages()) == (20, ["more"])


def test_a_line_without_an_end_is_cut_and_marked() -> None:
    entries = fed(b"x" * 25, b"y" * 10 + b"\nz\n", limit=10)
    assert [(len(entry.message), entry.extra) for entry in entries] == [
        (10, {"stream": "stdout", "split": True}),
        (10, {"stream": "stdout", "split": True}),
        (10, {"stream": "stdout", "split": True}),
        (5, {"stream": "stdout"}),
        (1, {"stream": "stdout"}),
    ]


def test_a_cut_goes_through_no_character() -> None:
    text = "é" * 30
    assert "".join(messages(text.encode(), limit=11)) == text
    assert boundary("aé".encode(), 2) == 1
    assert boundary(b"\x80" * 20, 10) == 10


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8), st.integers(4, 50))
def test_however_it_was_read_the_lines_are_the_same(data: bytes, cuts: list[int], limit: int) -> None:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    assert messages(*chunks, limit=limit) == messages(data, limit=limit)
    if len(data) <= limit:
        whole = data.decode("utf-8", "replace").split("\n")
        assert messages(*chunks, limit=limit) == (whole if whole[-1] else whole[:-1])


@pytest.mark.parametrize(
    ("chunks", "shown"),
    [
        ((b"line\n",), None),
        ((b"line\nname? ",), "name? "),
        ((b" 10%\r", b" 20%\r"), " 10%\r 20%\r"),
        ((b"a" * 5000,), "a" * 4096),
        (("é".encode() * 2500 + b"!",), "é" * 2047 + "!"),
        ((b"x" * 3000 + b"\r50%" + b" " * 2000 + b"\r",), "50%" + " " * 2000 + "\r"),
    ],
)
def test_what_stands_after_the_last_newline_is_shown_by_its_end(chunks: tuple[bytes, ...], shown: str | None) -> None:
    splitter = Splitter("stdout")
    for chunk in chunks:
        splitter.feed(7, chunk)
    assert splitter.unfinished() == (None if shown is None else {"message": shown, "timestamp": 7})
