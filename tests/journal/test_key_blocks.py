from __future__ import annotations

import base64
import random
from collections.abc import Sequence

import pytest

from webapp.credentials import REDACT
from webapp.journal.key_blocks import MOST_LINES, KeyBlocks
from webapp.journal.redact import Redactor

BODY = base64.b64encode(random.Random(7).randbytes(200)).decode()
BEGIN, END = (f"-----{word} RSA " + "PRIVATE KEY-----" for word in ("BEGIN", "END"))
KEY = [BEGIN, BODY[:64], BODY[64:128], BODY[128:180], "ab1=", END]


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor(REDACT)


def blanked(redactor: Redactor, lines: list[str], streams: Sequence[str] | None = None) -> list[str]:
    return redactor.messages(KeyBlocks().messages(lines, streams or [""] * len(lines)))


def test_every_line_of_a_key_is_blanked_and_those_around_it_stay(redactor: Redactor) -> None:
    shown = blanked(redactor, ["before", *KEY, "after", BODY[:64]])
    assert shown[0] == "before"
    assert shown[7:] == ["after", BODY[:64]]
    assert not any(part in "\n".join(shown[1:7]) for part in (*KEY[1:4], "ab1="))


def test_a_key_that_two_appends_cut_through_is_blanked(redactor: Redactor) -> None:
    for cut in range(1, len(KEY)):
        blocks = KeyBlocks()
        shown = blocks.messages(KEY[:cut], [""] * cut) + blocks.messages(KEY[cut:], [""] * (len(KEY) - cut))
        assert not any(part in "\n".join(shown) for part in KEY[1:4])


def test_a_key_behind_a_prefix_and_with_headers_is_blanked(redactor: Redactor) -> None:
    key = [KEY[0], "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,00FF", "", *KEY[1:]]
    shown = blanked(redactor, [f"web_1  | {line}" for line in key])
    assert not any(part in "\n".join(shown) for part in KEY[1:4])


def test_lines_of_another_stream_in_between_stay(redactor: Redactor) -> None:
    lines, streams = [], []
    for line in KEY:
        lines += [line, BODY[:64]]
        streams += ["stderr", "stdout"]
    shown = blanked(redactor, lines, streams)
    assert shown[1::2] == [BODY[:64]] * len(KEY)
    assert not any(part in "\n".join(shown[::2]) for part in KEY[1:4])


def test_a_key_that_never_ends_is_over_with_the_first_lines_that_are_none_of_it(redactor: Redactor) -> None:
    prose = ["an ordinary line", "and another one", "and a third", "and a fourth", BODY[:64]]
    assert blanked(redactor, [*KEY[:3], *prose])[3:] == prose
    shown = blanked(redactor, [KEY[0], *[BODY[:64]] * (MOST_LINES + 10)])
    assert shown[-1] == BODY[:64]


def test_public_keys_and_certificates_stay(redactor: Redactor) -> None:
    lines = ["-----BEGIN CERTIFICATE-----", BODY[:64], "-----END CERTIFICATE-----"]
    lines += ["-----BEGIN PUBLIC KEY-----", BODY[:64]]
    assert blanked(redactor, lines) == lines


def test_a_whole_key_in_one_line_leaves_the_next_line_alone(redactor: Redactor) -> None:
    assert blanked(redactor, ["\n".join(KEY), BODY[:64]])[1] == BODY[:64]
