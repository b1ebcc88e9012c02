"""The five calls over real loopback."""

from __future__ import annotations

import gzip
import resource
import socket
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.upstream import Asked, Fault, Raw, Upstream, now_ms
from webapp.errors import JobNotFound, UpstreamDenied, UpstreamDown, UpstreamError
from webapp.journal.redact import Redactor
from webapp.settings import REDACT, Settings
from webapp.source.fused import FusedSource, Timeouts

pytestmark = pytest.mark.anyio
TOKEN = "the-token-of-the-service"


def source_for(url: str, folder: Path, **more: Any) -> FusedSource:
    settings = Settings(upstream_url=url, upstream_token=TOKEN, data_dir=folder, **more)
    return FusedSource(settings, Redactor(REDACT), Timeouts(connect=1, read=0.5, cancel=3, pool=2))


@pytest.fixture
async def source(upstream: Upstream, tmp_path: Path) -> AsyncIterator[FusedSource]:
    upstream.token = TOKEN
    made = source_for(upstream.url, tmp_path)
    yield made
    await made.aclose()


async def whole(source: FusedSource, job: str, since_ms: int | None = None) -> bytes:
    async with source.logs(job, since_ms) as answer:
        return b"".join([chunk async for chunk in answer.chunks])


async def test_a_status_keeps_what_it_does_not_know(upstream: Upstream, source: FusedSource) -> None:
    upstream.job(status={"newer": {"key": 1}, "last_heartbeat": "2026-01-01T00:00:00Z"})
    status = await source.status("job-1")
    assert status.job_name == "name of job-1" and not status.finished
    assert status.model_dump()["newer"] == {"key": 1}
    assert upstream.asked[-1].headers["authorization"] == f"Bearer {TOKEN}"


async def test_an_old_status_has_defaults(upstream: Upstream, source: FusedSource) -> None:
    job = upstream.job()
    job.status = {
        "job_id": "job-1", "job_name": "n", "instance_id": None, "instance_type": None,
        "status": "terminated", "terminal_status": True,
    }  # fmt: skip
    assert (await source.status("job-1")).finished


async def test_logs_are_asked_from_where_and_tell_the_upstreams_clock(upstream: Upstream, source: FusedSource) -> None:
    job = upstream.job()
    job.lines(1, 3, 1000)
    upstream.date_skew = -3600
    async with source.logs("job-1", 1001) as answer:
        assert answer.date_ms is not None and abs(answer.date_ms + 3_600_000 - now_ms()) < 3000
        assert b"line 2" in b"".join([chunk async for chunk in answer.chunks])
    assert upstream.asked[-1].query == {"since_ms": "1001"}
    await whole(source, "job-1")
    assert upstream.asked[-1].query == {}


async def test_a_job_with_every_character_an_id_may_have(upstream: Upstream, source: FusedSource) -> None:
    upstream.job("A1:b_c.d-e")
    assert (await source.status("A1:b_c.d-e")).job_id == "A1:b_c.d-e"


async def test_a_cancel_may_take_longer_than_a_read(upstream: Upstream, source: FusedSource) -> None:
    upstream.job()
    upstream.latency = 1.0
    assert (await source.cancel("job-1")).job_status == "Canceled"
    with pytest.raises(UpstreamDown, match="in time"):
        await source.status("job-1")


async def test_the_list_is_asked_page_by_page(upstream: Upstream, source: FusedSource) -> None:
    for number in range(60):
        upstream.job(f"job-{number}")
    assert [row.id for row in await source.jobs(30, 5)] == [f"job-{number}" for number in range(54, 24, -1)]
    assert [asked.query for asked in upstream.asked] == [{"skip": "5", "limit": "25"}, {"skip": "30", "limit": "5"}]
    assert len(await source.jobs(100, 0)) == 60
    assert await source.jobs(5, 60) == []


async def test_a_configuration_is_fetched_elsewhere_without_our_credential(
    upstream: Upstream, source: FusedSource
) -> None:
    upstream.job(config={"name": "c", "steps": [{"type": "newer", "x": 1}], "metadata": None})
    config = await source.config("job-1")
    assert config.model_dump()["steps"][0]["x"] == 1
    first, second = upstream.asked
    assert (first.route, second.route) == ("config", "storage")
    assert "authorization" in first.headers
    assert "authorization" not in second.headers and TOKEN not in str(second)


