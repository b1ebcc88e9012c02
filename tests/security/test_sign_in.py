"""Signing in, staying in, being thrown out; guessing; the trusted header."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

import pytest

from webapp.access import decide as module
from webapp.access.signer import Purpose

from .site import TOKEN, Site


def cookie_of(site: Site) -> dict[str, str]:
    return {"Cookie": site.sign_in().headers["set-cookie"].partition(";")[0]}


def test_the_right_token_signs_in(site: Site) -> None:
    answer = site.sign_in()
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", f"max-age={7 * 86_400}"} <= flags
    assert TOKEN not in answer.headers["set-cookie"]
    assert site.ask("GET", "/api/jobs", cookie_of(site)).status_code == 200


@pytest.mark.parametrize("token", ["", "sesame", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "é", "\x00"])
def test_a_wrong_one_does_not(site: Site, token: str) -> None:
    answer = site.sign_in(token)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers and "not the access token" in answer.text


@pytest.mark.parametrize("value", [
    f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Fused-Service-Token {TOKEN}", f"Anything   {TOKEN}  ",
])  # fmt: skip
def test_any_scheme_with_the_token_will_do(site: Site, value: str) -> None:
    assert site.ask("GET", "/api/jobs", {"Authorization": value}).status_code == 200


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", TOKEN, f"Bearer {TOKEN}x", f"Bearer x{TOKEN}", f"{TOKEN} Bearer"]
)
def test_anything_else_will_not(site: Site, value: str) -> None:
    assert site.ask("GET", "/api/jobs", {"Authorization": value}).status_code == 401


def test_a_token_in_the_address_is_no_sign_in(site: Site) -> None:
    for name in ("token", "access_token", "authorization"):
        assert site.ask("GET", f"/api/jobs?{name}={TOKEN}").status_code == 401


def test_tokens_are_compared_in_constant_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(module.hmac, "compare_digest", compare)
    site.sign_in("x")
    site.ask("GET", "/api/jobs", {"Authorization": "Bearer something much longer than the token is"})
    assert compared == [(32, 32), (32, 32)], "digests of one length, whatever was sent"


def test_signing_out_ends_the_session_and_every_copy_of_it(site: Site) -> None:
    cookie = cookie_of(site)
    answer = site.ask("POST", "/logout", cookie)
    assert answer.status_code == 303 and "Max-Age=0" in answer.headers["set-cookie"]
    assert site.ask("GET", "/api/jobs", cookie).status_code == 401
    assert site.ask("GET", "/api/jobs", cookie_of(site)).status_code == 200, "others stay"


def test_a_session_ends_by_itself(site: Site) -> None:
    signer = site.service.access.signer
    past = signer.sign(Purpose.SESSION, "s", 1_700_000_000_000)
    assert site.ask("GET", "/api/jobs", {"Cookie": f"jobtail_session={past}"}).status_code == 401


def test_a_new_access_token_ends_sessions(open_site: Callable[..., Site]) -> None:
    cookie = cookie_of(open_site())
    assert open_site().ask("GET", "/api/jobs", cookie).status_code == 200
    assert open_site(access_token="another-token-4711").ask("GET", "/api/jobs", cookie).status_code == 401


@pytest.mark.parametrize(
    ("onward", "goes"),
    [
        ("/jobs/x?a=b", "/jobs/x?a=b"), ("", "/"), ("//evil.example", "/"), ("/\\evil.example", "/"),
        ("https://evil.example", "/"), ("javascript:alert(1)", "/"), ("/a\r\nSet-Cookie: x=y", "/"),
        ("/" + "a" * 1000, "/"), ("\t//evil.example", "/"), ("/a\\b", "/"),
    ],
)  # fmt: skip
def test_one_goes_on_to_our_own_pages_alone(site: Site, onward: str, goes: str) -> None:
    answer = site.ask("POST", "/login", data={"token": TOKEN, "next": onward})
    assert answer.headers["location"] == goes
    assert "evil" not in site.ask("GET", "/login", params={"next": onward}).text


def test_guessing_on_the_page_slows_down(site: Site) -> None:
    codes = [site.sign_in(f"guess {n}").status_code for n in range(12)]
    assert codes[:10] == [401] * 10 and codes[10:] == [429] * 2
    refused = site.sign_in()
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1, "nothing is compared meanwhile"
    assert site.owner("GET", "/api/jobs").status_code == 200


def test_guessing_with_headers_slows_down(site: Site) -> None:
    codes = [site.ask("GET", "/api/jobs", {"Authorization": f"Bearer {n}"}).status_code for n in range(102)]
    assert codes[:100] == [401] * 100 and codes[100:] == [429] * 2
    assert site.owner("GET", "/api/jobs").status_code == 429
    assert site.ask("GET", "/healthz").status_code == 200


def test_one_wrong_script_does_not_lock_out_where_the_right_token_came_from(site: Site) -> None:
    assert site.owner("GET", "/api/jobs").status_code == 200
    for n in range(150):
        assert site.ask("GET", "/api/jobs", {"Authorization": f"Bearer {n}"}).status_code == 401
    assert site.owner("GET", "/api/jobs").status_code == 200


class TestTrustedHeader:
    @pytest.fixture
    def site(self, open_site: Callable[..., Site]) -> Site:
        site = open_site(trusted_user_header="X-Auth-User", trusted_proxies="10.1.0.0/16")
        return site

    def from_peer(self, site: Site, peer: str, method: str, path: str, headers: Any) -> Any:
        transport = site.client._transport
        before, transport.client = transport.client, (peer, 1)  # type: ignore[attr-defined]
        try:
            return site.ask(method, path, headers)
        finally:
            transport.client = before  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("peer", "headers", "status"),
        [
            ("10.1.2.3", {"X-Auth-User": "ada"}, 200),
            ("10.1.2.3", {"x-auth-user": "ada"}, 200),
            ("10.2.2.3", {"X-Auth-User": "ada"}, 401),
            ("127.0.0.1", {"X-Auth-User": "ada"}, 401),
            ("127.0.0.1", {"X-Auth-User": "ada", "X-Forwarded-For": "10.1.2.3"}, 401),
            ("10.1.2.3", {"X-Auth-User": ""}, 401),
            ("10.1.2.3", {"X-Auth-User": "x" * 300}, 401),
            ("10.1.2.3", [("X-Auth-User", "ada"), ("X-Auth-User", "eve")], 401),
            ("10.1.2.3", {"X-Other-User": "ada"}, 401),
        ],
    )
    def test_only_a_configured_peer_names_the_user(self, site: Site, peer: str, headers: Any, status: int) -> None:
        assert self.from_peer(site, peer, "GET", "/api/jobs", headers).status_code == status

    def test_the_user_is_recorded(self, site: Site) -> None:
        site.add_job("running-job", ["a line"], ended=False)
        headers = {"X-Auth-User": "ada@example.org", "X-Forwarded-For": "6.6.6.6, 198.51.100.7"}
        assert self.from_peer(site, "10.1.2.3", "POST", "/api/jobs/running-job/cancel", headers).status_code == 202
        (record,) = site.service.catalog.cancels("running-job")
        assert (record.who, record.address) == ("ada@example.org", "198.51.100.7")
