"""Who, what, and the expected answer: over every route that there is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.routing import Mount

from webapp.web.route import GuardedRoute

from .site import JOB, TOKEN, Site

# Per route: what its owner gets. Then the others, in the order of WHO.
WHO = (
    "owner",
    "signed in",
    "link",
    "link that may cancel",
    "link to lines",
    "link of another job",
    "wrong token",
    "ended link",
    "revoked link",
    "stranger",
)
VIEW = (200, 200, 200, 200, 200, 401, 401, 401, 401, 401)
WHOLE = (200, 200, 200, 200, 403, 401, 401, 401, 401, 401)
OWNERS = (200, 200, 403, 403, 403, 401, 401, 401, 401, 401)
LISTS = (200, 200, 401, 401, 401, 401, 401, 401, 401, 401)
CANCEL = (200, 200, 403, 200, 403, 401, 401, 401, 401, 401)
OPEN = (200,) * 10
# Whoever may report a job is told what the request lacks.
REPORTS = (400, 400, 403, 403, 403, 401, 401, 401, 401, 401)


def answered(row: tuple[int, ...], status: int) -> tuple[int, ...]:
    """The same with another answer for those who may."""
    return tuple(status if code == 200 else code for code in row)


# (method, path as routed): (path to ask, expected answers)
TABLE: dict[tuple[str, str], tuple[str, tuple[int, ...]]] = {
    ("GET", "/healthz"): ("/healthz", OPEN),
    ("GET", "/readyz"): ("/readyz", OPEN),
    ("PUT", "/api/jobs/{job}"): ("/api/jobs/{job}", REPORTS),
    ("POST", "/api/jobs/{job}/lines"): ("/api/jobs/{job}/lines", REPORTS),
    ("POST", "/api/jobs/{job}/heartbeat"): ("/api/jobs/{job}/heartbeat", REPORTS),
    ("POST", "/api/jobs/{job}/end"): ("/api/jobs/{job}/end", REPORTS),
    ("GET", "/metrics"): ("/metrics", LISTS),
    ("GET", "/login"): ("/login", (303, 303, *(200,) * 8)),
    ("POST", "/login"): ("/login", (400,) * 10),
    ("POST", "/logout"): ("/logout", (303,) * 10),
    ("GET", "/s/{token}"): ("/s/rubbish", (404,) * 10),
    ("GET", "/"): ("/", LISTS),
    ("GET", "/jobs/{job}"): ("/jobs/{job}", VIEW),
    ("POST", "/jobs/{job}/cancel"): ("/jobs/{job}/cancel", answered(CANCEL, 303)),
    ("GET", "/api/openapi.json"): ("/api/openapi.json", OPEN),
    ("GET", "/api/seen"): ("/api/seen", LISTS),
    ("GET", "/api/jobs"): ("/api/jobs", LISTS),
    ("GET", "/api/jobs/{job}"): ("/api/jobs/{job}", VIEW),
    ("GET", "/api/jobs/{job}/logs"): ("/api/jobs/{job}/logs", VIEW),
    ("GET", "/api/jobs/{job}/events"): ("/api/jobs/{job}/events", VIEW),
    ("GET", "/api/jobs/{job}/search"): ("/api/jobs/{job}/search?q=line", VIEW),
    ("GET", "/api/jobs/{job}/exec-time"): ("/api/jobs/{job}/exec-time", VIEW),
    ("GET", "/api/jobs/{job}/overview"): ("/api/jobs/{job}/overview", VIEW),
    ("GET", "/api/jobs/{job}/wait"): ("/api/jobs/{job}/wait?timeout=1", VIEW),
    ("POST", "/api/jobs/{job}/cancel"): ("/api/jobs/{job}/cancel", CANCEL),
    ("GET", "/api/jobs/{job}/config"): ("/api/jobs/{job}/config", OWNERS),
    ("GET", "/api/jobs/{job}/steps-config"): ("/api/jobs/{job}/steps-config", OWNERS),
    ("POST", "/api/jobs/{job}/shares"): ("/api/jobs/{job}/shares", answered(OWNERS, 201)),
    ("GET", "/api/jobs/{job}/shares"): ("/api/jobs/{job}/shares", OWNERS),
    ("DELETE", "/api/jobs/{job}/shares/{share}"): ("/api/jobs/{job}/shares/{share}", answered(OWNERS, 204)),
    ("DELETE", "/api/jobs/{job}/journal"): ("/api/jobs/{job}/journal", answered(OWNERS, 204)),
    ("GET", "/server/v1/run/by-id/{job}"): ("/server/v1/run/by-id/{job}", WHOLE),
    ("POST", "/server/v1/run/by-id/{job}/cancel"): ("/server/v1/run/by-id/{job}/cancel", CANCEL),
    ("GET", "/server/v1/logs/{job}"): ("/server/v1/logs/{job}", WHOLE),
    ("GET", "/server/v1/job/self"): ("/server/v1/job/self", LISTS),
    ("GET", "/server/v1/job/by-id/{job}/config"): ("/server/v1/job/by-id/{job}/config", answered(OWNERS, 307)),
    ("GET", "/server/v1/config/{token}"): ("/server/v1/config/rubbish", (404,) * 10),
}

# Last: there are no lines afterwards, or no sign-in.
LAST = (("DELETE", "/api/jobs/{job}/journal"), ("POST", "/logout"))


def routes(site: Site) -> list[GuardedRoute]:
    return [route for route in site.app.routes if isinstance(route, GuardedRoute)]


def operations(site: Site) -> set[tuple[str, str]]:
    return {(method, route.path) for route in routes(site) for method in (route.methods or set()) - {"HEAD"}}


def test_every_route_asks(site: Site) -> None:
    unguarded = [route for route in site.app.routes if not isinstance(route, GuardedRoute)]
    assert [(type(route), route.path) for route in unguarded] == [(Mount, "/static")]  # type: ignore[attr-defined]


def test_the_table_knows_every_route(site: Site) -> None:
    assert operations(site) - set(TABLE) == set()


def order(key: tuple[str, str]) -> tuple[int, tuple[str, str]]:
    return LAST.index(key) if key in LAST else -1, key


def callers(site: Site) -> dict[str, dict[str, str]]:
    """The headers that each caller sends."""
    site.add_job("another-job", ["a line"])
    revoked = site.share()
    session = site.sign_in().headers["set-cookie"].partition(";")[0]
    found = {
        "owner": {"Authorization": f"Bearer {TOKEN}"},
        "signed in": {"Cookie": session},
        "link": site.enter(site.token()),
        "link that may cancel": site.enter(site.token(can_cancel=True)),
        "link to lines": site.enter(site.token(lines=[5, 9])),
        "link of another job": site.enter(site.token("another-job", can_cancel=True)),
        "wrong token": {"Authorization": "Bearer sesame"},
        "ended link": site.ended_link(),
        "revoked link": site.enter(revoked["url"].rpartition("/s/")[2]),
        "stranger": {},
    }
    site.owner("DELETE", f"/api/jobs/{JOB}/shares/{revoked['id']}")
    return found


def path_of(site: Site, path: str, job: str) -> str:
    share = site.share(job)["id"] if "{share}" in path else ""
    return path.replace("{job}", job).replace("{share}", share)


def test_who_may_do_what(site: Site) -> None:
    who = callers(site)
    assert tuple(who) == WHO
    wrong = []
    for key in sorted(operations(site), key=order):
        method, _ = key
        path, row = TABLE[key]
        for name, want in zip(WHO, row, strict=True):
            got = site.ask(method, path_of(site, path, JOB), who[name])
            if got.status_code != want:
                wrong.append(f"{name}: {method} {path}: {got.status_code}, not {want}: {got.text[:150]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("key", [key for key in TABLE if "{job}" in key[1]], ids=str)
def test_a_stranger_does_not_learn_whether_a_job_exists(site: Site, key: tuple[str, str]) -> None:
    if key not in operations(site):
        pytest.skip("not there")
    path = TABLE[key][0].replace("{share}", "0" * 16)
    there = site.ask(key[0], path.replace("{job}", JOB))
    absent = site.ask(key[0], path.replace("{job}", "no-such-job"))
    assert there.status_code == absent.status_code == 401
    for answer in (there, absent):
        del answer.headers["x-request-id"]  # another one each time
    assert there.text == absent.text and there.headers == absent.headers


def test_without_a_token_everybody_on_this_machine_is_an_owner(open_site: Callable[..., Site]) -> None:
    site = open_site(access_token="")
    for key in sorted(operations(site), key=order):
        path, row = TABLE[key]
        got = site.ask(key[0], path_of(site, path, JOB))
        want = 303 if path in ("/login", "/logout") and key[0] == "GET" else row[0]
        assert got.status_code == want, (key, got.text)


def test_a_range_shows_its_lines_and_nothing_else(site: Site) -> None:
    link = site.enter(site.token(lines=[5, 9]))
    seen, outside = [f"line {n} of" for n in range(5, 10)], [f"line {n} of" for n in (1, 4, 10, 19, 20)]
    for path in (
        "logs", "logs?format=ndjson", "logs?format=text", "logs?tail=3", "logs?from_line=1", "logs?limit=2",
        "logs?q=line", "logs?since_ms=0", "logs?format=text&download=true", "events", "events?format=batch",
        "events?tail=3", "events?sample_logs=false", "events?q=line", "search?q=line", "search?q=line.*&regex=true",
        "overview", "exec-time",
    ):  # fmt: skip
        text = site.ask("GET", f"/api/jobs/{JOB}/{path}", link).text
        assert not [line for line in outside if line in text], path
    page = site.ask("GET", f"/jobs/{JOB}", link).text
    assert not [line for line in outside if line in page]
    assert all(line in page for line in seen)
    whole = site.ask("GET", f"/api/jobs/{JOB}/logs?format=text", link).text
    assert [line for line in seen if line in whole] == seen
    first, last = (site.ask("GET", f"/api/jobs/{JOB}/exec-time", link).json()[end] for end in ("first", "last"))
    assert last - first == 4


def test_a_range_is_not_widened_by_cursors(site: Site) -> None:
    link = site.enter(site.token(lines=[5, 9]))
    epoch = site.owner("GET", f"/api/jobs/{JOB}/logs").json()[0]["id"].partition("-")[0]
    for query in (f"after={epoch}-0", f"after={epoch}-1", f"before={epoch}-20", f"after={epoch}-15"):
        lines = site.ask("GET", f"/api/jobs/{JOB}/logs?{query}", link).json()
        assert all(5 <= line["line"] <= 9 for line in lines), query
    for cursor in (f"{epoch}-0", f"{epoch}-12", f"{epoch}-99", "zz-3", f"{epoch}-20.done"):
        stream = site.ask("GET", f"/api/jobs/{JOB}/events", {**link, "Last-Event-ID": cursor})
        assert not any(f"line {n} of" in stream.text for n in (1, 4, 10, 13, 20)), cursor
