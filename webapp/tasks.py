"""Tasks that have an owner, which starts them and waits for their end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """The tasks of one owner. `close` cancels all of them, and returns once they have ended."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # a waiter gets it too; without this line asyncio logs it where nobody waits any more

    async def close(self) -> None:
        while self._running:
            await cancelled(*self._running)


async def cancelled(*tasks: asyncio.Future[Any]) -> None:
    """Cancels them, and returns once they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def first_of(*works: Awaitable[Any], seconds: float | None = None) -> None:
    """Returns once one of them has ended, or after so many seconds. The others are cancelled."""
    waits = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(*waits)
