"""Whatever is handed over, what comes out is JSON that every reader reads, and nothing that could be kept is lost."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.strictjson import DEPTH_MOST, SIZE_MOST, Odd, dumps, loads, text_of

numbers = st.integers(-(10**400), 10**400) | st.floats() | st.integers(-(2**70), 2**70)
texts = st.text(st.characters(), max_size=6) | st.sampled_from(["\ud800", "a\udfffb", "\x00", "\u2028"]).map(Odd)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


def nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


def refuse(constant: str) -> Any:
    raise AssertionError(constant)


def depth_of(text: bytes) -> int:
    depth = most = 0
    for byte in text:
        depth += (byte in b"[{") - (byte in b"]}")
        most = max(most, depth)
    return most


@given(st.dictionaries(texts, values, max_size=5))
def test_what_is_written_is_strict_for_every_reader(value: dict[str, Any]) -> None:
    text, kept, altered = dumps(value)
    assert json.loads(text, parse_constant=refuse) == kept
    orjson.loads(text)
    assert set(altered) <= set(kept)
    if all(json.dumps(item).isascii() for item in value.values()) and orjson_can(value):
        assert (kept, altered) == (value, [])


def orjson_can(value: Any) -> bool:
    """Plain values alone, where nothing has to be altered."""
    if isinstance(value, dict):
        return all(map(orjson_can, value)) and all(map(orjson_can, value.values()))
    if isinstance(value, list):
        return all(map(orjson_can, value))
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < 10**300
    return value is None or (type(value) is str and value.isascii())


@pytest.mark.parametrize("depth", [50, DEPTH_MOST + 1, 254, 255, 1000, 20_000])
def test_depth_is_bounded_and_what_is_too_deep_is_a_text(depth: int) -> None:
    text, kept, altered = dumps({"fine": 1, "deep": nested(depth)})
    assert json.loads(text) == kept and kept["fine"] == 1
    assert depth_of(json.dumps(kept).encode()) <= depth + 1
    assert altered == (["deep"] if depth >= DEPTH_MOST else [])


def test_size_is_bounded_and_the_first_keys_win() -> None:
    text, kept, altered = dumps({"small": 1, "huge": "é" * (3 * SIZE_MOST), "next": [1, 2], "k" * 5000: 1})
    assert len(text) < 2 * SIZE_MOST
    assert (kept["small"], kept["next"]) == (1, [1, 2])
    assert altered[0] == "huge" and altered[1].startswith("kkk") and len(altered[1]) < 1100
    text, _, altered = dumps({f"{n} {'x' * 900}": "y" * 1000 for n in range(3000)})
    assert len(text) < 2 * SIZE_MOST and altered[-1].endswith("left out") and len(altered) <= 101


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e400", "9" * 301])
def test_a_number_that_json_does_not_have_is_an_odd_text(text: str) -> None:
    (value,) = loads(f"[{text}]".encode())
    assert value == text and type(value) is Odd
    assert dumps({"x": value}) == (json.dumps({"x": text}, separators=(",", ":")).encode(), {"x": text}, ["x"])


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**299])
def test_integers_past_64_bits_keep_their_digits(number: int) -> None:
    value = loads(b'{"seed": %d}' % number)
    assert value == {"seed": number}
    assert dumps(value) == (b'{"seed":%d}' % number, value, [])


def test_floats_that_are_no_number_are_marked_wherever_they_stand() -> None:
    text, kept, altered = dumps({"a": [{"b": math.nan}], "c": None, "d": -math.inf})
    assert kept == {"a": [{"b": "NaN"}], "c": None, "d": "-Infinity"} and altered == ["a", "d"]
    assert b"NaN" in text


def test_the_text_of_a_value_never_fails() -> None:
    assert text_of({"a": [1, None, "x"]}) == '{"a":[1,null,"x"]}'
    assert text_of({"a": Odd("NaN"), "b": 2**70}) == f'{{"a":"NaN","b":{2**70}}}'
    assert text_of(nested(5000)) == "[" * 5000 + '"core"' + "]" * 5000


def test_control_characters_within_a_text_are_taken_as_they_are() -> None:
    assert loads(b'{"m": "a\tb\n"}') == {"m": "a\tb\n"}


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"{'a': 1}", b"nope", b"[" * 5000 + b"]" * 5000])
def test_what_is_no_json_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        loads(text)
