"""An expression is bounded in what it costs, and says where it matches."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from webapp.errors import UsageError
from webapp.journal import expression
from webapp.journal.expression import MAX_CHARACTERS, Cache, Expression
from webapp.journal.match import Finder


@pytest.mark.parametrize("text", ["(.?){900}Q", r"\pL{1000}z", "(?:a{200}){4}" * 9, "((a{0,30}){30}b){9}"])
def test_an_expression_that_repeats_too_often_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        Expression(text, True)
    assert "too much work" in refused.value.detail


@pytest.mark.parametrize("text", [r"(?i)error.*time-?out\s+after \d+", r"\pL+\s\pN", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}"])
def test_an_expression_as_people_write_it_is_taken(text: str) -> None:
    assert not Expression(text, True).found(b"nothing of the kind")


@pytest.mark.parametrize("text", ["ab" * (MAX_CHARACTERS // 2), "k€" * (MAX_CHARACTERS // 2), '"' * MAX_CHARACTERS])
def test_a_text_of_full_length_is_never_too_much(text: str) -> None:
    line = orjson.dumps({"message": f"a {text} b"})
    finder = Finder(text)
    assert finder.matches(line)
    assert finder.spans(line, line) == [(2, 2 + len(text))]


def test_spans_count_as_javascript_does() -> None:
    for message, spans in {
        "an error, and an ERROR": [(3, 8), (17, 22)],
        "é€ error": [(3, 8)],
        "😀 error 😀 Error": [(3, 8), (12, 17)],
        "none": [],
    }.items():
        line = orjson.dumps({"message": message})
        assert Finder("error").spans(line, line) == spans
        units = message.encode("utf-16-le")
        assert all(units[2 * a : 2 * b].decode("utf-16-le").lower() == "error" for a, b in spans)


def test_spans_end_where_a_message_is_cut() -> None:
    line, cut = orjson.dumps({"message": "aaa bbb ccc bbb"}), orjson.dumps({"message": "aaa bb"})
    assert Finder("bbb").spans(line, cut) == [(4, 6)]
    assert Finder("c$", regex=True).spans(line, cut) == []


def test_empty_matches_are_no_spans_and_end_soon() -> None:
    line = orjson.dumps({"message": "a" * 2_000_000})
    assert Finder("x*", regex=True).spans(line, line) == []
    assert len(Finder("a", regex=True).spans(line, line)) <= 200
    assert Finder("a.*Q|", regex=True).spans(line, line) == []


def test_a_long_text_is_searched_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expression, "WORK", 2_000)
    looked = []
    found = Expression("needle$", True)
    text = b"needle " * 500 + b"needle"
    assert found.found(text, lambda: looked.append(1))
    assert len(looked) > 10
    assert not found.found(b"needle " * 500)
    assert Expression("^needle", True).found(text) and not Expression("^eedle", True).found(text)

    class Gone(Exception):
        pass

    def gone() -> None:
        raise Gone

    with pytest.raises(Gone):
        found.found(text, gone)


def test_programs_are_kept_by_their_bytes() -> None:
    cache = Cache(4 * expression.MEMORY)
    first = cache.get("first", False)
    assert cache.get("first", False) is first and cache.get("first", True) is not first
    for number in range(9):
        cache.get(f"{number}", False)
    assert len(cache) == 4
    assert cache.get("first", False) is not first


@pytest.mark.parametrize(
    ("message", "text", "regex", "spans"),
    [
        ("\x1b[1mtest_\x1b[31mlogin\x1b[0m.py", "test_login.py", False, [(0, 13)]),
        ("\x1b[1mtest_\x1b[31mlogin\x1b[0m.py", "Test_Login", False, []),
        ("\x1b[31mred\x1b[0m", "31m", False, []),
        ("\x1b[31mred\x1b[0m", "[0m", False, []),
        ("all \x1b[32mgreen\x1b[0m\r", "n$", True, [(8, 9)]),
        ("10%\r100% done\x1b[K", "^100%", True, [(0, 4)]),
        ("10%\r100% done\x1b[K", "10%$", True, []),
        ("er\x7fror é", "error", False, [(0, 5)]),
        ("plain C:\\build\\run", "build\\run", False, [(9, 18)]),
    ],
)
def test_what_is_seen_of_a_message_is_searched(message: str, text: str, regex: bool, spans: list[Any]) -> None:
    line = orjson.dumps({"message": message})
    finder = Finder(text, regex)
    assert finder.matches(line) == bool(spans)
    assert finder.spans(line, line) == spans
