"""What is searched of a line is what a terminal shows of it."""

from __future__ import annotations

import random

import pytest

from webapp.journal.line import encode
from webapp.journal.match import Finder
from webapp.journal.terminal import shown


def line(message: str) -> bytes:
    return encode(b"e", 1, 1, message, 0, False, b',"stream":"stderr"')


@pytest.mark.parametrize(
    ("q", "regex", "message", "found"),
    [
        ("test_login.py", False, "\x1b[1mtest\x1b[0m_\x1b[32mlogin\x1b[m.py\x1b[K", [(0, 13)]),
        ("Login", False, "\x1b[1mLog\x1b[0min", [(0, 5)]),
        ("31", False, "\x1b[31mred\x1b[0m", []),
        ("10%", False, "10%\r100%", []),
        ("100%", False, "10%\r100%", [(0, 4)]),
        ("end$", True, "the end\r", [(4, 7)]),
        ("^red", True, "\x1b[31mred", [(0, 3)]),
        ("title", False, "\x1b]0;title\x07x", []),
        ("\\u001b[31m", False, "a log that prints \\u001b[31m as text", [(18, 28)]),
        ("one two", False, "one\x1b[1C\x1b[1Dtwo\r\x1b[3C two", [(0, 7)]),
        ("é!", False, "😀\x1b[1mé\x1b[0m!", [(2, 4)]),
    ],
)
def test_the_text_that_is_shown_is_searched(q: str, regex: bool, message: str, found: list[tuple[int, int]]) -> None:
    finder, encoded = Finder(q, regex), line(message)
    assert finder.matches(encoded) == bool(found)
    assert finder.spans(encoded, encoded) == found


def test_no_match_is_overlooked_for_the_sake_of_speed() -> None:
    chance = random.Random(7)
    pieces = ["ab", "B", "\\", "\\r", "\r", '"', "\n", "\\u001b[1m", "é", "\x85"]
    pieces += ["\x1b[31m", "\x1b[m", "\x1b[K", "\x1b[1G"]
    messages = ["".join(chance.choices(pieces, k=chance.randrange(1, 8))) for _ in range(3000)]
    for q in ("ab", "abB", "bB", "B", "\\r", "\\u001b[1m", 'b"'):
        finder = Finder(q)
        for message in messages:
            text = shown(message)
            wanted = q.lower() in text.lower() if q == q.lower() else q in text
            assert finder.matches(line(message)) == wanted, (q, message)
