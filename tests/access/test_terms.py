"""What a link may be asked to be."""

import json
from typing import Any

import pytest

from webapp.access.terms import Terms, read_terms
from webapp.errors import UsageError


def test_without_a_body_a_week_to_look() -> None:
    assert read_terms(b"") == read_terms(b"{}") == Terms(7 * 86_400, False, "", None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m", 60), ("90s", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600), ("366d", 31_622_400)],
)
def test_durations(text: str, seconds: int) -> None:
    assert read_terms(json.dumps({"expires_in": text}).encode()).seconds == seconds


@pytest.mark.parametrize(
    "given",
    [
        {"expires_in": text}
        for text in ("", "7", "d", "0d", "1s", "59s", "367d", "7 d", "-7d", "1e3d", "7D", "٧d", "9" * 12 + "d", 7, None)
    ]
    + [
        {"can_cancel": "true"}, {"can_cancel": 1}, {"note": 1}, {"note": "x" * 201}, {"lines": []}, {"lines": [1]},
        {"lines": [2, 1]}, {"lines": [0, 1]}, {"lines": [1, 2, 3]}, {"lines": "1-2"}, {"lines": [True, 2]},
        {"lines": [1.0, 2]}, {"lines": [1, 10**15]}, {"lines": {"a": 1}}, {"scope": "all"}, {"Expires_in": "7d"},
    ],
)  # fmt: skip
def test_what_is_not_meant_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        read_terms(json.dumps(given).encode())


@pytest.mark.parametrize("body", [b"{", b"[]", b'"7d"', b"null", b"\xff", b"[" * 60_000, b'{"a":' * 5_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError):
        read_terms(body)


def test_all_of_it() -> None:
    body = json.dumps({"expires_in": "1d", "can_cancel": True, "note": " for\nBob\x1b ", "lines": [120, 140]}).encode()
    assert read_terms(body) == Terms(86_400, True, "for Bob", (120, 140))