@pytest.mark.parametrize(
    ("location", "wanted"), [("http://169.254.169.254/latest/meta-data", "private"), ("file:///etc/passwd", "file")]
)
async def test_a_configuration_elsewhere_is_not_fetched_from_anywhere(
    upstream: Upstream, source: FusedSource, location: str, wanted: str
) -> None:
    upstream.job()
    upstream.location = location
    with pytest.raises(UpstreamError, match=wanted):
        await source.config("job-1")
    assert upstream.requests["storage"] == 0


async def test_a_second_redirect_and_too_much_are_refused(upstream: Upstream, source: FusedSource) -> None:
    upstream.job(config={"steps": [], "x": "y" * (9 << 20)})
    with pytest.raises(UpstreamError, match="longer than 8 MiB"):
        await source.config("job-1")
    upstream.fail("storage", "status", code=302, headers={"location": "/elsewhere"})
    with pytest.raises(UpstreamError, match="answered 302"):
        await source.config("job-1")


@pytest.mark.parametrize(
    ("code", "wanted"), [(401, UpstreamDenied), (403, UpstreamDenied), (404, JobNotFound), (500, UpstreamDown)]
)
async def test_errors_are_ours_with_what_the_upstream_said(
    upstream: Upstream, source: FusedSource, code: int, wanted: type[Exception]
) -> None:
    body = f'{{"message": "because {TOKEN} and password=hunter22"}}'.encode()
    for route, call in (("status", source.status), ("cancel", source.cancel), ("config", source.config)):
        upstream.job()
        upstream.fail(route, "status", code=code, body=body)
        with pytest.raises(wanted) as caught:
            await call("job-1")
        assert TOKEN not in str(caught.value) and "hunter22" not in str(caught.value)
        assert code == 404 or "because ***" in str(caught.value)


async def test_what_is_broken_is_said_to_be(upstream: Upstream, source: FusedSource) -> None:
    upstream.job().lines(1, 100, 1)
    for kind, wanted in (
        ("html", UpstreamError),
        ("object", UpstreamError),
        ("hang", UpstreamDown),
        ("cut", UpstreamDown),
    ):
        upstream.fail("status", kind)
        with pytest.raises(wanted):
            await source.status("job-1")
    for kind in ("hang", "cut"):
        upstream.fail("logs", kind)
        with pytest.raises(UpstreamDown):
            await whole(source, "job-1")
    assert len(await whole(source, "job-1")) > 1000


