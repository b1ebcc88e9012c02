"""Over real sockets: what no client would send, links that end under a stream, and what the upstream gets to see."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator

import pytest

from tests.served import until
from tests.sse import Event, EventStream, lines_of
from tests.upstream import Fault, now_ms
from webapp.web.own_log import word

from .house import OWNER, TOKEN, UPSTREAM_TOKEN, House

TRICKS = [
    "..%2f", "..%2F..%2Fetc", "%2e%2e%2f", "a%2fb", "a%2Flogs", "%2fetc%2fpasswd", "a%5cb", "a%00", "%00", "a%0ab",
    "http:%2f%2fevil.example", "a%252fb", "a%3fb", "a%23b", "..", "%2e%2e", ".", "a/../b", "-a", "_a", "a b", "é",
    "a%e2%80%a8b", "a" * 129, "a;b", "a@evil.example", "a%0d%0aHost:%20evil", "*", "{job}", "a,b", "~a",
]  # fmt: skip

ROUTES = (
    ("GET", "/api/jobs/{}"), ("GET", "/api/jobs/{}/logs"), ("GET", "/api/jobs/{}/events"), ("GET", "/jobs/{}"),
    ("GET", "/api/jobs/{}/config"), ("POST", "/api/jobs/{}/cancel"), ("GET", "/server/v1/run/by-id/{}"),
    ("GET", "/server/v1/logs/{}"), ("POST", "/server/v1/run/by-id/{}/cancel"), ("POST", "/api/jobs/{}/shares"),
)  # fmt: skip


def until_event(events: Iterator[Event], name: str) -> Event:
    return next(event for event in events if event.name == name)


@pytest.mark.parametrize("trick", TRICKS)
def test_a_tricky_id_never_reaches_the_upstream(house: House, trick: str) -> None:
    house.upstream.asked.clear()
    for method, path in ROUTES:
        assert house.line(method, path.format(trick)) == 400, path
    assert [asked.route for asked in house.upstream.asked] == []


@pytest.mark.parametrize(
    "target", ["http://evil.example/api/jobs", "//evil.example/api/jobs", "*", "/../api/jobs", "/api/../../etc/passwd"]
)
def test_a_target_that_is_no_path_of_ours_gets_nothing(house: House, target: str) -> None:
    house.upstream.asked.clear()
    assert house.line("GET", target) in (400, 404)
    assert not any(asked.route == "unknown" for asked in house.upstream.asked)


def test_the_host_of_an_absolute_target_has_to_be_the_host(house: House) -> None:
    """A proxy or a browser whose name points here says one thing in the target and another in `Host`."""
    here = f"http://127.0.0.1:{house.served.port}/healthz"
    for target, host, wanted in (
        (here, f"127.0.0.1:{house.served.port}", 200),
        (here, "evil.example", 400),
        ("http://evil.example/healthz", f"127.0.0.1:{house.served.port}", 400),
        (f"http://evil.example@127.0.0.1:{house.served.port}/healthz", f"127.0.0.1:{house.served.port}", 400),
    ):
        answer = house.raw(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert int(answer.split(b" ")[1]) == wanted, target


def test_what_is_no_http_is_refused(house: House) -> None:
    for request in (
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"\r\n" * 9,
    ):
        assert not house.raw(request + b"\r\n\r\n", 2).startswith(b"HTTP/1.1 2")
    assert house.ask("GET", "/healthz").status_code == 200


def test_two_lengths_are_refused(house: House) -> None:
    for more in ("Content-Length: 4\r\nTransfer-Encoding: chunked", "Content-Length: 4\r\nContent-Length: 5"):
        head = f"POST /login HTTP/1.1\r\nHost: a\r\n{more}\r\n\r\n"
        assert (
            house.raw(head.encode() + b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 3).count(b"HTTP/1.1 200")
            == 0
        )


def test_a_head_without_end_is_cut_off(house: House) -> None:
    for endless in (b"X: " + b"x" * 400_000, b"X: x\r\n" * 60_000):
        answer = house.raw(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + endless, 5)
        assert answer == b"" or b" 400 " in answer.split(b"\r\n")[0]
    answer = house.raw(b"GET /" + b"x" * 400_000, 5)
    assert answer == b"" or b" 400 " in answer.split(b"\r\n")[0]
    assert house.ask("GET", "/healthz").status_code == 200


def test_a_callers_token_never_goes_upstream(house: House) -> None:
    job = house.upstream.job("quiet-job")
    job.log("a line")
    house.upstream.asked.clear()
    for value in (f"Bearer {TOKEN}", "Bearer somebody-elses"):
        for path in ("/api/jobs/quiet-job", "/api/jobs/quiet-job/logs", "/server/v1/logs/quiet-job", "/api/jobs"):
            house.ask("GET", path, {"Authorization": value, "Cookie": "a=b", "X-Forwarded-For": "1.2.3.4"})
    assert house.upstream.asked
    for asked in house.upstream.asked:
        assert asked.headers["authorization"] == f"Bearer {UPSTREAM_TOKEN}"
        assert "cookie" not in asked.headers and "x-forwarded-for" not in asked.headers


def test_the_storage_of_configurations_gets_no_credential(house: House) -> None:
    house.upstream.job("configured-job")
    assert house.owner("GET", "/api/jobs/configured-job/config").status_code == 200
    stored = [asked for asked in house.upstream.asked if asked.route == "storage"]
    assert stored and all("authorization" not in asked.headers for asked in stored)


def test_a_revoked_link_ends_its_streams_within_seconds(house: House) -> None:
    house.upstream.job("watched-job").log("the first line")
    share, cookie = house.share("watched-job")
    url = f"{house.url}/api/jobs/watched-job/events"
    with EventStream(url, headers=cookie) as theirs, EventStream(url, headers=OWNER) as ours:
        seen, own = iter(theirs), iter(ours)
        until_event(seen, "")
        until_event(own, "")
        begun = time.monotonic()
        assert house.owner("DELETE", f"/api/jobs/watched-job/shares/{share}").status_code == 204
        done = until_event(seen, "done")
        assert done.data["reason"] == "link_ended" and done.id == ""
        assert time.monotonic() - begun < 10, "seconds, not minutes"
        assert list(seen) == [] and theirs.ended
        house.upstream.jobs["watched-job"].log("the second line")
        assert until_event(own, "").data["message"] == "the second line"
    assert EventStream(url, headers=cookie).status == 401


def test_a_link_ends_under_its_streams(house: House) -> None:
    house.upstream.job("ending-job").log("a line")
    cookie = house.short_link("ending-job", 3)
    base = f"{house.url}/api/jobs/ending-job"
    with EventStream(f"{base}/events", headers=cookie) as events:
        assert events.until("done")[-1].data["reason"] == "link_ended"
    assert EventStream(f"{base}/events", headers=cookie).status == 401


def test_followed_text_ends_with_its_link(house: House) -> None:
    house.upstream.job("followed-job").log("a line")
    cookie = house.short_link("followed-job", 3)
    with EventStream(f"{house.url}/api/jobs/followed-job/logs?format=text&follow=true", headers=cookie) as text:
        assert text.body() == b"a line\n"


def test_signing_out_ends_the_streams_of_the_session(house: House) -> None:
    house.upstream.job("session-job").log("a line")
    signed = house.ask("POST", "/login", data={"token": TOKEN, "next": "/"})
    cookie = {"Cookie": signed.headers["set-cookie"].partition(";")[0]}
    with EventStream(f"{house.url}/api/jobs/session-job/events", headers=cookie) as events:
        seen = iter(events)
        until_event(seen, "")
        house.ask("POST", "/logout", cookie)
        assert until_event(seen, "done").data["reason"] == "denied"


def test_a_link_to_lines_outlives_the_upstreams_memory(house: House) -> None:
    job = house.upstream.job("forgotten-job")
    job.lines(1, 20, now_ms() - 1000)
    until(lambda: len(house.owner("GET", "/api/jobs/forgotten-job/logs").json()) == 20, "its lines")
    _, cookie = house.share("forgotten-job", lines=[5, 9])
    del house.upstream.jobs["forgotten-job"]
    with EventStream(f"{house.url}/api/jobs/forgotten-job/events", headers=OWNER) as events:
        assert events.until("done")[-1].data["reason"] == "not_found"
    lines = house.ask("GET", "/api/jobs/forgotten-job/logs", cookie)
    assert lines.status_code == 200, lines.text
    assert [line["line"] for line in lines.json()] == [5, 6, 7, 8, 9]
    assert house.ask("GET", "/api/jobs/forgotten-job/search?q=line", cookie).status_code == 200
    assert "line 7" in house.ask("GET", "/jobs/forgotten-job", cookie).text
    with EventStream(f"{house.url}/api/jobs/forgotten-job/events", headers=cookie) as events:
        assert [line["line"] for line in lines_of(events.until("done"))] == [5, 6, 7, 8, 9]


def test_the_upstreams_words_are_for_owners(house: House) -> None:
    house.upstream.job("troubled-job").log("a line")
    _, cookie = house.share("troubled-job")
    until(lambda: house.owner("GET", "/api/jobs/troubled-job/logs").json(), "its line")
    words = b'{"detail": "disk of worker-17 at 10.2.3.4 is full"}'
    house.upstream.always["status"] = house.upstream.always["logs"] = Fault("status", 500, body=words)
    try:
        url = f"{house.url}/api/jobs/troubled-job/events"
        with EventStream(url, headers=OWNER) as ours, EventStream(url, headers=cookie) as theirs:
            said = next(event for event in ours if event.name == "upstream" and event.data["state"] == "retrying")
            assert "worker-17" in said.data["detail"]
            told = next(event for event in theirs if event.name == "upstream" and event.data["state"] == "retrying")
            assert "worker-17" not in str(told.data)
        for path in ("", "/logs", "/wait?timeout=0", "/search?q=a", "/exec-time"):
            assert "worker-17" not in house.ask("GET", f"/api/jobs/troubled-job{path}", cookie).text
        assert "worker-17" not in house.ask("GET", "/jobs/troubled-job", {**cookie, "Accept": "text/html"}).text
    finally:
        house.upstream.always.clear()


def test_no_token_is_in_what_the_service_says(house: House) -> None:
    house.upstream.job("spoken-job").log("a line")
    made = house.owner("POST", "/api/jobs/spoken-job/shares").json()
    token = made["url"].rpartition("/s/")[2]
    house.ask("GET", f"/s/{token}")
    house.ask("GET", f"/s/{token}x")
    house.ask("POST", "/login", data={"token": TOKEN})
    house.ask("GET", f"/api/jobs/spoken-job/logs?q={token}&level={token}", OWNER)
    assert token not in house.served.output
    for secret in (TOKEN, UPSTREAM_TOKEN, "signing-key"):
        assert secret not in house.served.output


def test_nobody_writes_into_the_services_own_log(house: House) -> None:
    """Neither another field, nor another line, nor what a terminal obeys."""
    before = len(house.served.output)
    for path in (b"a%20status=200%20who=forged%20%1b[2J%0aINFO%20forged", b"\xc2\x9b2J%c2%9b2J%e2%80%aeforged"):
        house.raw(b"GET /" + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    for header in (b"X-Request-Id: forged status=200", b"User-Agent: \x9bforged", b"X-Forwarded-For: forged"):
        house.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + header + b"\r\n\r\n")
    house.ask("GET", "/last")
    said = until(lambda: "/last" in house.served.output[before:] and house.served.output[before:], "the log")
    assert "\x1b" not in said and "\x9b" not in said and "\u202e" not in said
    for line in said.splitlines():
        assert line[:2] == "20", line
    assert [part for line in said.splitlines() for part in shlex.split(line) if part == "who=forged"] == []


def test_a_users_name_forges_no_field_of_the_log() -> None:
    assert word("ada") == "ada" and word(12.5) == "12.5" and word("/api/jobs") == "/api/jobs"
    for text in ("ada status=500", "ad\x9b2J", "a\nb", "\u202ecba", "\x1b]52;c;x\x07"):
        shown = word(text)
        assert shown.isascii() and shown.isprintable() and shown[0] == shown[-1] == '"'
