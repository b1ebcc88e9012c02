"""Carries scripts out over httpx with asyncio (or trio): see `transport.py`, which has what both share.

Each open answer has an httpx client, and so a connection, to itself. In a pool that calls share, a call that is
cancelled at the wrong moment (while a lock of the pool is taken, at the end of a body) leaves a connection behind that
counts as busy until the whole pool is closed. Here the client of a cancelled call is closed, whatever its state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from itertools import chain
from typing import Any, TypeVar

import anyio
import httpx

from .errors import ClientError
from .script import Close, Course, Effect, Give, GiveAll, Gives, Open, Read, Reply, Script, Site, Sleep
from .transport import connections as options_of
from .transport import request, translated

T = TypeVar("T")
# So many connections of a site that nobody uses are kept for the next calls.
IDLE_MOST = 4


@dataclass(slots=True, eq=False)
class _Connection:
    """A client that sends one request at a time, and the answer that is being read."""

    site: Site
    client: httpx.AsyncClient
    response: httpx.Response | None = None


class AsyncTransport:
    """For one event loop. Calls may run at once: each has a script and open answers of its own. `busy`: the connections
    of calls that are under way."""

    def __init__(self) -> None:
        self._options: dict[Site, dict[str, Any]] = {}
        self._idle: defaultdict[Site, list[_Connection]] = defaultdict(list)
        self.busy = set[_Connection]()

    async def run(self, script: Script[T]) -> T:
        course: Course[T] = Course(script)
        async for _ in self._steps(course):
            pass
        return course.result

    async def each(self, script: Gives[T]) -> AsyncIterator[T]:
        steps = self._steps(Course(script))
        try:
            async for value in steps:
                yield value
        finally:
            await steps.aclose()

    async def close(self) -> None:
        for connection in [*self.busy, *chain.from_iterable(self._idle.values())]:
            await self._drop(connection)
        self._idle.clear()

    async def _steps(self, course: Course[Any]) -> AsyncGenerator[Any, None]:
        opened = list[_Connection]()
        try:
            while (effect := course.step()) is not None:
                if isinstance(effect, GiveAll):
                    for value in effect.values:
                        yield value
                    continue
                if isinstance(effect, Give):
                    yield effect.value
                    continue
                try:
                    course.answer(await self._do(effect, opened))
                except ClientError as error:
                    course.fail(error)
        finally:
            course.close()
            for connection in opened:
                await self._drop(connection)

    async def _do(self, effect: Effect, opened: list[_Connection]) -> Any:
        match effect:
            case Sleep(seconds):
                await anyio.sleep(seconds)
                return None
            case Close(reply):
                connection, response, _ = reply.source
                if connection.response is response:  # else it ended, and the connection may have another by now
                    await self._closed(connection, opened)
                return None
            case Read(reply):
                connection, response, chunks = reply.source
                try:
                    with translated(response.request):
                        chunk = await anext(chunks, None)
                except ClientError:
                    if connection.response is response:
                        await self._failed(connection, opened)
                    raise
                if chunk is None and connection.response is response:
                    await self._closed(connection, opened)
                return chunk
        return await self._open(effect, opened)

    async def _open(self, effect: Open, opened: list[_Connection]) -> Reply:
        with translated(effect):
            connection = self._free(effect.site)
            self.busy.add(connection)
            opened.append(connection)  # before the request: a call that is cancelled meanwhile closes it
            try:
                response = connection.response = await connection.client.send(
                    request(connection.client, effect), stream=True
                )
            except Exception:
                await self._failed(connection, opened)
                raise
        return Reply(response.status_code, response.headers, (connection, response, response.aiter_raw()))

    def _free(self, site: Site) -> _Connection:
        if self._idle[site]:
            return self._idle[site].pop()
        if site not in self._options:
            self._options[site] = {**options_of(site), "cookies": CookieJar()}  # one jar for all connections of a site
        return _Connection(site, httpx.AsyncClient(**self._options[site]))

    async def _closed(self, connection: _Connection, opened: list[_Connection]) -> None:
        """The answer ended, or is read no further: the next call may have the connection. A call that is cancelled in
        here leaves it in `opened`."""
        if connection.response is not None:
            await connection.response.aclose()
        idle = self._idle[connection.site]
        if len(idle) >= IDLE_MOST:
            await self._failed(connection, opened)
            return
        opened.remove(connection)
        self.busy.discard(connection)
        connection.response = None
        idle.append(connection)

    async def _failed(self, connection: _Connection, opened: list[_Connection]) -> None:
        opened.remove(connection)
        await self._drop(connection)

    async def _drop(self, connection: _Connection) -> None:
        self.busy.discard(connection)
        connection.response = None
        with anyio.CancelScope(shield=True):
            await connection.client.aclose()
