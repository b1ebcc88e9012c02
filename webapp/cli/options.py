"""What the terminal commands have in common: which service, which job, JSON or words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from ..client.api import Client

F = TypeVar("F", bound=Callable[..., Any])


def complete_job(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the newest jobs; none where the service is slow or not there."""
    try:
        with Client(_of(ctx, "url"), _of(ctx, "token")) as client:
            found = client.get("/api/jobs", {"n": 50}, seconds=1.0)["jobs"]
    except Exception:
        return []
    return [job["id"] for job in found if job["id"].startswith(incomplete)]


def _of(ctx: click.Context, name: str) -> str | None:
    value = ctx.params.get(name)
    return value if isinstance(value, str) else None


job_argument = click.argument("job", metavar="JOB", shell_complete=complete_job)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


def with_client(command: F) -> F:
    """Adds `--url` and `--token`, and gives the command a `Client` as its first argument."""

    @click.option("--url", metavar="URL", help="The service. [env: JOBTAIL_URL; default: http://127.0.0.1:8484]")
    @click.option("--token", metavar="TOKEN", help="Signs in. Better in JOBTAIL_TOKEN, which others can't see.")
    @wraps(command)
    def wrapped(url: str | None, token: str | None, **rest: Any) -> Any:
        with Client(url, token) as client:
            return command(client, **rest)

    return wrapped  # type: ignore[return-value]
