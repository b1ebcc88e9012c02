"""A log that is fixed has a length and parts, so that a download that broke off goes on; and logs travel compressed."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import httpx
import pytest

from tests.security.site import JOB, Site
from webapp.web import ranged
from webapp.web.packed import packed
from webapp.web.ranged import Unsatisfiable, part_of

PLAIN = {"Accept-Encoding": "identity"}


def logs(site: Site, query: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return site.owner("GET", f"/api/jobs/{JOB}/logs?{query}", {**PLAIN, **(headers or {})})


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-4", (0, 4)), ("bytes=5-", (5, 9)), ("bytes=-3", (7, 9)), ("bytes=-30", (0, 9)),
        ("BYTES=9-99", (9, 9)), ("", None), ("bytes=", None), ("bytes=-", None), ("bytes=4-2", None),
        ("bytes=0-1,3-4", None), ("lines=1-2", None), ("bytes=1_0-", None), ("bytes=" + "9" * 5000 + "-", None),
    ],
)  # fmt: skip
def test_parts_by_their_header(asked: str, part: tuple[int, int] | None) -> None:
    assert part_of(asked, 10) == part


@pytest.mark.parametrize(("asked", "length"), [("bytes=10-", 10), ("bytes=0-", 0), ("bytes=-5", 0), ("bytes=-0", 10)])
def test_a_part_past_the_end_is_none(asked: str, length: int) -> None:
    with pytest.raises(Unsatisfiable):
        part_of(asked, length)


@pytest.mark.parametrize("form", ["ndjson", "text"])
def test_a_download_has_a_length_and_goes_on_where_it_broke_off(site: Site, form: str) -> None:
    query = f"format={form}&download=true"
    whole = logs(site, query)
    assert whole.status_code == 200 and whole.headers["accept-ranges"] == "bytes"
    assert int(whole.headers["content-length"]) == len(whole.content) > 20
    tag = whole.headers["etag"]
    assert tag.startswith('"' + whole.headers["jobtail-last-id"])
    rest = logs(site, query, {"Range": "bytes=17-", "If-Range": tag})
    assert (rest.status_code, rest.content) == (206, whole.content[17:])
    assert rest.headers["content-range"] == f"bytes 17-{len(whole.content) - 1}/{len(whole.content)}"
    last = logs(site, f"format={form}", {"Range": "bytes=-6"})
    assert (last.status_code, last.content) == (206, whole.content[-6:])


@pytest.mark.parametrize("tag", ['"another"', "W/x", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_what_has_changed_since_is_sent_whole(site: Site, tag: str) -> None:
    answer = logs(site, "format=ndjson&download=true", {"Range": "bytes=17-", "If-Range": tag})
    assert answer.status_code == 200 and "content-range" not in answer.headers


def test_the_tag_is_of_these_lines_in_this_form(site: Site) -> None:
    queries = (
        "format=ndjson",
        "format=text",
        "format=ndjson&tail=2",
        "format=ndjson&level=error",
        "format=ndjson&limit=1",
    )
    tags = [logs(site, f"{query}&download=true").headers["etag"] for query in queries]
    assert len(set(tags)) == len(tags)


def test_a_part_past_the_end_says_how_long_it_is(site: Site) -> None:
    whole = logs(site, "format=text&download=true")
    answer = logs(site, "format=text&download=true", {"Range": "bytes=9999999-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
    assert answer.json()["title"] == "Range Not Satisfiable"


@pytest.mark.parametrize(
    "query", ["format=ndjson&end=true", "format=ndjson&q=e", "format=json", "format=ndjson&follow=true"]
)
def test_what_may_change_or_costs_a_search_is_not_given_in_parts(site: Site, query: str) -> None:
    answer = logs(site, query, {"Range": "bytes=0-1"})
    assert answer.status_code == 200 and "etag" not in answer.headers


def test_what_is_too_long_to_be_measured_goes_out_without_a_length(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranged, "MEASURED_BYTES", 10)
    answer = logs(site, "format=text&download=true", {"Range": "bytes=1-2"})
    assert answer.status_code == 200 and "etag" not in answer.headers and len(answer.content) > 10


def test_a_head_makes_no_body(site: Site) -> None:
    answer = site.owner("HEAD", f"/api/jobs/{JOB}/logs?format=ndjson&download=true")
    assert answer.status_code == 200 and "content-length" not in answer.headers


@pytest.mark.parametrize("query", ["format=ndjson", "format=text", "format=json&limit=10000", "format=ndjson&end=true"])
def test_logs_travel_compressed_when_asked(serve: Any, query: str) -> None:
    served = serve()
    job = served.run("sh", "-c", "seq 1 3000")
    address = f"{served.url}/api/jobs/{job}/logs?{query}"
    with httpx.stream("GET", address, headers={"Accept-Encoding": "gzip"}, trust_env=False) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip" and "Accept-Encoding" in answer.headers["vary"]
    plain = httpx.get(address, headers=PLAIN, trust_env=False)
    assert "content-encoding" not in plain.headers and "Accept-Encoding" in plain.headers["vary"]
    assert gzip.decompress(raw) == plain.content and len(raw) < len(plain.content) / 2


@pytest.mark.parametrize("more", ["&follow=true", "&download=true", ""])
def test_not_compressed_where_it_is_followed_or_taken_in_parts(site: Site, more: str) -> None:
    headers = {"Accept-Encoding": "gzip", **({} if more else {"Range": "bytes=0-3"})}
    assert "content-encoding" not in logs(site, f"format=ndjson{more}", headers).headers


@pytest.mark.anyio
async def test_a_compressed_body_that_breaks_off_has_no_end() -> None:
    async def broken() -> Any:
        yield b"a line\n" * 1000
        raise RuntimeError

    got = b""
    with pytest.raises(RuntimeError):
        async for piece in packed(broken()):
            got += piece
    unpacker = zlib.decompressobj(31)
    unpacker.decompress(got)
    assert not unpacker.eof
