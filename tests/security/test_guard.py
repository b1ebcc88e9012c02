"""What is refused before any route: other hosts, proxies, other sites, tricks in paths, and too much of anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from webapp.access import guard
from webapp.access.guard import Guard, check_path
from webapp.errors import UsageError
from webapp.settings import Settings

from ..access.scopes import scope
from .site import JOB, TOKEN, Site

OURS = {"Sec-Fetch-Site": "same-origin"}
THEIRS: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8484"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:9999"},
]


@pytest.mark.parametrize("headers", THEIRS, ids=str)
@pytest.mark.parametrize("token", [TOKEN, ""], ids=["with a token", "without"])
def test_another_sites_page_changes_nothing(
    open_site: Callable[..., Site], headers: dict[str, str], token: str
) -> None:
    site = open_site(access_token=token)
    site.add_job("running-job", ["a line"], ended=False)
    cookie = site.sign_in(**OURS).headers.get("set-cookie", "").partition(";")[0]
    for method, path in (
        ("POST", "/api/jobs/running-job/cancel"), ("POST", "/jobs/running-job/cancel"),
        ("POST", "/server/v1/run/by-id/running-job/cancel"), ("POST", "/api/jobs/running-job/shares"),
        ("DELETE", "/api/jobs/running-job/journal"), ("POST", "/logout"), ("POST", "/login"),
    ):  # fmt: skip
        for more in ({"Cookie": cookie}, {"Authorization": f"Bearer {TOKEN}"}):
            assert site.ask(method, path, {**headers, **more}).status_code == 403, path
    assert site.service.catalog.cancels("running-job") == []
    assert site.service.shares.of_job("running-job") == []


def test_our_own_page_and_programs_may(site: Site) -> None:
    cookie = site.sign_in(**OURS).headers["set-cookie"].partition(";")[0]
    for headers in (OURS, {"Origin": "http://127.0.0.1:8484"}, {}, {"Sec-Fetch-Site": "none"}):
        assert site.ask("POST", f"/api/jobs/{JOB}/cancel", {**headers, "Cookie": cookie}).status_code == 200


def test_nothing_is_changed_by_get(site: Site) -> None:
    link = site.enter(site.token(can_cancel=True))
    for path in (f"/api/jobs/{JOB}/cancel", f"/jobs/{JOB}/cancel", "/logout", f"/server/v1/run/by-id/{JOB}/cancel"):
        assert site.ask("GET", path, link).status_code == 405


class TestWithoutToken:
    @pytest.fixture
    def site(self, open_site: Callable[..., Site]) -> Site:
        return open_site(access_token="")

    @pytest.mark.parametrize(
        "path", ["/", "/healthz", "/api/jobs", f"/api/jobs/{JOB}/events", "/static/page.css", "/no"]
    )
    def test_a_rebound_name_gets_nothing(self, site: Site, path: str) -> None:
        for host in ("evil.example", "evil.example:8484", "127.0.0.1.nip.io", "0.0.0.0:8484"):
            answer = site.ask("GET", path, {"Host": host})
            assert answer.status_code == 403 and "nightly" not in answer.text and "line 1" not in answer.text

    @pytest.mark.parametrize("name", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
    def test_a_proxy_in_front_gets_nothing(self, site: Site, name: str) -> None:
        answer = site.ask("GET", "/api/jobs", {name: "for=10.0.0.1"})
        assert answer.status_code == 403 and "JOBTAIL_ACCESS_TOKEN" in answer.text

    def test_this_machine_gets_all(self, site: Site) -> None:
        for host in ("127.0.0.1:8484", "localhost:8484", "[::1]:8484"):
            assert site.ask("GET", "/api/jobs", {"Host": host}).status_code == 200


def test_with_a_token_any_host_and_proxy_will_do(site: Site) -> None:
    headers = {"Host": "logs.example", "X-Forwarded-For": "1.2.3.4", "Via": "1.1 proxy"}
    assert site.owner("GET", "/api/jobs", headers).status_code == 200


@pytest.mark.parametrize("host", ["a b", "a/b", "evil.example@127.0.0.1", "", "x" * 300, "a:b:c", "<script>"])
def test_a_host_that_is_none_is_refused(site: Site, host: str) -> None:
    assert site.owner("GET", "/api/jobs", {"Host": host}).status_code == 400


class TestOtherSites:
    """CORS: configured sites may read the API with a token, and with nothing else."""

    GOOD = "https://dash.example"

    @pytest.fixture
    def site(self, open_site: Callable[..., Site]) -> Site:
        return open_site(allowed_origins=self.GOOD)

    @pytest.mark.parametrize(
        "path", ["/api/jobs", f"/api/jobs/{JOB}", f"/api/jobs/{JOB}/events", f"/api/jobs/{JOB}/logs"]
    )
    def test_a_configured_site_may_read(self, site: Site, path: str) -> None:
        answer = site.owner("GET", path, {"Origin": self.GOOD, "Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == self.GOOD
        assert "origin" in answer.headers["vary"].lower()
        assert "access-control-allow-credentials" not in answer.headers

    def test_it_is_told_why_not(self, site: Site) -> None:
        answer = site.ask("GET", "/api/jobs", {"Origin": self.GOOD})
        assert answer.status_code == 401 and answer.headers["access-control-allow-origin"] == self.GOOD

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "https://dash.example.evil", "http://dash.example", "null"]
    )
    def test_another_may_not(self, site: Site, origin: str) -> None:
        answer = site.owner("GET", "/api/jobs", {"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers

    def test_its_browser_may_send_the_token_and_change_nothing(self, site: Site) -> None:
        asks = {"Origin": self.GOOD, "Access-Control-Request-Method": "GET"}
        answer = site.ask("OPTIONS", "/api/jobs", {**asks, "Access-Control-Request-Headers": "authorization"})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
        assert "authorization" in answer.headers["access-control-allow-headers"].lower()
        posted = site.owner("POST", f"/api/jobs/{JOB}/cancel", {"Origin": self.GOOD})
        assert posted.status_code == 403

    def test_pages_are_not_for_other_sites(self, site: Site) -> None:
        assert "access-control-allow-origin" not in site.owner("GET", "/", {"Origin": self.GOOD}).headers


@pytest.mark.parametrize(
    "path", ["/api/jobs/../x", "/api//jobs", "/api/./jobs", "//evil.example/", "http://evil/", "*"]
)
def test_paths_that_can_be_read_in_two_ways_are_refused(path: str) -> None:
    with pytest.raises(UsageError):
        check_path(scope(path=path))


class TestBounds:
    def test_a_body(self, site: Site) -> None:
        path = f"/api/jobs/{JOB}/shares"
        assert site.owner("POST", path, content=b" " * (64 << 10)).status_code == 201
        assert site.owner("POST", path, content=b" " * ((64 << 10) + 1)).status_code == 413
        assert site.ask("POST", "/login", content=b"x" * (1 << 20)).status_code == 413

    def test_a_body_in_pieces(self, site: Site) -> None:
        pieces = (b" " * 1000 for _ in range(100))
        assert site.owner("POST", f"/api/jobs/{JOB}/shares", content=pieces).status_code == 413

    def test_headers(self, site: Site) -> None:
        assert site.ask("GET", "/healthz", {"X-Much": "x" * (33 << 10)}).status_code == 413

    def test_a_query(self, site: Site) -> None:
        assert site.ask("GET", "/healthz?" + "x" * (8 << 10)).status_code == 200
        assert site.ask("GET", "/healthz?" + "x" * ((8 << 10) + 1)).status_code == 413
        assert site.ask("GET", "/healthz?" + "a&" * 60).status_code == 413
        assert site.owner("GET", f"/api/jobs/{JOB}/logs?q=" + "x" * 2001).status_code == 400

    def test_a_path(self, site: Site) -> None:
        assert site.ask("GET", "/" + "x" * 5000).status_code == 413

    def test_a_body_that_does_not_come_is_not_waited_for(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
        refused: list[Exception] = []

        async def never() -> Any:
            await anyio.sleep_forever()

        async def refuse(request: Any, error: Exception) -> Any:
            refused.append(error)

            async def nothing(scope: Any, receive: Any, send: Any) -> None: ...

            return nothing

        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise AssertionError("it must not get there")

        async def send(message: Any) -> None: ...

        guarded = Guard(app, Settings(data_dir=tmp_path), refuse)
        anyio.run(guarded, scope("POST"), never, send)
        assert isinstance(refused[0], UsageError)

    def test_an_expression_that_would_backtrack_for_ever_does_not(self, site: Site) -> None:
        site.add_job("long-job", ["a" * 60_000])
        answer = site.owner("GET", "/api/jobs/long-job/search?regex=true&q=(a%2B)%2B(a%2B)%2B%24b")
        assert answer.status_code == 200 and answer.json()["lines"] == []


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/", f"/jobs/{JOB}", "/login", "/s/x", "/no", "/api/jobs", "/healthz", "/server/v1/no"]
    )
    @pytest.mark.parametrize("accept", ["text/html", "application/json"])
    def test_every_answer_is_closed(self, site: Site, path: str, accept: str) -> None:
        for ask in (site.owner, site.ask):
            answer = ask("GET", path, {"Accept": accept})
            csp = answer.headers["content-security-policy"]
            assert "default-src 'none'" in csp and "frame-ancestors 'none'" in csp and "unsafe" not in csp
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
            assert answer.headers["cache-control"] == "no-store"

    def test_a_stream_too(self, site: Site) -> None:
        answer = site.owner("GET", f"/api/jobs/{JOB}/events")
        assert answer.headers["cache-control"] == "no-cache, no-transform"
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]

    def test_pages_hold_no_script_and_style_of_their_own(self, site: Site) -> None:
        for path in ("/", f"/jobs/{JOB}", "/login", "/s/x", f"/s/{site.token()}"):
            text = site.owner("GET", path, {"Accept": "text/html"}).text
            assert "<script>" not in text and "<style" not in text and " style=" not in text and " onclick=" not in text

    def test_static_files_are_asked_about_and_not_private(self, site: Site) -> None:
        answer = site.ask("GET", "/static/page.css")
        assert answer.headers["cache-control"] == "no-cache" and "etag" in answer.headers

    @pytest.mark.parametrize("path", [
        "/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/..%2fpyproject.toml", "/static/",
        "/static//etc/passwd", "/static/%2fetc/passwd",
    ])  # fmt: skip
    def test_static_files_end_at_their_folder(self, site: Site, path: str) -> None:
        answer = site.ask("GET", path)
        assert answer.status_code in (400, 404) and "jobtail" not in answer.text.replace("jobtail</", "")


def test_a_fault_of_ours_shows_no_trace(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError("a path /srv/secret and a frame")

    monkeypatch.setattr(site.service.shares, "of_job", broken)
    answer = site.owner("GET", f"/api/jobs/{JOB}/shares")
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text and "Traceback" not in answer.text and "RuntimeError" not in answer.text
