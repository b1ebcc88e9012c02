"""`connect()`: a service, from which jobs and lists of jobs come as objects."""

from __future__ import annotations

from .address import Job
from .api import Client
from .bound import remember
from .objects import Jobs, RunResponse, jobs_of, run_of


class Connection(Client):
    """All of `Client`, and `job()` and `jobs()`."""

    def __enter__(self) -> Connection:
        return self

    def jobs(self, n: int = 5, skip: int = 0, *, per_request: int = 25, max_requests: int | None = 1) -> Jobs:
        """The newest jobs: `n` of them after the first `skip`. `max_requests` times `per_request` bounds them
        too, None: no such bound."""
        return jobs_of(self, n, skip, per_request, max_requests)

    def job(self, job: Job) -> RunResponse:
        """A job by its id, a link to it or an object, with its status as it is now. A link to another service is
        asked there, without this one's token."""
        client, name = self.find(job)
        return run_of(client, client.status(name))


def connect(url: str | None = None, token: str | None = None) -> Connection:
    """The service at `url`, or JOBTAIL_URL, or port 8484 of this machine; `token` or JOBTAIL_TOKEN. Asks
    nothing yet.

    Objects made by hand, such as by `RunResponse.from_job_id`, use the newest connection.
    """
    connection = Connection(url, token)
    remember(connection)
    return connection
