"""What a channel has started ends with it, and it never touches the disk on the event loop."""

import asyncio
import threading
from contextlib import suppress

import pytest

from webapp.errors import JournalError
from webapp.stream.form import Form
from webapp.stream.step import Position

from .test_response import Server, append, job, watching

pytestmark = pytest.mark.anyio


def others() -> set[asyncio.Task]:
    return asyncio.all_tasks() - {asyncio.current_task()}


class Held:
    """Stands in for what reads the journal, and holds every call until it is let go."""

    def __init__(self, real):
        self.real = real
        self.begun = asyncio.Event()
        self.let_go = threading.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, *arguments, **named):
        self._loop.call_soon_threadsafe(self.begun.set)
        self.let_go.wait(10)
        return self.real(*arguments, **named)


async def test_nothing_is_left_over_when_a_channel_closes(tmp_path, monkeypatch):
    before = others()
    async with job(tmp_path) as channel:
        behind, quick = Server(), Server()
        async with watching(channel, behind), watching(channel, quick):
            await behind.until(b'"first"')
            await quick.until(b'"first"')
            behind.room.clear()
            append(channel, "more")
            await quick.until(b"more")
            channel.upkeep.keep_alive()
            waits = asyncio.create_task(channel.upkeep.round_done())
            held = Held(channel.journal.read)
            monkeypatch.setattr(channel.journal, "read", held)
            position = Position(channel.state.epoch, 0)
            piece = asyncio.create_task(channel.feed.piece(Form(), position, None, channel.state))
            await held.begun.wait()
            await channel.close()
            held.let_go.set()
            mine = {waits, piece}
            served = {task for task in others() if task.get_coro().__qualname__ == "Stream.__call__"}
            assert others() - before - mine - served == set()
            waits.cancel()
            await asyncio.gather(*mine, return_exceptions=True)
    assert others() == before


async def test_a_recovery_ends_with_its_channel(tmp_path, monkeypatch):
    before = others()
    async with job(tmp_path) as channel:
        failed = asyncio.Event()

        def read(*arguments, **named):
            loop.call_soon_threadsafe(failed.set)
            raise JournalError("the disk is away")

        loop = asyncio.get_running_loop()
        server = Server()
        async with watching(channel, server):
            await server.until(b'"first"')
            monkeypatch.setattr(channel.journal, "read", read)
            append(channel, "more")
            await failed.wait()
    assert others() == before


async def test_the_disk_is_never_touched_on_the_event_loop(tmp_path, monkeypatch):
    async with job(tmp_path) as channel:
        on_loop = []

        def watched(name, real):
            def call(*arguments, **named):
                with suppress(RuntimeError):
                    asyncio.get_running_loop()
                    on_loop.append(name)
                return real(*arguments, **named)

            return call

        for name in ("state", "read", "read_back", "gaps", "mark", "trimmed_to", "line_at"):
            monkeypatch.setattr(channel.journal, name, watched(name, getattr(channel.journal, name)))
        server = Server()
        async with watching(channel, server):
            await server.until(b'"first"')
            await asyncio.to_thread(append, channel, "more")
            channel.feed.signal()
            await server.until(b"more")
            await channel.fresh(1)
            await channel.status()
            await channel.feed.start_position(Form(q="first"), 1)
            channel.tick(0.0)
        assert on_loop == []
