"""What the description says of a parameter is what the service does: driven from the description itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from webapp.web.openapi import document
from webapp.web.params import parameters
from webapp.web.queries import FusedJobsQuery, FusedLogsQuery

from ..security.site import JOB, LINES, START_MS, Site

MESSAGES = [f"{word} number {n}" for n, word in enumerate(["INFO", "ERROR", "DEBUG", "WARN", "plain"] * 4)]
MIXED = "20231114-221320-mixed"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site.opened(tmp_path_factory.mktemp("parameters") / "data") as site:
        site.add_job(MIXED, MESSAGES)
        yield site


@pytest.fixture(scope="module")
def epoch(site: Site) -> str:
    return str(site.owner("GET", f"/api/jobs/{JOB}/logs?tail=1").json()[0]["id"].partition("-")[0])


@pytest.fixture(scope="module")
def described(site: Site) -> dict[tuple[str, str], dict[str, Any]]:
    """The JSON Schema of each parameter of a query, by path and name; the Fused wire is not in the document."""
    paths = document(site.app.routes)["paths"]
    found = {
        (path, parameter["name"]): parameter["schema"]
        for path, methods in paths.items()
        for parameter in methods.get("get", {}).get("parameters", [])
        if parameter["in"] == "query"
    }
    for path, model in (("/server/v1/logs/{job}", FusedLogsQuery), ("/server/v1/job/self", FusedJobsQuery)):
        found |= {(path, name): schema for name, schema in parameters(model).items()}
    return found


def allowed_and_refused(schema: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Values at the bounds of a schema, and just beyond them."""
    if "enum" in schema:
        return schema["enum"], [schema["enum"][0].upper(), schema["enum"][0] + "x"]
    if schema["type"] == "boolean":
        return ["true", "false", "TRUE", "1", "0"], ["2", "maybe", "true "]
    if "pattern" in schema:
        return schema["examples"], [schema["examples"][0] + "!", "!" + schema["examples"][0]]
    if schema["type"] == "string":
        return ["", "x", "é" + "x" * (schema["maxLength"] - 1)], ["x" * (schema["maxLength"] + 1)]
    low, high = schema["minimum"], schema["maximum"]
    odd = ["x", "nan", "NaN", "inf", "1_0", " 5", "+5", "\u0665", "0x1", "1,5", "9" * 400, "--1", "5\n", "5\x00"]
    if schema["type"] == "integer":
        return [str(low), str(high), f"0{high}"], [str(low - 1), str(high + 1), "1.5", "1e1", *odd]
    return [str(low), str(high), f"{high}.0"], [str(low - 0.001), str(high + 0.001), "1e400", *odd]


def ask(site: Site, path: str, name: str, value: str) -> httpx2.Response:
    query = {name: value}
    if path.endswith("/search") and name not in ("q", "level", "exclude"):
        query["q"] = "line"
    if name == "follow":
        query["format"] = "ndjson"
    if name == "end":
        query["format"] = "ndjson"
    return site.owner("GET", path.replace("{job}", JOB), params=query)


def test_every_value_at_a_bound_is_taken_and_one_beyond_is_refused_by_name(
    site: Site, epoch: str, described: dict[tuple[str, str], dict[str, Any]]
) -> None:
    assert len(described) > 50
    for (path, name), schema in described.items():
        allowed, refused = allowed_and_refused(schema)
        for value in allowed:
            answer = ask(site, path, name, value.replace("mb3k7-120", f"{epoch}-{LINES}"))
            named = value == "" and path.endswith("/search")  # of nothing to look for, q is what is missing
            assert answer.status_code == 200 or named, (path, name, value[:50], answer.text)
        # Lists of the Excluded kind take any text within bounds: they have a test of their own.
        for value in [] if name == "exclude" else refused:
            answer = ask(site, path, name, value)
            assert answer.status_code == 400, (path, name, value[:50], answer.text[:200])
            assert answer.json()["detail"].startswith(name), (path, name, value[:50], answer.text[:200])
            assert len(answer.json()["detail"]) < 500


@pytest.mark.parametrize("route", ["logs", "events", "search"])
@pytest.mark.parametrize(
    ("exclude", "status"),
    [("x" * 1000, 200), ("x" * 1001, 400), ("\n".join("abcdefgh"), 200), ("\n".join("abcdefghi"), 400)],
)
def test_excluded_texts_are_bounded_each_and_together(site: Site, route: str, exclude: str, status: int) -> None:
    answer = site.owner("GET", f"/api/jobs/{JOB}/{route}", params={"exclude": exclude})
    assert answer.status_code == status
    assert status == 200 or answer.json()["detail"].startswith("exclude has")


