"""What sse-starlette's response promises, kept by the one that does its work with one task: headers, pings,
disconnects, time-outs, shutdown. The server's side of ASGI is played by hand, so that it can stand still."""

import asyncio
import time
from contextlib import asynccontextmanager
from functools import partial

import pytest
from starlette.background import BackgroundTask

from tests.written import Written
from webapp.errors import JournalError, UpstreamDown
from webapp.journal.line import Entry
from webapp.journal.redact import Redactor
from webapp.store.sqlite.journals import SqliteJournals
from webapp.stream import audience as audiences
from webapp.stream import group as groups
from webapp.stream.channel import Channel
from webapp.stream.form import Form
from webapp.stream.response import Stream
from webapp.stream.step import Position
from webapp.stream.viewer import Viewer

pytestmark = pytest.mark.anyio


class Nobody:
    """Keeps up to date a journal that the test writes itself: nothing is left to do."""

    watched, error, heartbeat, loaded, writes, status_at = True, None, None, True, False, 0.0

    def __init__(self, journal, changed):
        pass

    async def run(self):
        await asyncio.sleep(3600)

    def wake(self):
        pass

    async def round_done(self):
        pass

    async def status_asked(self):
        pass


class Server:
    """The other side of one request. `full`: its socket takes nothing; `broken`: a send raises."""

    def __init__(self, method="GET"):
        self.scope = {"type": "http", "method": method, "path": "/", "headers": []}
        self.sent = []
        self.room = asyncio.Event()
        self.room.set()
        self.broken = False
        self.gone = asyncio.Event()
        self.news = asyncio.Event()
        self.asked = False

    async def send(self, message):
        await self.room.wait() if not self.room.is_set() else None
        if self.broken:
            raise OSError("the connection is gone")
        self.sent.append(message)
        self.news.set()

    async def receive(self):
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent)

    async def until(self, wanted):
        async with asyncio.timeout(10):
            while wanted not in self.body:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def job(tmp_path):
    journals = SqliteJournals(tmp_path, Redactor(()), beat_ms=1000)
    journal = Written(journals.open("a-job"))
    journal.set_status({"job_id": "a-job", "finished_job_status": False})
    journal.append([Entry(1, "first", None, 0)])
    channel = Channel(journal, journal.state(), Nobody)
    yield channel
    await channel.close()
    journals.close()


@asynccontextmanager
async def watching(channel, server, background=None):
    def viewer(ended):
        return Viewer(channel.audience, Form(), 0.1, Position(channel.state.epoch, 0), ended=ended)

    response = Stream(viewer, {"X-Test": "yes"})
    response.background = background
    task = asyncio.get_running_loop().create_task(response(server.scope, server.receive, server.send))
    try:
        yield task
    finally:
        server.gone.set()
        server.room.set()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 10)


def append(channel, message):
    channel.journal.append([Entry(2, message, None, 0)])
    channel.feed.signal()


async def test_it_begins_with_its_headers_and_sends_ready_made_bytes(tmp_path):
    async with job(tmp_path) as channel:
        server = Server()
        async with watching(channel, server):
            await server.until(b'"first"')
        start = server.sent[0]
        assert (start["type"], start["status"]) == ("http.response.start", 200)
        assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
        assert (b"x-test", b"yes") in start["headers"]


async def test_a_head_request_has_headers_and_no_viewer(tmp_path):
    async with job(tmp_path) as channel:
        server = Server("HEAD")
        async with watching(channel, server) as task:
            await task
        assert [message.get("more_body") for message in server.sent] == [None, False]
        assert not channel.audience.viewers


async def test_a_disconnect_ends_it_and_runs_the_background(tmp_path):
    done = []
    async with job(tmp_path) as channel:
        server = Server()
        async with watching(channel, server, BackgroundTask(lambda: done.append(1))) as task:
            await server.until(b'"first"')
            assert len(channel.audience.viewers) == 1
            server.gone.set()
            await asyncio.wait_for(task, 10)
        assert not channel.audience.viewers
        assert done == [1]
        assert server.sent[-1]["more_body"] is True  # nobody is there to be told


async def test_a_silent_stream_is_pinged(tmp_path):
    async with job(tmp_path) as channel:
        server = Server()
        async with watching(channel, server):
            await server.until(b'"first"')
            while not channel.audience._groups:
                await asyncio.sleep(0)
            channel.tick(time.monotonic() + groups.PING_SECONDS - 1)
            assert not server.body.endswith(b": \n\n")
            channel.tick(time.monotonic() + groups.PING_SECONDS + 1)
            assert server.body.endswith(b"\n\n: \n\n")


async def test_a_full_socket_holds_up_nobody_else_and_gets_all_afterwards(tmp_path):
    async with job(tmp_path) as channel:
        slow, quick = Server(), Server()
        async with watching(channel, slow), watching(channel, quick):
            await slow.until(b'"first"')
            await quick.until(b'"first"')
            slow.room.clear()
            for n in range(5):
                append(channel, f"number {n}")
                await quick.until(f"number {n}".encode())
            assert b"number" not in slow.body
            slow.room.set()
            await slow.until(b"number 4")
            ids = [part.split(b"\n")[0] for part in slow.body.split(b"id: ")[1:]]
            assert len(ids) == len(set(ids)) == 7
            assert [slow.body.count(b"number %d" % n) for n in range(5)] == [1] * 5


