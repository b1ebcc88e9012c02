"""What is signed, for what, with which key."""

import base64
from pathlib import Path

import pytest

from webapp.access.signer import Purpose, Signer, make_signer
from webapp.settings import Settings
from webapp.store.share import Link

KEY, OLD = "k" * 32, "o" * 32
END = 2_000_000_000_000


def test_what_was_signed_is_read() -> None:
    link = Link("id", "a-job:1", END, True, (3, 9))
    signer = Signer([KEY])
    signed = signer.read(Purpose.LINK, signer.sign(Purpose.LINK, link.payload(), END))
    assert signed is not None and Link.from_payload(signed.payload, signed.ends_ms) == link


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_serves_its_purpose_alone(purpose: Purpose) -> None:
    signer = Signer([KEY])
    token = signer.sign(purpose, "x", END)
    assert [other for other in Purpose if signer.read(other, token)] == [purpose]


def test_every_changed_character_breaks_it() -> None:
    signer = Signer([KEY])
    token = signer.sign(Purpose.LINK, ["id", "job", 0], END)
    for place in range(len(token)):
        for letter in ("A", "-", "."):
            forged = token[:place] + letter + token[place + 1 :]
            # The last character of base64 holds bits that mean nothing: what it spells is the same.
            if forged != token and place != len(token) - 1:
                assert signer.read(Purpose.LINK, forged) is None, place


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b", "a.b.c", "=", "é.é", "\x00", "." * 5000, "eyJhbGciOiJub25lIn0.e30.", "A" * 2049]
)
def test_rubbish_is_no_token(token: str) -> None:
    assert Signer([KEY]).read(Purpose.LINK, token) is None


def test_keys_rotate() -> None:
    token = Signer([OLD]).sign(Purpose.LINK, "x", END)
    both = Signer([KEY, OLD])
    assert both.read(Purpose.LINK, token) is not None
    assert Signer([KEY]).read(Purpose.LINK, token) is None
    assert Signer([OLD]).read(Purpose.LINK, both.sign(Purpose.LINK, "x", END)) is None, "the newest signs"


def test_the_signature_is_sha_256() -> None:
    signature = Signer([KEY]).sign(Purpose.LINK, "x", END).rpartition(".")[2]
    assert len(base64.urlsafe_b64decode(signature + "=")) == 32


def test_a_new_access_token_ends_sessions_and_no_links() -> None:
    before, after = Signer([KEY], "old token"), Signer([KEY], "new token")
    assert after.read(Purpose.SESSION, before.sign(Purpose.SESSION, "x", END)) is None
    assert after.read(Purpose.LINK, before.sign(Purpose.LINK, "x", END)) is not None


def test_a_short_key_is_warned_of_and_never_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_signer(Settings(data_dir=tmp_path, secret_key="pssst"), lambda: KEY)
    assert "JOBTAIL_SECRET_KEY" in caplog.text and "pssst" not in caplog.text
