from __future__ import annotations

import pytest

from webapp.client.address import JobAddress, is_loopback, origin, service_url, target
from webapp.client.errors import UsageError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("wkf-1", JobAddress("wkf-1")),
        (" wkf-1 ", JobAddress("wkf-1")),
        ("a:b.c_d-e", JobAddress("a:b.c_d-e")),
        ("http://127.0.0.1:8484/jobs/wkf-1", JobAddress("wkf-1", "http://127.0.0.1:8484")),
        ("http://127.0.0.1:8484/jobs/wkf-1#L120", JobAddress("wkf-1", "http://127.0.0.1:8484")),
        ("https://logs.example/jobs/wkf-1?level=error", JobAddress("wkf-1", "https://logs.example")),
        ("https://logs.example/api/jobs/wkf-1/logs?tail=3", JobAddress("wkf-1", "https://logs.example")),
        ("https://logs.example/deep/er/jobs/a%3Ab/", JobAddress("a:b", "https://logs.example/deep/er")),
        ("https://logs.example/s/abc.def-g", JobAddress("", "https://logs.example", "abc.def-g")),
    ],
)
def test_a_job_is_an_id_or_a_link(text: str, meant: JobAddress) -> None:
    assert target(text) == meant


@pytest.mark.parametrize(
    "text",
    ["", "-x", "a/b", "../etc", "x" * 129, "http://h/jobs/", "http://h/jobs/%2e%2e", "http://h/",
    "ftp://h/jobs/a",
     "http://user:secret@h/jobs/a", "http:///jobs/a", "http://h:99999/jobs/a", "http://h/jobs/a%00b"],
)  # fmt: skip
def test_what_is_neither_is_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(UsageError) as error:
        target(text)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["", "logs.example", "ftp://h", "http://", "http://h:0", "http://h:x", "http://[::1", "http://h?x=1"],
)
def test_a_wrong_address_is_named_with_where_it_came_from(text: str) -> None:
    with pytest.raises(UsageError, match="JOBTAIL_URL holds"):
        service_url(text, "JOBTAIL_URL")


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://Logs.Example/x") == origin("https://logs.example:443/jobs/1")
    assert origin("http://logs.example") != origin("https://logs.example")
    assert origin("http://127.0.0.1:8484") != origin("http://localhost:8484")


@pytest.mark.parametrize(
    ("url", "yes"),
    [
        ("http://127.0.0.2:1", True),
        ("http://localhost", True),
        ("http://[::1]:3", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
    ],
)
def test_this_machine_is_asked_without_a_proxy(url: str, yes: bool) -> None:
    assert is_loopback(url) is yes
