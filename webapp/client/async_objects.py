"""The objects of `objects.py` for asyncio: what they do is `work.py` all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..models import JobRecord, RunStatus
from .address import Job, page
from .aio import AsyncClient
from .bound import newest, remember
from .calls import Calls
from .html import jobs_html, run_html
from .script import Gives, Script
from .work import JobHandle, listed, take_over, valid

P = ParamSpec("P")
T = TypeVar("T")


def answer(
    work: Callable[Concatenate[JobHandle, P], Script[T]],
) -> Callable[Concatenate[AsyncFollowed, P], Awaitable[T]]:
    @wraps(work)
    async def method(self: AsyncFollowed, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._api.transport.run(work(self, *args, **kwargs))

    return method


def iterator(
    work: Callable[Concatenate[JobHandle, P], Gives[T]],
) -> Callable[Concatenate[AsyncFollowed, P], AsyncIterator[T]]:
    @wraps(work)
    def method(self: AsyncFollowed, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return self._api.transport.each(work(self, *args, **kwargs))

    return method


class AsyncFollowed(JobHandle):
    """What one can do with a job: the methods of `Followed`, each of which is awaited."""

    @property
    def _api(self) -> AsyncClient:
        if isinstance(self._client, AsyncClient):
            return self._client
        return newest(AsyncClient) or AsyncConnection()

    @property
    def _calls(self) -> Calls:
        return self._api._found()

    @property
    def logs_url(self) -> str:
        """The live page of this job."""
        return page(self._api.url, self._job)

    async def get_status(self) -> AsyncRunResponse:
        """The status of this job, asked for now."""
        return run_of(self._api, await self._api.status(self))

    async def wait_for_job(
        self,
        poll_interval_seconds: float = 5,
        timeout: float | None = None,  # noqa: ASYNC109 (the name that the published client has)
    ) -> AsyncRunResponse:
        """Waits until the job has finished, and gives its status; TimeoutError after `timeout` seconds."""
        return run_of(self._api, await self._api.wait(self, timeout, pause=poll_interval_seconds))

    async def cancel(self) -> AsyncRunResponse:
        """Cancels this job. A new object."""
        return run_of(self._api, await self._api.cancel(self))

    get_logs = answer(JobHandle._get_logs)
    print_logs = answer(JobHandle._print_logs)
    iter_logs = iterator(JobHandle._iter_logs)
    tail_logs = answer(JobHandle._tail_logs)
    get_exec_time = answer(JobHandle._get_exec_time)
    config = answer(JobHandle._config)
    steps_config = answer(JobHandle._steps_config)
    search = answer(JobHandle._search)
    share = answer(JobHandle._share)
    shares = answer(JobHandle._shares)
    revoke = answer(JobHandle._revoke)
    forget = answer(JobHandle._forget)


class AsyncRunResponse(AsyncFollowed, RunStatus):
    """A job's status. See `webapp.models.RunStatus` for its fields."""

    creation_date: datetime | None = None
    exit_code: int | None = None
    detail: str | None = None

    @property
    def _job(self) -> str:
        return self.job_id

    async def refresh_status(self) -> AsyncRunResponse:
        """Brings every field of this object up to date, and returns it."""
        return take_over(self, await self.get_status())

    def _repr_html_(self) -> str:
        return run_html(self, self.logs_url)


class AsyncJobResponse(AsyncFollowed, JobRecord):
    """One row of the list of jobs. See `webapp.models.JobRecord` for its fields."""

    job_name: str | None = None

    @property
    def _job(self) -> str:
        return self.id

    def _repr_html_(self) -> str:
        return jobs_html([(self, self.logs_url)])


class AsyncConnection(AsyncClient):
    """A service, from which jobs and lists of jobs come as objects: `connect()` for asyncio.

    async with AsyncConnection(url, token) as service:
        job = await service.job("wkf-1")
        async for line in job.iter_logs():
            print(line.message)
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        super().__init__(url, token)
        remember(self)

    async def __aenter__(self) -> AsyncConnection:
        return self

    async def jobs(self, n: int = 5, skip: int = 0, *, per_request: int = 25,
                   max_requests: int | None = 1) -> list[AsyncJobResponse]:  # fmt: skip
        """The newest jobs: `n` of them after the first `skip`."""
        found = await self.transport.run(listed(self._found(), n, skip, per_request, max_requests))
        return [valid(AsyncJobResponse, job, self.url, self) for job in found["jobs"]]

    async def job(self, job: Job) -> AsyncRunResponse:
        """A job by its id or a link to it, with its status as it is now."""
        client, name = await self.find(job)
        return run_of(client, await client.status(name))


def run_of(client: AsyncClient, status: dict[str, Any]) -> AsyncRunResponse:
    return valid(AsyncRunResponse, status, client.url, client)
