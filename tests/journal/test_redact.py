from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.journal.redact import PIECE, Redactor
from webapp.settings import REDACT

AWS = "AKIA" + "ABCDEFGH12345678"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0" + ".c2lnbmF0dXJlLXg"


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor(REDACT)


@pytest.mark.parametrize(
    ("text", "blanked"),
    [
        (f"key {AWS} used", "key *** used"),
        ("ghp_" + "a" * 36 + " end", "*** end"),
        (f"token {JWT}", "token ***"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("GET https://user:hunter2@example.com/x", "GET https://user:***@example.com/x"),
        ("postgresql://me:pw@db/x and redis://:pw@r", "postgresql://me:***@db/x and redis://:***@r"),
        ("password=hunter22 ok", "password=*** ok"),
        ('{"api_key": "0123456789"}', '{"api_key": "***"}'),
        ("PASSWORD: 'correct-horse'", "PASSWORD: '***'"),
        (f"{AWS} and {AWS}", "*** and ***"),
        (f"é{chr(0x1F600)} {AWS} ü", f"é{chr(0x1F600)} *** ü"),
        ("password=" + AWS, "password=***"),
        ("x\npassword=hunter22\ny", "x\npassword=***\ny"),
    ],
)
def test_credentials_are_blanked(redactor: Redactor, text: str, blanked: str) -> None:
    assert redactor.text(text) == blanked


@pytest.mark.parametrize(
    "text", ["", "tick", "password=", "the secret is out", "https://example.com/a:b@c", "sk-short"]
)
def test_other_text_stays(redactor: Redactor, text: str) -> None:
    assert redactor.text(text) == text


def test_the_same_list_comes_back_when_nothing_was_found(redactor: Redactor) -> None:
    messages = ["a", "", "b\nc", "d"] * PIECE
    assert redactor.messages(messages) is messages
    empty: list[str] = []
    assert redactor.messages(empty) is empty


def test_only_the_lines_with_a_secret_change(redactor: Redactor) -> None:
    messages = [f"line {index}" for index in range(2 * PIECE + 10)]
    for index in (0, 1, PIECE - 1, PIECE, 2 * PIECE + 9):
        messages[index] = f"line\n{index} password=hunter22"
    before = list(messages)
    after = redactor.messages(messages)
    assert messages == before
    assert after == [message.replace("hunter22", "***") for message in before]


def test_a_match_across_two_lines_blanks_neither_and_hides_no_other(redactor: Redactor) -> None:
    assert redactor.messages(["password:", "hunter22", "password: hunter22"]) == [
        "password:",
        "hunter22",
        "password: ***",
    ]
    assert redactor.messages(["password:", "password=hunter22"]) == ["password:", "password=***"]
    assert redactor.messages(["password="]) == ["password="]


def test_anchors_hold_for_each_line() -> None:
    messages = ["key 1", "a key 2", "key 3", "4 end", "end 5"]
    assert Redactor([r"^key"]).messages(messages) == ["*** 1", "a key 2", "*** 3", "4 end", "end 5"]
    assert Redactor([r"\Akey"]).messages(messages) == ["*** 1", "a key 2", "*** 3", "4 end", "end 5"]
    assert Redactor([r"end$"]).messages(messages) == ["key 1", "a key 2", "key 3", "4 ***", "end 5"]
    assert Redactor([r"end\z", r"a (?P<secret>key)"]).messages(messages) == [
        "key 1",
        "a *** 2",
        "key 3",
        "4 ***",
        "end 5",
    ]


def test_two_patterns_may_both_name_their_secret() -> None:
    redactor = Redactor([r"a=(?P<secret>\d+)", r"b=(?P<secret>\d+)", r"c\d"])
    assert redactor.text("a=1 b=2 c3 a=4") == "a=*** b=*** *** a=***"


def test_a_secret_that_took_no_part_blanks_the_whole_match() -> None:
    assert Redactor([r"a=(?P<secret>\d+)|bb"]).text("a=1 bb") == "a=*** ***"


def test_an_empty_match_blanks_nothing() -> None:
    assert Redactor([r"x*"]).text("axxb") == "a***b"


def test_no_patterns_at_all() -> None:
    messages = [AWS]
    assert Redactor([]).messages(messages) is messages
    assert Redactor([]).value({"a": AWS}) == {"a": AWS}


def test_a_value_is_blanked_through_and_through(redactor: Redactor) -> None:
    value = {
        "a": [1, None, True, 2.5, f"x {AWS}"],
        "b": {"password": "hunter22", "n": "1"},
        AWS: "y",
        "c": {},
    }
    assert redactor.value(value) == {
        "a": [1, None, True, 2.5, "x ***"],
        "b": {"password": "***", "n": "1"},
        "***": "y",
        "c": {},
    }
    clean = {"a": [1, {"b": "c"}]}
    assert redactor.value(clean) is clean
    assert redactor.value(None) is None
    assert redactor.value(3) == 3
    assert redactor.value(AWS) == "***"


def test_a_lone_surrogate_does_not_stop_it(redactor: Redactor) -> None:
    assert redactor.value({"a": "\ud800", "b": AWS}) == {"a": "\ud800", "b": "***"}
    assert redactor.text(f"\ud800 {AWS}") == "? ***"


_PARTS = st.sampled_from(
    ["password", "=", ": ", "hunter22", AWS, "http://u:", "@", "\n", " ", "é", "api_key", '"', "x", "***"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(_PARTS, max_size=6).map("".join), max_size=6))
def test_lines_together_are_blanked_as_each_alone(messages: list[str]) -> None:
    redactor = Redactor(REDACT)
    assert redactor.messages(messages) == [redactor.text(message) for message in messages]