async def test_a_socket_that_stays_full_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("webapp.stream.response.LAST_SEND_SECONDS", 0.01)
    async with job(tmp_path) as channel:
        server = Server()
        async with watching(channel, server) as task:
            await server.until(b'"first"')
            server.room.clear()
            append(channel, "never taken")
            async with asyncio.timeout(10):
                while not any(viewer.waits_since for viewer in channel.audience.viewers):
                    await asyncio.sleep(0.01)
            channel.tick(time.monotonic() + audiences.SEND_SECONDS + 1)
            await asyncio.wait_for(task, 10)
        assert not channel.audience.viewers


async def test_a_read_that_failed_once_is_done_again(tmp_path, monkeypatch):
    monkeypatch.setattr("webapp.stream.feed.RETRY_SECONDS", 0.01)
    failures = [JournalError("too many open files")]
    async with job(tmp_path) as channel:
        real = channel.journal.read

        def read(*args, **options):
            if failures:
                raise failures.pop()
            return real(*args, **options)

        monkeypatch.setattr(channel.journal, "read", read)
        first, second = Server(), Server()
        async with watching(channel, first), watching(channel, second):
            await first.until(b'"first"')
            await second.until(b'"first"')
        assert not failures


@pytest.mark.parametrize("told", [(1, 2, 3), (5, 6, 7)], ids=["a new outage", "the same one"])
async def test_attempts_of_before_a_viewer_came_are_none_of_its_retries(tmp_path, told):
    async with job(tmp_path) as channel:

        async def tell(attempt):
            channel.journal.set_upstream({"state": "retrying", "attempt": attempt})
            await channel.feed.reload()
            channel.tick(time.monotonic())

        await tell(4)
        server = Server()
        async with watching(channel, server):
            await server.until(b'"first"')
            (viewer,) = channel.audience.viewers
            viewer.ends.retries = 3
            channel.tick(time.monotonic())
            for attempt in told:
                assert viewer in channel.audience.viewers
                await tell(attempt)
            await server.until(b"retries_exhausted")


async def test_an_empty_journal_whose_poller_sleeps_elsewhere_is_not_the_log(tmp_path):
    async with job(tmp_path) as channel:
        channel.updater.loaded = False
        channel.updater.run = channel.updater.round_done = partial(asyncio.sleep, 0.01)  # the lease is another's
        # The fixture holds the lease: another polls.
        await channel.fresh(5)
        channel.journal.forget()
        await channel.feed.reload()
        with pytest.raises(UpstreamDown):
            await channel.fresh(0.2)
        channel.journal.set_upstream({"state": "ok"})
        await channel.fresh(0.2)


async def test_a_send_that_fails_ends_that_viewer_alone(tmp_path):
    async with job(tmp_path) as channel:
        broken, sound = Server(), Server()
        async with watching(channel, broken) as task, watching(channel, sound):
            await broken.until(b'"first"')
            await sound.until(b'"first"')
            broken.broken = True
            append(channel, "on we go")
            await sound.until(b"on we go")
            await asyncio.wait([task], timeout=10)
            assert task.done()
            assert len(channel.audience.viewers) == 1


async def test_last_words_reach_those_who_are_behind_too(tmp_path):
    async with job(tmp_path) as channel:
        slow, quick = Server(), Server()
        async with watching(channel, slow) as first, watching(channel, quick) as second:
            await slow.until(b'"first"')
            await quick.until(b'"first"')
            slow.room.clear()
            append(channel, "more")
            await quick.until(b"more")
            for viewer in list(channel.audience.viewers):
                viewer.say(b"event: bye\ndata: {}\n\n")
                viewer.end()
            slow.room.set()
            await asyncio.wait_for(asyncio.gather(first, second), 10)
        for server in (slow, quick):
            assert b"more" in server.body
            assert server.body.endswith(b"event: bye\ndata: {}\n\n")
            assert server.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_cancelling_the_request_is_no_end_of_ours(tmp_path):
    async with job(tmp_path) as channel:
        server = Server()
        async with watching(channel, server) as task:
            await server.until(b'"first"')
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert not channel.audience.viewers


async def test_a_thousand_viewers_cost_one_reading(tmp_path, monkeypatch):
    async with job(tmp_path) as channel:
        servers = [Server() for _ in range(1000)]
        async with watching(channel, servers[0]):
            await servers[0].until(b'"first"')
        reads = []
        real = channel.journal.read
        monkeypatch.setattr(channel.journal, "read", lambda *a, **k: reads.append(a) or real(*a, **k))
        tasks = []
        for server in servers[1:]:
            viewer = lambda ended: Viewer(channel.audience, Form(), 0.1, Position(channel.state.epoch, 1), ended=ended)  # noqa: E731
            response = Stream(viewer, {})
            tasks.append(asyncio.create_task(response(server.scope, server.receive, server.send)))
        async with asyncio.timeout(20):
            while sum(len(group.viewers) for group in channel.audience._groups.values()) < 999:
                await asyncio.sleep(0.01)
        append(channel, "for everybody")
        for server in servers[1:]:
            await server.until(b"for everybody")
        assert len(reads) < 10
        assert len({id(server.sent[-1]["body"]) for server in servers[1:]}) == 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
