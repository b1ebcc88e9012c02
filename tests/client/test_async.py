"""AsyncConnection: the same core over the other transport, against a real service."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from webapp import AsyncConnection
from webapp.client import AsyncClient, Client, errors
from webapp.client.async_objects import AsyncFollowed
from webapp.client.objects import FollowedJob

from ..served import Served
from .cutter import Cutter
from .stub import Stub, http


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served({"data_dir": tmp_path_factory.mktemp("async") / "data"}).start()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def job(served: Served) -> str:
    return served.run("sh", "-c", "seq 3000; echo ERROR last", name="counted")


@pytest.mark.anyio
async def test_a_job_is_read_searched_shared_and_waited_for(served: Served, job: str) -> None:
    async with AsyncConnection(served.url, "") as service:
        run = await service.job(job)
        assert (run.job_status, run.exit_code, run.finished) == ("Done", 0, True)
        assert [line.message async for line in run.iter_logs(level="error")] == ["ERROR last"]
        assert [line.message for line in (await run.get_logs())[:2]] == ["1", "2"]
        assert [line.message for line in await run.search("^29[0-9]$", regex=True)] == [str(n) for n in range(290, 300)]
        share = await run.share("1h", note="for ada")
        assert str(share).startswith("http") and "/s/" in str(share)
        assert [(one.id, one.note) for one in await run.shares()] == [(share.id, "for ada")]
        async with AsyncConnection("http://127.0.0.1:9", "") as elsewhere:
            assert (await elsewhere.job(str(share))).job_id == job
        await run.revoke(share)
        assert [one.revoked for one in await run.shares()] == [True]
        assert (await run.wait_for_job()).job_status == "Done" and await run.refresh_status() is run
        assert [one.id for one in await service.jobs()] == [job]
        assert (await (await service.jobs())[0].config()).type == "command"
        assert run.logs_url == f"{served.url}/jobs/{job}" and "counted" in run._repr_html_()


@pytest.mark.anyio
async def test_tails_run_at_once_and_outlast_breaks(
    served: Served, job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Cutter(served.port, 60_000) as cutter:
        async with AsyncConnection(cutter.url, "") as service:
            run = service_run = await service.job(job)
            lines = [line.message async for line in service.lines(service_run)]
            assert lines == [*map(str, range(1, 3001)), "ERROR last"]
            await asyncio.gather(run.tail_logs(sample_logs=False), run.wait_for_job())
        assert cutter.cuts > 2
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.anyio
async def test_a_reader_that_stops_and_one_that_is_cancelled_leave_nothing_open(served: Served, job: str) -> None:
    async with AsyncConnection(served.url, "") as service:
        run = await service.job(job)
        lines = run.iter_logs()
        assert (await anext(lines)).message == "1"
        await lines.aclose()  # type: ignore[attr-defined]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(_for_ever(service), 0.2)
        assert not service.transport.busy


@pytest.mark.anyio
async def test_a_call_that_is_cancelled_at_any_step_leaves_no_connection_behind() -> None:
    async with patient_server() as (url, open_now), AsyncClient(url, "") as client:
        for steps in 4 * [*range(60)]:  # of the event loop: while it connects, asks, reads, closes
            asking = asyncio.create_task(_ask(client))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            assert not client.transport.busy
        await _until(lambda: len(open_now) <= 1)  # one is kept for the next call
        await client.close()
        await _until(lambda: not open_now)


async def _ask(client: AsyncClient) -> None:
    while True:
        await client.get("/api/jobs")


async def _until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not look():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def patient_server() -> AsyncIterator[tuple[str, set[asyncio.StreamWriter]]]:
    """A service that never hangs up; its address, and the connections that its clients have not closed."""
    open_now = set[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        open_now.discard(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", open_now


async def _for_ever(service: AsyncConnection) -> None:
    while True:
        async for _ in service.lines((await service.jobs())[0]):
            pass


@pytest.mark.anyio
async def test_errors_are_the_same(served: Served) -> None:
    async with AsyncClient(served.url, "") as client:
        with pytest.raises(errors.JobNotFound):
            await client.status("no-such-job")
        with pytest.raises(errors.JobNotFound):
            async for _ in client.stream("no-such-job"):
                pass
    with Stub(lambda asked: http(200, b"<html>", "text/html")) as stub:
        async with AsyncClient(stub.url, "") as client:
            with pytest.raises(errors.BadAnswer):
                await client.get("/api/jobs")


@pytest.mark.parametrize(("now", "later"), [(Client, AsyncClient), (FollowedJob, AsyncFollowed)])
def test_both_can_do_the_same(now: type, later: type) -> None:
    public: Callable[[type], dict[str, str]] = lambda kind: {  # noqa: E731
        name: str(inspect.signature(member)).partition(" ->")[0]
        for name, member in vars(kind).items()
        if inspect.isfunction(member) and name[0] != "_"
    }
    assert public(now) == public(later)
