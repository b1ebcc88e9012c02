"""The table of lines that hold credentials, and of lines that only look as if they did."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webapp.credentials import REDACT
from webapp.journal.redact import Redactor
from webapp.settings import Settings

TABLE = Path(__file__).with_name("credentials.txt")


def rows(mark: str) -> list[str]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [line[2:].replace("§", "") for line in lines if line.startswith(mark + " ")]


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor(REDACT)


@pytest.mark.parametrize("row", rows("+"))
def test_a_credential_is_blanked_and_nothing_else(redactor: Redactor, row: str) -> None:
    blanked = redactor.text(row.replace("«", "").replace("»", ""))
    if "«" in row:
        assert blanked == re.sub("«.*?»", "***", row)
    else:
        assert blanked == "***"


@pytest.mark.parametrize("row", rows("-"))
def test_what_is_no_credential_stays(redactor: Redactor, row: str) -> None:
    assert redactor.text(row) == row


def test_credentials_of_the_service_are_blanked_in_every_form_that_text_takes() -> None:
    token = 'a"b/c d-7'
    redactor = Redactor([], [token, "short"])
    assert redactor.text(f"x {token} y") == "x *** y"
    assert redactor.text('{"t": "a\\"b/c d-7"}') == '{"t": "***"}'
    assert redactor.text("?t=a%22b%2Fc%20d-7&u") == "?t=***&u"
    assert redactor.text("short") == "short"


def test_what_settings_hold_as_secrets_is_blanked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBTAIL_TOKEN", "client-side-token")
    held = Settings(access_token="the-access-token", secret_key="first-key-of-two,second-key-of-two").credentials()
    assert set(held) == {"the-access-token", "first-key-of-two", "second-key-of-two", "client-side-token"}


def test_the_documented_figures_are_those_of_the_table() -> None:
    text = " ".join((TABLE.parent.parent.parent / "docs" / "security.md").read_text(encoding="utf-8").split())
    assert f"holds {len(rows('+'))} real kinds of lines with credentials, of which all are blanked" in text
    assert f"{len(rows('-'))} that only look like it, of which none is touched" in text
