"""Carries scripts out over httpx with asyncio (or trio): see `transport.py`, which has what both share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, TypeVar

import anyio
import httpx

from .errors import ClientError
from .script import Close, Course, Effect, Give, GiveAll, Gives, Read, Reply, Script, Site, Sleep
from .transport import connections, request, translated

T = TypeVar("T")


class AsyncTransport:
    """For one event loop. Calls may run at once: each has a script and open answers of its own."""

    def __init__(self) -> None:
        self._clients: dict[Site, httpx.AsyncClient] = {}

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
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def _steps(self, course: Course[Any]) -> AsyncGenerator[Any, None]:
        opened = list[httpx.Response]()
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
            for response in opened:
                await response.aclose()

    async def _do(self, effect: Effect, opened: list[httpx.Response]) -> Any:
        match effect:
            case Sleep(seconds):
                await anyio.sleep(seconds)
                return None
            case Read(reply):
                with translated(reply.source[0].request):
                    return await anext(reply.source[1], None)
            case Close(reply):
                await reply.source[0].aclose()
                return None
        with translated(effect):
            client = self._client(effect.site)
            response = await client.send(request(client, effect), stream=True)
        opened[:] = [other for other in opened if not other.is_closed]
        opened.append(response)
        return Reply(response.status_code, response.headers, (response, response.aiter_raw()))

    def _client(self, site: Site) -> httpx.AsyncClient:
        if site not in self._clients:
            self._clients[site] = httpx.AsyncClient(**connections(site))
        return self._clients[site]