def numbers(site: Site, route: str, query: str) -> list[int]:
    """The lines that a route gives."""
    answer = site.owner("GET", f"/api/jobs/{MIXED}/{route}?{query}")
    assert answer.status_code == 200, answer.text
    if route == "logs":
        return [line["line"] for line in answer.json()]
    if route == "search":
        return [line["line"] for line in answer.json()["lines"]]
    return [json.loads(data)["line"] for data in re.findall(r"id: \w+-\d+\ndata: (.*)\n", answer.text)]


FILTERS = [
    "level=error", "level=error,none", "q=number", "q=NUMBER", "q=^W&regex=true", "q=NUMBER&case=either",
    "q=Number&case=exact", "q=^w&regex=true&case=either", "exclude=info", "exclude=INFO%0AERROR",
    "exclude=info&case=exact", "q=number&exclude=warn&level=error,warning",
]  # fmt: skip
TIMES = [
    "",
    f"since_ms={START_MS + 5}",
    f"until_ms={START_MS + 12}",
    f"since_ms={START_MS + 5}&until_ms={START_MS + 12}",
]


@pytest.mark.parametrize(("wanted", "times"), list(product(FILTERS, TIMES)))
def test_events_logs_and_search_choose_the_same_lines(site: Site, wanted: str, times: str) -> None:
    logs, events, search = (numbers(site, route, f"{wanted}&{times}") for route in ("logs", "events", "search"))
    assert logs == events == search
    low, high = (5 if "since" in times else 0), (12 if "until" in times else LINES)
    assert all(low <= number - 1 <= high for number in logs)
    tail = f"{wanted}&{times}&tail=2"
    assert numbers(site, "logs", tail) == numbers(site, "events", tail) == numbers(site, "search", tail) == logs[-2:]


# --- names that are not known


@pytest.mark.parametrize(
    ("route", "name", "meant"),
    [
        ("logs", "sinse_ms", "since_ms"), ("logs", "since", "since_ms"), ("logs", "sinceMs", "since_ms"),
        ("logs", "since-ms", "since_ms"), ("logs", "folow", "follow"), ("logs", "levels", "level"),
        ("events", "lastEventIds", "lastEventId"), ("events", "aftr", "after"),
        ("events", "refresh_second", "refresh_seconds"), ("search", "limits", "limit"), ("overview", "part", "parts"),
        ("logs", "Q_", ""),
        ("logs", "form", "format"),
    ],
)  # fmt: skip
def test_a_mistyped_name_is_refused_with_the_one_that_was_meant(site: Site, route: str, name: str, meant: str) -> None:
    answer = site.owner("GET", f"/api/jobs/{JOB}/{route}?q=line&{name}=5")
    if meant:
        assert (answer.status_code, answer.json()["detail"]) == (
            400, f"{name!r} is not a parameter of this route: do you mean {meant}?",
        )  # fmt: skip
    else:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "_", "_t", "t", "ts", "v", "cb", "nocache", "cachebust", "cache", "rnd", "random", "time", "timestamp", "nonce",
        "token", "access_token", "session_id", "utm_source", "fbclid", "gclid", "evs_preamble",
        "transport", "heartbeat", "withCredentials", "jwt", "key", "sig", "lang", "user", "id", "page", "callback",
    ],
)  # fmt: skip
@pytest.mark.parametrize("route", ["logs", "events", "search", "overview"])
def test_what_caches_proxies_and_libraries_add_is_ignored_and_said(site: Site, route: str, name: str) -> None:
    answer = site.owner("GET", f"/api/jobs/{JOB}/{route}?q=line&{name}=1")
    assert answer.status_code == 200, answer.text
    ignored = [name] if route != "overview" else ["q", name]
    assert answer.headers["jobtail-ignored"] == ", ".join(ignored)


def test_nothing_is_said_where_nothing_is_ignored(site: Site) -> None:
    for path in (f"/api/jobs/{JOB}/logs?tail=1", "/?utm_source=x", f"/server/v1/logs/{JOB}?sinse_ms=1"):
        answer = site.owner("GET", path)
        assert answer.status_code == 200 and "jobtail-ignored" not in answer.headers


def test_no_name_breaks_out_of_the_header(site: Site) -> None:
    names = ["a\r\nSet-Cookie: x", "é", "a,b", "\x00", "x" * 300, *(f"n{n}" for n in range(30))]
    query = "&".join(f"{quote(name)}=1" for name in names)
    answer = site.owner("GET", f"/api/jobs/{JOB}/logs?{query}")
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    said = answer.headers["jobtail-ignored"].split(", ")
    assert said[:3] == ["a%0D%0ASet-Cookie%3A%20x", "%C3%A9", "a%2Cb"] and len(said) == 10
