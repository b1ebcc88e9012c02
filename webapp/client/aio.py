"""The same as `api.py` for asyncio: each method is awaited, each iterator is asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from .address import Job
from .bound import Bound
from .calls import Calls
from .script import Gives, Script, Site

if TYPE_CHECKING:
    from .async_transport import AsyncTransport

P = ParamSpec("P")
T = TypeVar("T")


def answer(call: Callable[Concatenate[Calls, P], Script[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    @wraps(call)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.transport.run(call(self._found(), *args, **kwargs))

    return method


def iterator(
    call: Callable[Concatenate[Calls, P], Gives[T]],
) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[T]]:
    @wraps(call)
    def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return self.transport.each(call(self._found(), *args, **kwargs))

    return method


class AsyncClient(Bound):
    """`async with AsyncClient(url, token) as client: await client.status("wkf-1")`. For one event loop."""

    _transport: AsyncTransport | None = None

    @property
    def transport(self) -> AsyncTransport:
        if self._transport is None:
            from .async_transport import AsyncTransport

            self._transport = AsyncTransport()
        return self._transport

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close()

    def at(self, site: Site) -> AsyncClient:
        """The client for another site, over the same transport."""
        if site == self.calls.site:
            return self
        other = type(self).__new__(type(self))
        other._settle(Calls(site))
        other._transport = self.transport
        return other

    async def find(self, job: Job) -> tuple[AsyncClient, str]:
        """The client and the id that an id or a link means."""
        site, name = await self.transport.run(self._found().find(job))
        return self.at(site), name

    get = answer(Calls.get)
    post = answer(Calls.post)
    delete = answer(Calls.delete)
    link = answer(Calls.link)
    status = answer(Calls.status)
    cancel = answer(Calls.cancel)
    exec_time = answer(Calls.exec_time)
    config = answer(Calls.config)
    steps_config = answer(Calls.steps_config)
    search = answer(Calls.search)
    share = answer(Calls.share)
    shares = answer(Calls.shares)
    revoke = answer(Calls.revoke)
    forget = answer(Calls.forget)
    job_list = answer(Calls.job_list)
    wait = answer(Calls.wait)
    stream = iterator(Calls.stream)
    lines = iterator(Calls.lines)
    log = iterator(Calls.log)
