"""RunResponse, JobResponse and Jobs: the objects of the published Fused client over a jobtail service.

Their data is `webapp.models`, what they do is `work.py`; every method asks the service that the object came from, or,
where it was made by hand, the one of the newest `connect()` or of JOBTAIL_URL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from pydantic import Field, PrivateAttr

from ..models import JobList, JobRecord, RunStatus
from .address import page
from .api import Client, default_client
from .calls import Calls
from .errors import ClientError
from .html import jobs_html, run_html
from .safe import plain
from .script import Gives, Script
from .work import JobHandle, listed, take_over, valid

P = ParamSpec("P")
T = TypeVar("T")


def answer(work: Callable[Concatenate[JobHandle, P], Script[T]]) -> Callable[Concatenate[FollowedJob, P], T]:
    """A method that carries a script out and gives what it comes to."""

    @wraps(work)
    def method(self: FollowedJob, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._api.transport.run(work(self, *args, **kwargs))

    return method


def iterator(work: Callable[Concatenate[JobHandle, P], Gives[T]]) -> Callable[Concatenate[FollowedJob, P], Iterator[T]]:
    @wraps(work)
    def method(self: FollowedJob, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return self._api.transport.each(work(self, *args, **kwargs))

    return method


class FollowedJob(JobHandle):
    """What one can do with a job, whether it comes from a status, a list or an id."""

    @property
    def _api(self) -> Client:
        return self._client if isinstance(self._client, Client) else default_client()

    @property
    def _calls(self) -> Calls:
        return self._api._found()

    @property
    def logs_url(self) -> str:
        """The live page of this job."""
        return page(self._api.url, self._job)

    def get_status(self) -> RunResponse:
        """The status of this job, asked for now."""
        return run_of(self._api, self._api.status(self))

    def wait_for_job(self, poll_interval_seconds: float = 5, timeout: float | None = None) -> RunResponse:
        """Blocks until the job has finished, and gives its status; TimeoutError after `timeout` seconds.

        The service says when the job ends; `poll_interval_seconds` is the pause between attempts while the
        service does not answer.
        """
        return run_of(self._api, self._api.wait(self, timeout, pause=poll_interval_seconds))

    def cancel(self) -> RunResponse:
        """Cancels this job. A new object."""
        return run_of(self._api, self._api.cancel(self))

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


class RunResponse(FollowedJob, RunStatus):
    """A job's status. See `webapp.models.RunStatus` for its fields."""

    creation_date: datetime | None = None
    exit_code: int | None = None
    detail: str | None = Field(default=None, description="Why it ended, or what it waits for.")

    @property
    def _job(self) -> str:
        return self.job_id

    def refresh_status(self) -> RunResponse:
        """Brings every field of this object up to date, and returns it."""
        return take_over(self, self.get_status())

    @classmethod
    def from_job_id(cls, job: str | RunResponse | JobResponse) -> RunResponse:
        """The job with this id, or of this link, as the service knows it; a RunResponse is returned as it
        is."""
        if isinstance(job, RunResponse):
            return job
        if isinstance(job, JobResponse):
            return job.get_status()
        client, name = default_client().find(job)
        return run_of(client, client.status(name))

    def _repr_html_(self) -> str:
        with suppress(ClientError):  # then a notebook shows what was known, rather than nothing
            self.refresh_status()
        return run_html(self, self.logs_url)


class JobResponse(FollowedJob, JobRecord):
    """One row of the list of jobs. See `webapp.models.JobRecord` for its fields."""

    job_name: str | None = None

    @property
    def _job(self) -> str:
        return self.id

    def _repr_html_(self) -> str:
        return jobs_html([(self, self.logs_url)])


class Jobs(JobList):
    """A page of jobs, newest first. A slice of it is one too."""

    jobs: list[JobResponse]  # type: ignore[assignment]
    _client: Client | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:
        if isinstance(context, Client):
            self._client = context

    @property
    def _api(self) -> Client:
        return self._client or default_client()

    def refresh(self) -> Jobs:
        """Asks for the same page again. This object, updated."""
        self.jobs = jobs_of(self._api, self.n, self.skip, self.per_request, self.max_requests).jobs
        return self

    def __len__(self) -> int:
        return len(self.jobs)

    @overload
    def __getitem__(self, index: int) -> JobResponse: ...

    @overload
    def __getitem__(self, index: slice) -> Jobs: ...

    def __getitem__(self, index: int | slice) -> JobResponse | Jobs:
        if not isinstance(index, slice):
            return self.jobs[index]
        places = range(len(self.jobs))[index]
        if places.step != 1:
            raise ValueError("a slice of Jobs takes a step of 1: list(jobs)[...] takes any")
        part = self.model_copy(update={"jobs": self.jobs[index], "n": len(places), "skip": self.skip + places.start})
        return part

    def __iter__(self) -> Iterator[JobResponse]:  # type: ignore[override]
        return iter(self.jobs)

    def __repr__(self) -> str:
        return "\n".join(plain(f"{job.id}: {job.job_status}") for job in self.jobs) or "no jobs"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return jobs_html((job, job.logs_url) for job in self.jobs)


def run_of(client: Client, status: dict[str, Any]) -> RunResponse:
    return valid(RunResponse, status, client.url, client)


def jobs_of(client: Client, n: int, skip: int, per_request: int, max_requests: int | None) -> Jobs:
    found = client.transport.run(listed(client._found(), n, skip, per_request, max_requests))
    rows = [valid(JobResponse, row, client.url, client) for row in found.pop("jobs")]
    return Jobs.model_validate({"jobs": rows, **found}, context=client)