async def test_nobody_there_is_an_upstream_that_is_down(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        source = source_for(f"http://127.0.0.1:{free.getsockname()[1]}/server/v1", tmp_path)
        with pytest.raises(UpstreamDown, match="can't be reached"):
            await source.status("job-1")
        await source.aclose()


async def test_a_redirect_of_another_call_is_not_followed(upstream: Upstream, source: FusedSource) -> None:
    upstream.job()
    upstream.fail("status", "status", code=307, headers={"location": "http://127.0.0.1:1/"})
    with pytest.raises(UpstreamError, match="JOBTAIL_UPSTREAM_URL"):
        await source.status("job-1")


async def test_another_scheme_and_no_token_at_all(upstream: Upstream, tmp_path: Path) -> None:
    upstream.job()
    for token, scheme, wanted in (("t", "Fused-Env-Bearer", "Fused-Env-Bearer t"), ("", "Bearer", None)):
        settings = Settings(
            upstream_url=upstream.url, upstream_token=token, upstream_auth_scheme=scheme, data_dir=tmp_path
        )
        made = FusedSource(settings, Redactor(()))
        await made.status("job-1")
        await made.aclose()
        assert upstream.asked[-1].headers.get("authorization") == wanted


BOMB = gzip.compress(gzip.compress(bytes(200 << 20)))


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,gzip,gzip", "br"])
@pytest.mark.parametrize("code", [200, 500])
async def test_an_answer_that_is_encoded_twice_is_not_unfolded(
    upstream: Upstream, source: FusedSource, encoding: str, code: int
) -> None:
    upstream.job()
    for route in ("status", "logs", "list", "config", "cancel"):
        upstream.always[route] = Fault("status", code, {"content-encoding": encoding}, BOMB)
    for call in (source.status("job-1"), source.jobs(5, 0), source.config("job-1"), source.cancel("job-1")):
        with pytest.raises(UpstreamError, match="encoded"):
            await call
    with pytest.raises(UpstreamError, match="encoded"):
        await whole(source, "job-1")


async def test_what_unfolds_without_end_is_counted_as_it_unfolds(upstream: Upstream, source: FusedSource) -> None:
    upstream.job()
    bomb = gzip.compress(b'{"job_id": "job-1", "x": "' + bytes(300 << 20))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for route in ("status", "list", "storage"):
        upstream.always[route] = Fault("status", 200, {"content-encoding": "gzip"}, bomb)
    for call in (source.status("job-1"), source.jobs(5, 0), source.config("job-1")):
        with pytest.raises(UpstreamError, match="longer than 8 MiB"):
            await call
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 200 << 10


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_log_that_is_encoded_once_is_read(upstream: Upstream, source: FusedSource, encoding: str) -> None:
    upstream.job()
    text = b"[" + b", ".join(b'{"timestamp": %d, "message": "m"}' % n for n in range(9000)) + b"]"
    body = gzip.compress(text) if encoding == "gzip" else zlib.compress(text)
    upstream.always["logs"] = Fault("status", 200, {"content-encoding": encoding}, body)
    assert await whole(source, "job-1") == text


async def test_rows_of_the_list_are_read_one_by_one(upstream: Upstream, source: FusedSource) -> None:
    upstream.rows = [
        {"id": "a;touch${IFS}x"}, {"id": "http://elsewhere/"}, {"id": "../x"}, {"id": "a\u001b[2J"}, {"id": ""}, 5, {},
        Raw('{"id": "good-1", "user_id": 12, "progress": NaN, "seed": 1180591620717411303424}'),
        {"id": "good-2", "creation_date": "", "job_status": None},
    ]  # fmt: skip
    upstream.job("job-1")
    rows = await source.jobs(20, 0)
    assert [row.id for row in rows] == ["good-1", "good-2", "job-1"]
    assert (rows[0].user_id, rows[0].model_extra) == (
        "12", {"progress": "NaN", "seed": "1180591620717411303424", "altered": ["progress"]},
    )  # fmt: skip


async def test_a_list_that_grows_between_two_pages_gives_no_job_twice(upstream: Upstream, source: FusedSource) -> None:
    for number in range(60):
        upstream.job(f"job-{number}")

    def grow(asked: Asked) -> None:
        upstream.job(f"new-{len(upstream.jobs)}")

    await source.jobs(1, 0)
    upstream.on_request = grow
    ids = [row.id for row in await source.jobs(40, 0)]
    assert len(ids) == len(set(ids)) == 40


async def test_a_status_that_names_no_job_is_of_the_one_that_was_asked(upstream: Upstream, source: FusedSource) -> None:
    upstream.job().finish()
    for odd in (None, 5.5, "a;b", "../other", ""):
        upstream.jobs["job-1"].status["job_id"] = odd
        status = await source.status("job-1")
        assert status.finished and status.job_id == "job-1"


async def test_a_status_of_another_job_is_of_the_one_that_was_asked_and_says_so(
    upstream: Upstream, source: FusedSource
) -> None:
    job = upstream.job()
    job.status |= {"job_id": "another", "total_tasks": "many", "altered": ["mine"]}
    for status in (await source.status("job-1"), await source.cancel("job-1")):
        assert status.job_id == "job-1"
        assert (status.model_extra or {})["altered"] == ["job_id", "mine", "total_tasks"]
    job.status |= {"job_id": "job-1", "total_tasks": 3}
    del job.status["altered"]
    assert "altered" not in ((await source.status("job-1")).model_extra or {})


async def test_a_status_that_comes_byte_by_byte_is_given_up(upstream: Upstream, tmp_path: Path) -> None:
    upstream.job()
    settings = Settings(upstream_url=upstream.url, data_dir=tmp_path)
    source = FusedSource(settings, Redactor(()), Timeouts(read=0.2))
    upstream.fail("status", "drip", seconds=0.02)
    with pytest.raises(UpstreamDown, match="not whole"):
        await source.status("job-1")
    await source.aclose()
