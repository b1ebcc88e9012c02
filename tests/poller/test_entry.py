from __future__ import annotations

from typing import Any

import pytest

from webapp.poller.entry import LAST_MS, key_of, normalised, read, short_key_of, strip_newline


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (0, 0),
        (1_700_000_000_123, 1_700_000_000_123),
        (LAST_MS, LAST_MS),
        (LAST_MS + 1, None),
        (-1, None),
        (True, None),
        (None, None),
        ([], None),
        (1_700_000_000_123.0, 1_700_000_000_123),
        (1_700_000_000.5, 1_700_000_000_500),
        (1_700_000_000.0, 1_700_000_000),
        (2.9, 2),
        (-0.5, None),
        (float("nan"), None),
        (float("inf"), None),
        ("1700000000123", 1_700_000_000_123),
        (" 5 ", 5),
        ("1700000000.25", 1_700_000_000_250),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("9" * 5000, None),
        ("2023-11-14T22:13:20.123Z", 1_700_000_000_123),
        ("2023-11-14T22:13:20+00:00", 1_700_000_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000_000),
        ("1900-01-01T00:00:00Z", None),
    ],
)
def test_a_timestamp_is_normalised_where_it_can_be(raw: Any, wanted: int | None) -> None:
    assert normalised(raw) == wanted


@pytest.mark.parametrize(
    ("message", "wanted"),
    [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("  a  ", "  a  "), ("a\r", "a\r"), ("\n", ""), ("", "")],
)
def test_one_newline_at_the_end_goes_and_nothing_else(message: str, wanted: str) -> None:
    assert strip_newline(message) == wanted


@pytest.mark.parametrize(
    ("element", "message", "extra"),
    [
        ({"timestamp": 1, "message": "m", "a": 2}, "m", {"a": 2}),
        ({"timestamp": 1, "message": None}, "null", None),
        ({"timestamp": 1, "message": 1.5}, "1.5", None),
        ({"timestamp": 1, "log": "text"}, '{"log":"text"}', {"log": "text"}),
        ({"timestamp": "1", "message": "m"}, "m", {"timestamp": "1"}),
        ({}, "", {"timestamp_from": "neighbour"}),
        (5, "5", {"malformed": True, "timestamp_from": "neighbour"}),
        (None, "null", {"malformed": True, "timestamp_from": "neighbour"}),
        (10**30, str(10**30), {"malformed": True, "timestamp_from": "neighbour"}),
    ],
)
def test_any_element_becomes_an_entry(element: Any, message: str, extra: dict[str, Any] | None) -> None:
    entry = read(element).entry(7)
    assert (entry.message, entry.extra) == (message, extra)
    assert entry.timestamp == (7 if "timestamp_from" in (extra or {}) else 1)


def test_a_key_is_of_time_and_message_as_received_and_of_nothing_else() -> None:
    one = read({"timestamp": "1", "message": "m\n", "a": 1})
    assert one.key == read({"timestamp": 1, "message": "m\n", "a": 2, "b": 3}).key == key_of(1, "m\n")
    assert len({one.key, key_of(1, "m"), key_of(2, "m\n")}) == 3
    untimed = read({"message": "m", "a": 1})
    assert untimed.key == read({"message": "m", "b": 1}).key != read({"timestamp": "x", "message": "m"}).key


def test_short_messages_are_told_apart_at_every_distance_in_time() -> None:
    at = 1_700_000_000_000
    keys = {key_of(at + ms, letter) for ms in range(0, 120_000, 7) for letter in ("0", "1", "", "a", "ab", "1234567")}
    assert len(keys) == 6 * len(range(0, 120_000, 7))


def test_what_a_journal_of_before_knows_is_known_by_the_key_that_it_has() -> None:
    assert short_key_of(1_700_000_000_000, "line 1\n") == 6_828_434_608_618_108_217
