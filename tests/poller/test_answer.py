"""The splitter gives what `json.loads` gives, however the answer is chunked and whatever its strings hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import UpstreamError
from webapp.poller.answer import ElementSplitter
from webapp.strictjson import Odd

NASTY = ['},{"', '"},{"a":1', "}, {", "\\", '\\"', "[]{},", "\n\t", "é\u2028", "plain", '"', "{}", "},{}"]
texts = st.lists(st.sampled_from(NASTY), max_size=4).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
entries = st.fixed_dictionaries({"timestamp": st.integers(0, 9), "message": texts}, optional={"x": values})


def split(body: bytes, step: int, piece: int = 64, most: int = 1 << 20) -> list[Any]:
    splitter = ElementSplitter(piece, most)
    found: list[Any] = []
    for start in range(0, len(body), step):
        splitter.feed(body[start : start + step])
        while splitter.ready:
            found += splitter.cut() or []
    return found + splitter.end()


@given(st.lists(entries | values, max_size=30), st.integers(1, 200), st.sampled_from([8, 20, 64, 500]), st.booleans())
def test_any_list_comes_out_as_it_went_in(elements: list[Any], step: int, piece: int, compact: bool) -> None:
    text = json.dumps(elements, separators=(",", ":") if compact else (", ", ": "), ensure_ascii=compact)
    assert split(f" \n{text}\r\n".encode(), step, piece) == elements


@given(st.lists(entries, min_size=1, max_size=20), st.data())
def test_half_an_answer_gives_whole_entries_and_an_error(elements: list[Any], data: st.DataObject) -> None:
    body = json.dumps(elements).encode()
    body = body[: data.draw(st.integers(0, len(body) - 1))]
    splitter = ElementSplitter(piece=32)
    found: list[Any] = []
    with pytest.raises(UpstreamError):
        splitter.feed(body)
        while splitter.ready:
            found += splitter.cut() or []
        splitter.end()
    assert found == elements[: len(found)]


@pytest.mark.parametrize(
    "body",
    ["", "  ", "{}", "null", "<html>", '"text"', "5", "[1,", "[,]", "[{}] {}", '[{"a":1},]', "[{'a': 1}]", "[[]", "]"],
)
def test_what_is_no_json_list_is_an_error(body: str) -> None:
    with pytest.raises(UpstreamError):
        split(body.encode(), 7, piece=4)


def test_a_byte_order_mark_is_no_text() -> None:
    assert split(b"\xef\xbb\xbf[1]", 2) == [1]


def test_lone_surrogates_bad_utf8_and_nan_are_put_right() -> None:
    body = b'[{"m": "a\\ud800b"}, {"m": "a\xffb", "\\udfff": ["\\ud83d\\ude00"]}, {"m": NaN}]'
    first, second, third = split(body, 5, piece=16)
    assert first == {"m": "a\ufffdb"}
    assert second == {"m": "a\ufffdb", "\ufffd": ["\U0001f600"]}
    assert third["m"] == "NaN" and isinstance(third["m"], Odd) and isinstance(first["m"], Odd)


def test_an_entry_longer_than_the_bound_is_an_error_that_says_so() -> None:
    with pytest.raises(UpstreamError, match="MiB"):
        split(b'[{"m": "' + b"x" * 5000 + b'"}, 1]', 100, piece=64, most=1000)


def test_an_entry_of_megabytes_is_looked_at_a_few_times_not_once_a_chunk() -> None:
    body = json.dumps([{"m": "x" * 3_000_000}, {"m": "},{" * 100_000}, {"m": "y"}]).encode()
    splitter, looks, found = ElementSplitter(piece=1 << 16), 0, []
    for start in range(0, len(body), 1 << 12):
        splitter.feed(body[start : start + (1 << 12)])
        while splitter.ready:
            looks += 1
            found += splitter.cut() or []
    assert [len(entry["m"]) for entry in found + splitter.end()] == [3_000_000, 300_000, 1]
    assert looks < 20


def test_nesting_without_end_is_an_error() -> None:
    with pytest.raises(UpstreamError):
        split(b'[{"m": 1, "x": ' + b"[" * 100_000, 4096)
    with pytest.raises(UpstreamError):
        split(b"[" * 100_000 + b"]" * 100_000, 4096)


DEEP = "[" * 5000 + "]" * 5000
ODD_VALUES = {
    "1180591620717411303424": 1180591620717411303424,
    "-" + "9" * 300: -int("9" * 300),
    "9" * 5000: "9" * 5000,
    "1e400": "1e400",
    "-Infinity": "-Infinity",
    DEEP: DEEP,
    "0x1F": "0x1F",
    "undefined": "undefined",
    '"a\tb"': "a\tb",
}


@pytest.mark.parametrize("raw", ODD_VALUES, ids=lambda raw: raw[:12])
def test_an_odd_value_costs_neither_its_entry_nor_any_other(raw: str) -> None:
    body = f'[{{"timestamp": 1, "message": "a"}}, {{"timestamp": 2, "message": "b", "x": {raw}}}, {{"message": "c"}}]'
    for step in (1 << 20, 50):
        first, second, third = split(body.encode(), step, piece=64)
        assert (first["message"], third["message"]) == ("a", "c")
        assert second == {"timestamp": 2, "message": "b", "x": ODD_VALUES[raw]}


def test_an_element_that_is_nested_without_end_costs_no_other() -> None:
    assert split(f'[{{"message": "a"}}, {DEEP}, 5]'.encode(), 100) == [{"message": "a"}, DEEP, 5]
