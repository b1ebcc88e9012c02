"""Which state-changing requests another site's page may have caused."""

import pytest

from webapp.access.origin import allowed_origin, check_same_site, same_origin
from webapp.errors import Denied

from .scopes import scope

OURS = "http://127.0.0.1:8484"


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "SAME-ORIGIN"}, False),
        ({"sec_fetch_site": "anything"}, False),
        ({"sec_fetch_site": "cross-site", "origin": OURS}, False),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, True),
        ({"origin": OURS}, True),
        ({"origin": "http://127.0.0.1"}, False),
        ({"origin": "http://127.0.0.1:8485"}, False),
        ({"origin": "http://localhost:8484"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://127.0.0.1:8484.evil.example"}, False),
        ({"origin": "http://evil.example/127.0.0.1:8484"}, False),
        ({"origin": "http://evil@127.0.0.1:8484"}, False),
        ({"origin": "file://"}, False),
        ({}, True),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "ANYTHING"])
def test_state_changing_requests(method: str, headers: dict[str, str], passes: bool) -> None:
    if passes:
        check_same_site(scope(method, **headers))
    else:
        with pytest.raises(Denied):
            check_same_site(scope(method, **headers))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing(method: str) -> None:
    check_same_site(scope(method, sec_fetch_site="cross-site", origin="https://evil.example"))


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("https://logs.example", "logs.example", True),
        ("https://logs.example", "logs.example:443", True),
        ("http://logs.example:80", "logs.example", True),
        ("https://LOGS.example", "logs.example", True),
        ("https://logs.example:8443", "logs.example", False),
        ("https://logs.example.evil", "logs.example", False),
    ],
)
def test_ports_that_go_without_saying(origin: str, host: str, same: bool) -> None:
    assert same_origin(origin.encode(), scope(host=host)) is same


def test_only_configured_origins_may_read_the_api_alone() -> None:
    allowed = frozenset({"https://dash.example"})
    assert allowed_origin(scope(path="/api/jobs", origin="https://dash.example"), allowed) == "https://dash.example"
    assert allowed_origin(scope(path="/jobs/x", origin="https://dash.example"), allowed) is None
    assert allowed_origin(scope(path="/api/jobs", origin="https://dash.example.evil"), allowed) is None
    assert allowed_origin(scope(path="/api/jobs"), allowed) is None
