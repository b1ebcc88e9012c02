"""RunResponse, JobResponse and Jobs: the objects of the published Fused client over a jobtail service.

Their data is `webapp.models`; every method asks the service that the object came from, or, for one made by
hand, that of the newest `connect()` or of JOBTAIL_URL.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import IO, Any, TypeVar

from pydantic import PrivateAttr, ValidationError

from ..models import JobConfig, JobList, JobRecord, JobStepConfig, RunStatus, Wire
from .api import Client, default_client
from .errors import BadAnswer, ClientError, IncompleteLogWarning, JobInProgressWarning
from .html import jobs_html, run_html
from .line import Line
from .show import Printer, lines_of, missing

PAGE = 100
M = TypeVar("M", bound=Wire)


class Followed(Wire):
    """What one can do with a job, whatever it was learnt from."""

    _client: Client | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:
        if isinstance(context, Client):
            self._client = context

    @property
    def _api(self) -> Client:
        return self._client or default_client()

    @property
    def _job(self) -> str:
        raise NotImplementedError

    @property
    def logs_url(self) -> str:
        """The live page of this job."""
        return self._api.link(self._job)

    def get_status(self) -> RunResponse:
        """The status of this job, asked for now."""
        return run_of(self._api, self._api.status(self._job))

    def get_logs(self, since_ms: int | None = None) -> list[Any]:
        """The log so far, oldest first: `Line` dicts with `timestamp` (ms), `message` and the rest.

        `since_ms`: only lines of this time or later, in milliseconds since the epoch.
        """
        lines = list(self._api.lines(self._job, since_ms=milliseconds(since_ms)))
        lines.sort(key=lambda line: line.timestamp)
        return lines

    def print_logs(self, since_ms: int | None = None, file: IO[str] | None = None) -> None:
        """Prints the log so far to `file`, or standard output: one message a line, indentation kept."""
        printer = Printer(sys.stdout if file is None else file)
        for line in self.get_logs(since_ms):
            printer.line(line)

    def iter_logs(
        self,
        since_ms: int | None = None,
        *,
        follow: bool = True,
        level: str | None = None,
        q: str | None = None,
        tail: int | None = None,
        timeout: float | None = None,
        get_logs_retries: int = 1,
    ) -> Iterator[Line]:
        """The lines one by one, in the order in which the service learnt of them, until the job has ended.

        `follow=False`: only those that are there now. `level`: such as "warning" or "error,warning"; `q`: a
        text they hold; `tail`: only the last N of those there are, and what follows. Survives a break of the
        connection without losing or repeating a line; where lines are missing it warns
        (IncompleteLogWarning).
        """
        wanted: dict[str, Any] = {"since_ms": milliseconds(since_ms), "level": level, "q": q, "tail": tail}
        if not follow:
            yield from self._api.lines(self._job, **wanted)
            return
        wanted |= {"format": "batch", "sample_logs": False, "refresh_seconds": 0.1}
        for event in self._api.stream(self._job, wanted, timeout=timeout, retries=get_logs_retries):
            if event.kind in ("line", "lines"):
                for line in lines_of(event):
                    yield self._whole(line)
            elif event.kind == "gap":
                warnings.warn(f"{self._job}: {missing(event.data)}", IncompleteLogWarning, stacklevel=2)
            elif event.kind == "reset":
                message = f"{self._job}: the log begins anew ({event.data.get('reason')})"
                warnings.warn(message, IncompleteLogWarning, stacklevel=2)

    def _whole(self, line: Line) -> Line:
        """A stream cuts very long lines; the log gives them whole while it keeps them."""
        if not line.get("cut"):
            return line
        for whole in self._api.lines(self._job, from_line=line.line, limit=1):
            if whole.get("id") == line.get("id"):
                return whole
        message = f"{self._job}: line {line.line} is longer and was cut: it is no longer kept"
        warnings.warn(message, IncompleteLogWarning, stacklevel=3)
        return line

    def get_exec_time(self) -> timedelta:
        """The time from the first to the last line. Warns while the job is in progress; NoLines where there
        is no line yet."""
        found = self._api.exec_time(self._job)
        if found.get("in_progress"):
            message = f"the job {self._job!r} is still in progress: this is the time up to its newest line"
            warnings.warn(message, JobInProgressWarning, stacklevel=2)
        return timedelta(seconds=found["seconds"])

    def tail_logs(
        self,
        refresh_seconds: float = 1,
        sample_logs: bool = True,
        timeout: float | None = None,
        get_logs_retries: int = 1,
    ) -> None:
        """Prints the log, then each line as it comes, until the job has ended.

        `refresh_seconds`: how often news are wanted. `sample_logs`: only a sample, with a note of how much
        was left out; errors are always shown. `timeout`: seconds after which it raises TimeoutError.
        `get_logs_retries`: additional attempts, of 60 s of unbroken failure each, before it raises.
        """
        printer = Printer(sys.stdout)
        wanted = {
            "refresh_seconds": min(60.0, max(0.1, refresh_seconds)),
            "sample_logs": sample_logs,
            "format": "batch",
        }
        for event in self._api.stream(self._job, wanted, timeout=timeout, retries=get_logs_retries):
            printer.event(event)

    def wait_for_job(self, poll_interval_seconds: float = 5, timeout: float | None = None) -> RunResponse:
        """Blocks until the job has finished, and gives its status; TimeoutError after `timeout` seconds.

        The service says when the job ends; `poll_interval_seconds` is the pause between attempts while the
        service does not answer.
        """
        return run_of(self._api, self._api.wait(self._job, timeout, pause=poll_interval_seconds))

    def cancel(self) -> RunResponse:
        """Cancels this job. A new object."""
        return run_of(self._api, self._api.cancel(self._job))

    def config(self) -> JobStepConfig:
        """The configuration of the one step of this job; an error where it has more."""
        return valid(JobStepConfig, self._api.config(self._job), self._api)

    def steps_config(self) -> JobConfig:
        """The configuration of all steps of this job."""
        return valid(JobConfig, self._api.steps_config(self._job), self._api)


class RunResponse(Followed, RunStatus):
    """A job's status. See `webapp.models.RunStatus` for its fields."""

    @property
    def _job(self) -> str:
        return self.job_id

    def refresh_status(self) -> RunResponse:
        """Brings every field of this object up to date, and returns it."""
        new = self.get_status()
        self.__dict__.update(new.__dict__)
        object.__setattr__(self, "__pydantic_extra__", new.__pydantic_extra__)
        object.__setattr__(self, "__pydantic_fields_set__", new.__pydantic_fields_set__)
        return self

    @classmethod
    def from_job_id(cls, job: str | RunResponse) -> RunResponse:
        """The job with this id, or of this link, as the service knows it; a RunResponse is returned as it
        is."""
        if isinstance(job, RunResponse):
            return job
        client, name = default_client().find(job)
        return run_of(client, client.status(name))

    def _repr_html_(self) -> str:
        with suppress(ClientError):  # then a notebook shows what was known, rather than nothing
            self.refresh_status()
        return run_html(self, self.logs_url)


