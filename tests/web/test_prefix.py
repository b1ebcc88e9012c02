"""Under a path of a host, and behind proxies that change what a request says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from tests.security.site import JOB, TOKEN, Site
from webapp.settings import Settings, load_settings
from webapp.web.app import create_app
from webapp.web.static import version

PUBLIC = "https://host.example/logs"


@pytest.fixture
def under(open_site: Callable[..., Site]) -> Site:
    return open_site(public_url=PUBLIC)


@pytest.mark.parametrize("kept", ["/logs", ""], ids=["the proxy keeps the prefix", "the proxy takes it away"])
class TestUnderAPrefix:
    def test_all_that_a_page_names_is_under_it_and_there(self, under: Site, kept: str) -> None:
        for path in ("/", f"/jobs/{JOB}"):
            page = under.owner("GET", kept + path)
            assert page.status_code == 200
            named = re.findall(r'(?:src|href|action)="(/[^"]*)"', page.text)
            assert named and all(one.startswith("/logs/") for one in named)
            for one in named:
                if "/static/" in one or "/api/" in one:
                    there = one.replace("&amp;", "&").removeprefix("/logs")
                    assert under.owner("GET", kept + there).status_code == 200, one
        assert "curl -N" in page.text and "https://host.example/logs/api/jobs/" in page.text
        assert "http://host" not in page.text

    def test_signing_in_and_shared_links_stay_under_it(self, under: Site, kept: str) -> None:
        answer = under.ask("POST", kept + "/login", data={"token": TOKEN, "next": f"/jobs/{JOB}"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/logs/jobs/{JOB}")
        assert "Path=/logs;" in answer.headers["set-cookie"] and "Secure" in answer.headers["set-cookie"]
        url = under.owner("POST", f"{kept}/api/jobs/{JOB}/shares").json()["url"]
        assert url.startswith(PUBLIC + "/s/")
        opened = under.ask("GET", kept + url.removeprefix(PUBLIC))
        assert f'href="/logs/jobs/{JOB}"' in opened.text and "Path=/logs;" in opened.headers["set-cookie"]

    def test_the_api_links_to_where_it_is(self, under: Site, kept: str) -> None:
        answer = under.owner("GET", f"{kept}/api/jobs/{JOB}/logs?limit=3")
        assert answer.headers["link"].startswith(f"</logs/api/jobs/{JOB}/logs?")
        again = under.owner("GET", answer.headers["link"][1:].partition(">")[0])
        assert again.json()[0]["line"] == 4
        config = under.owner("GET", f"{kept}/server/v1/job/by-id/{JOB}/config")
        assert config.headers["location"].startswith(PUBLIC + "/server/v1/config/")

    def test_a_slash_too_many_leads_back_without_a_scheme(self, under: Site, kept: str) -> None:
        answer = under.owner("GET", f"{kept}/jobs/{JOB}/")
        assert (answer.status_code, answer.headers["location"]) == (308, f"/logs/jobs/{JOB}")


def test_mounted_under_a_path_of_another_application(tmp_path: Path) -> None:
    inner = create_app(Settings(data_dir=tmp_path / "data"))
    outer = Starlette(routes=[Mount("/inner", app=inner)])
    with TestClient(outer, base_url="http://127.0.0.1:8484", follow_redirects=False) as client:
        page = client.get("/inner/")
        assert page.status_code == 200 and f'href="/inner/static/{version()}/page.css"' in page.text
        assert client.get("/inner/api/jobs").json()["jobs"] == []
        assert client.get(f"/inner/static/{version()}/page.css").status_code == 200
        assert inner.state.begun
        client.portal.call(inner.state.service.stop)  # type: ignore[union-attr]


ORIGIN = {"Origin": "https://host.example"}


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, ORIGIN, 403),
        ({"public_url": PUBLIC}, ORIGIN, 303),
        ({"public_url": PUBLIC}, {"Origin": "https://other.example"}, 403),
        ({}, {**ORIGIN, "X-Forwarded-Host": "host.example"}, 403),
    ],
)
def test_signing_in_behind_a_proxy_that_changes_the_host(
    open_site: Callable[..., Site], settings: dict[str, str], headers: dict[str, str], status: int
) -> None:
    answer = open_site(**settings).sign_in(Host="10.0.0.7:8484", **headers)
    assert answer.status_code == status
    if status == 403 and headers == ORIGIN:
        assert "JOBTAIL_PUBLIC_URL" in answer.text


def test_a_public_path_that_is_one_of_ours_is_refused() -> None:
    with pytest.raises(Exception, match="JOBTAIL_PUBLIC_URL"):
        load_settings(public_url="https://host.example/api/x")


@pytest.mark.parametrize("accept", ["identity", "br", "gzip;q=0", "gzip; q=0.0", ""])
def test_files_are_not_compressed_unless_asked(site: Site, accept: str) -> None:
    answer = site.ask("GET", f"/static/{version()}/job.js", {"Accept-Encoding": accept})
    assert "content-encoding" not in answer.headers
