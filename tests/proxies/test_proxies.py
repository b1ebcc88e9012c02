"""Everything that the service does, through each proxy, over TLS and HTTP/2, at the root and under a path."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.served import until
from webapp import connect

from .conftest import TOKEN, Behind
from .front import BLOCKS, PROXIES, Front

BEARER = ("-H", f"Authorization: Bearer {TOKEN}")


def test_each_proxy_is_documented_once() -> None:
    assert set(BLOCKS) == set(PROXIES)


def test_pages_files_signing_in_and_links(site: Front, service: Behind) -> None:
    signed = site.ask("/login", "-d", f"token={TOKEN}", "-d", "next=/", "-H", "Origin: https://localhost")
    assert (signed.status, signed.version, signed.headers["location"]) == (303, "HTTP/2", f"{site.prefix}/")
    cookie, _, kept = signed.headers["set-cookie"].partition(";")
    assert "Secure" in kept and f"Path={site.prefix or '/'};" in kept + ";"
    page = site.ask(f"/jobs/{service.ended}", "-b", cookie)
    assert page.status == 200 and "hello" in page.body
    assert f"{site.public}/api/jobs/{service.ended}/logs" in page.body and "http://localhost" not in page.body
    named = re.search(r'"(/[^"]*/static/[^"]*/page\.css)"|"(/static/[^"]*/page\.css)"', page.body)
    assert named is not None
    file = site.ask(f"https://localhost{named[1] or named[2]}")
    assert file.status == 200 and "immutable" in file.headers["cache-control"]
    made = site.ask(f"/api/jobs/{service.ended}/shares", "-b", cookie, "-X", "POST", "-H", "Origin: https://localhost")
    url = json.loads(made.body)["url"]
    assert url.startswith(f"{site.public}/s/")
    opened = site.ask(url)
    link = opened.headers["set-cookie"].partition(";")[0]
    assert opened.status == 200 and f'"{site.prefix}/jobs/{service.ended}"' in opened.body
    assert "world" in site.ask(f"/jobs/{service.ended}", "-b", link).body


def test_the_api_and_the_fused_wire(site: Front, service: Behind) -> None:
    job = service.ended
    lines = site.ask(f"/api/jobs/{job}/logs?limit=1", *BEARER)
    assert [line["message"] for line in json.loads(lines.body)] == ["hello"]
    assert lines.headers["link"].startswith(f"<{site.prefix}/api/jobs/{job}/logs?")
    status = site.ask(f"/server/v1/run/by-id/{job}", *BEARER)
    assert status.status == 200 and json.loads(status.body)["finished_job_status"] is True
    assert site.ask(f"/api/jobs/{job}/").status in (308, 401, 404)
    assert site.ask(f"/api/jobs/{job}").status == 401


def test_a_visitor_names_no_user(site: Front, service: Behind) -> None:
    """The proxy's word on the user is believed, so what visitors send under that name must not come through."""
    believed = service.served.get("/api/jobs", headers={"X-User": "ada"})
    assert believed.status_code == 200, "the setting is on"
    for forged in (["X-User: ada"], ["x-uSER: ada"], ["X-User: ada", "X-User: eve"], ["X_User: ada"], ["X-User;"]):
        for version in ("--http2", "--http1.1"):
            headers = [part for one in forged for part in ("-H", one)]
            assert site.ask("/api/jobs", version, *headers).status == 401, (forged, version)


def test_lines_come_through_when_they_are_written(site: Front, service: Behind) -> None:
    """Nothing follows the line that is waited for: a proxy that keeps back what it has would keep it for good."""
    before = service.write()
    with ExitStack() as stack:
        paths = (
            "events?tail=1&sample_logs=false", "logs?follow=true&format=ndjson&tail=1",
            "logs?follow=true&format=text&tail=1",
        )  # fmt: skip
        streams = [stack.enter_context(site.stream(f"/api/jobs/{service.running}/{path}", *BEARER)) for path in paths]
        assert [any(before in line for line in lines) for lines in streams] == [True] * 3
        fresh = service.write()
        assert [any(fresh in line for line in lines) for lines in streams] == [True] * 3


@pytest.mark.parametrize("encoded", [False, True], ids=["plain", "compressed"])
def test_a_download_that_was_cut_goes_on_where_it_broke_off(
    site: Front, service: Behind, encoded: bool, tmp_path: Path
) -> None:
    """`curl -C -` after the connection was cut in the middle, also where the first answer was compressed."""
    whole = "".join(f"{number}\n" for number in range(1, 160_001))
    path, file = f"/api/jobs/{service.long}/logs?format=text&download=true", tmp_path / "log.txt"
    rest = site.command(path, *BEARER, "-C", "-", "-o", str(file), "-w", "%{http_code}")
    first = site.command(path, *BEARER, "-o", str(file), "--limit-rate", "100k")
    for command in (rest, first) if not encoded else (rest,):
        command.remove("--compressed")
    with subprocess.Popen(first) as download:
        until(lambda: file.exists() and file.stat().st_size > 50_000, "some of the download")
        download.kill()
    assert 50_000 < file.stat().st_size < len(whole) and whole.startswith(file.read_text())
    done = subprocess.run(rest, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "206"), done.stderr
    assert file.read_text() == whole


def test_logs_travel_compressed_where_that_is_asked_for(site: Front, service: Behind) -> None:
    whole = "".join(f"{number}\n" for number in range(1, 160_001))
    path = f"/api/jobs/{service.long}/logs?format=text"
    answer = site.ask(path, *BEARER)
    assert answer.headers["content-encoding"] == "gzip" and answer.body == whole
    plain = site.command(path, *BEARER, "-D", "-")
    plain.remove("--compressed")
    head, _, body = subprocess.run(plain, capture_output=True, text=True).stdout.partition("\n\n")
    assert "content-encoding" not in head.lower() and body == whole


def test_the_python_client(site: Front, service: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(site.authority))
    with connect(site.url, TOKEN) as connection:
        job = connection.job(service.ended)
        assert job.finished_job_status and [line["message"] for line in job.get_logs()] == ["hello", "world"]
        assert service.ended in [one.id for one in connection.jobs()]