class JobResponse(Followed, JobRecord):
    """One row of the list of jobs. See `webapp.models.JobRecord` for its fields."""

    @property
    def _job(self) -> str:
        return self.id


class Jobs(JobList):
    """A page of jobs, newest first."""

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

    def __getitem__(self, index: int) -> JobResponse:
        return self.jobs[index]

    def __iter__(self) -> Iterator[JobResponse]:  # type: ignore[override]
        return iter(self.jobs)

    def __repr__(self) -> str:
        return "\n".join(f"{job.id}: {job.job_status}" for job in self.jobs) or "no jobs"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return jobs_html((job, job.logs_url) for job in self.jobs)


def milliseconds(since: float | None) -> int | None:
    """What people have at hand, such as `time.time() * 1000`, as the API takes it."""
    return None if since is None else max(0, int(since))


def valid(model: type[M], data: dict[str, Any], client: Client) -> M:
    """The object that an answer is, bound to the client it came from."""
    try:
        return model.model_validate(data, context=client)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadAnswer(f"{client.url} answered what is no {model.__name__}: see {where!r}") from None


def run_of(client: Client, status: dict[str, Any]) -> RunResponse:
    return valid(RunResponse, status, client)


def jobs_of(client: Client, n: int, skip: int, per_request: int, max_requests: int | None) -> Jobs:
    """Up to `n` jobs, newest first, and no more than `max_requests` times `per_request`."""
    wanted = n if max_requests is None else min(n, per_request * max_requests)
    found: list[Any] = []
    while len(found) < wanted:
        page = client.job_list(min(PAGE, wanted - len(found)), skip + len(found)).get("jobs") or []
        found += page
        if not page:
            break
    how = {"n": n, "skip": skip, "per_request": per_request, "max_requests": max_requests}
    return valid(Jobs, {"jobs": found[:wanted], **how}, client)
