"""The event loop carries every viewer, so nothing that may wait for a disk or a database is done on its thread."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.audited import Audited
from tests.sse import EventStream
from tests.upstream import Upstream

OWNER = {"Authorization": "Bearer owner-token-1"}
RUNNER = {"Authorization": "Bearer runner-token-1", "Producer-Id": "p-1", "Producer-Epoch": "0"}
TOKENS = {"access_token": "owner-token-1", "run_token": "runner-token-1"}
OURS, THEIRS = "20260102-030405-reportedjb", "theirs"


@pytest.fixture(params=["alone", "beside an upstream"])
def served(request: pytest.FixtureRequest, data_dir: Path, upstream: Upstream) -> Iterator[Audited]:
    upstream.job(THEIRS).lines(1, 50, 1_700_000_000_000)
    upstream.jobs[THEIRS].finish()
    more = {} if request.param == "alone" else {"upstream_url": upstream.url}
    served = Audited({"data_dir": data_dir, "refresh_seconds": 0.1, **TOKENS, **more})
    served.start()
    served.forget()  # what was read to begin with
    yield served
    served.stop()


class Caller:
    """Asks, and keeps what was asked of which route."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=60)
        self.asked: set[tuple[str, str]] = set()

    def __call__(self, method: str, path: str, headers: dict[str, str] = OWNER, **how: Any) -> httpx.Response:
        answer = self.client.request(method, path, headers=headers, **how)
        assert answer.status_code < 500, (path, answer.text)
        self.asked.add((method, path.partition("?")[0]))
        return answer

    def missing(self) -> set[str]:
        """Operations of the API's own description that were never asked."""
        paths = self("GET", "/api/openapi.json").json()["paths"]
        return {
            f"{method.upper()} {path}"
            for path, methods in paths.items()
            for method in methods
            if not any(
                method.upper() == asked and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), of)
                for asked, of in self.asked
            )
        }


def report(ask: Caller) -> None:
    """A job that a runner on another machine begins and ends."""
    begun = ask("PUT", f"/api/jobs/{OURS}", RUNNER, json={"name": "train", "host": "gpu-7", "user": "ada"})
    granted = RUNNER | {"Authorization": f"Bearer {begun.json()['grant']}"}
    lines = [{"timestamp": 1_700_000_000_000 + number, "message": f"line {number}"} for number in range(20)]
    ask("POST", f"/api/jobs/{OURS}/lines", granted | {"Producer-Seq": "0"}, json={"lines": lines})
    ask("POST", f"/api/jobs/{OURS}/heartbeat", granted, json={})
    ask("POST", f"/api/jobs/{OURS}/end", granted, json={"exit_code": 0, "seq": 0})


def read(ask: Caller, job: str) -> None:
    api = f"/api/jobs/{job}"
    with EventStream(f"{ask.url}{api}/events?sample_logs=false", headers=OWNER) as events:
        events.until("done")
    with EventStream(f"{ask.url}{api}/events?q=line&tail=3", headers=OWNER) as events:
        events.until("done")
    ask.asked.add(("GET", f"{api}/events"))
    for path in ("", "/logs", "/logs?q=line&format=text", "/logs?tail=2&format=ndjson&download=true",
                 "/logs?download=true&format=text", "/search?q=line", "/exec-time", "/config", "/steps-config",
                 "/wait?timeout=0", "/overview", "/shares"):  # fmt: skip
        ask("GET", api + path)
    ask("HEAD", f"{api}/logs?download=true&format=text")
    ask("GET", f"/jobs/{job}")
    wire = "/server/v1"
    for path in (f"/run/by-id/{job}", f"/logs/{job}", f"/job/by-id/{job}/config"):
        answer = ask("GET", wire + path)
        if answer.is_redirect:
            ask("GET", answer.headers["location"].removeprefix(ask.url), {})
    ask.asked.add(("GET", f"{wire}/config/x"))


def share(ask: Caller, job: str) -> None:
    made = ask("POST", f"/api/jobs/{job}/shares", json={"expires_in": "1h", "can_cancel": True}).json()
    path = "/s/" + made["url"].rpartition("/")[2]
    with httpx.Client(base_url=ask.url, trust_env=False, headers={"accept": "text/html"}) as guest:
        assert guest.get(path).status_code == 200
        assert guest.get(f"/jobs/{job}").status_code == 200
        assert guest.get(f"/api/jobs/{job}/logs").status_code == 200
        assert guest.get("/jobs/another").status_code == 401
    ask("GET", path, {})
    ask("DELETE", f"/api/jobs/{job}/shares/{made['id']}")
    assert httpx.get(ask.url + path, trust_env=False).status_code == 404


def sign_in(ask: Caller) -> None:
    ask("GET", "/login", {})
    same = {"sec-fetch-site": "same-origin"}
    cookie = ask("POST", "/login", same, data={"token": "owner-token-1"}).cookies
    ask("GET", "/", {"cookie": "; ".join(f"{name}={value}" for name, value in cookie.items())})
    ask("POST", "/logout", same | {"cookie": "; ".join(f"{name}={value}" for name, value in cookie.items())})
    ask("POST", "/login", same, data={"token": "wrong"})


def test_no_request_touches_the_disk_on_the_event_loop(served: Audited) -> None:
    ask_everything(served)


def ask_everything(served: Audited) -> None:
    """Every operation of the API and every page, by an owner, a guest and a runner."""
    ask = Caller(served.url)
    report(ask)
    local = served.run(sys.executable, "-c", "print('one line')")
    jobs = [OURS, local] if served.settings.get("upstream_url") is None else [OURS, THEIRS]
    for job in jobs:
        read(ask, job)
        share(ask, job)
        ask("POST", f"/api/jobs/{job}/cancel")
        ask("POST", f"/server/v1/run/by-id/{job}/cancel")
        ask("POST", f"/jobs/{job}/cancel", OWNER | {"sec-fetch-site": "same-origin"})
        ask("DELETE", f"/api/jobs/{job}/journal")
    sign_in(ask)
    for path in ("/", "/api/jobs", "/api/seen", "/healthz", "/readyz", "/metrics", "/server/v1/job/self",
                 "/static/page.css", "/nowhere", "/api/jobs/no-such-job", "/jobs/no-such-job"):  # fmt: skip
        ask("GET", path)
    assert not ask.missing()
    found = served.touched()
    assert not found, "\n".join(found)
