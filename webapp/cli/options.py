"""What the terminal commands have in common: which service, which job, JSON or words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..client.api import Client
from ..client.safe import plain
from .resolve import LAST, on_job, rows
from .when import TAKES, Moment

F = TypeVar("F", bound=Callable[..., Any])
COMPLETED = 100


def complete_job(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the newest jobs, and what they are called; none where the service is slow or not there. What is not an id
    never gets into a command line."""
    try:
        with Client(_of(ctx, "url"), _of(ctx, "token")) as client:
            found = rows(client.get("/api/jobs", {"n": COMPLETED}, seconds=1.0))
    except Exception:
        return []
    items = [CompletionItem(LAST, help="the newest job")] if found and LAST.startswith(incomplete) else []
    return items + [
        CompletionItem(job["id"], help=plain(f"{job.get('job_status') or ''} {job.get('job_name') or ''}").strip())
        for job in found
        if job["id"].startswith(incomplete)
    ]


def _of(ctx: click.Context, name: str) -> str | None:
    value = ctx.params.get(name)
    return value if isinstance(value, str) else None


job_argument = click.argument("job", metavar="JOB", shell_complete=complete_job)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


def with_client(command: F) -> F:
    """Adds `--url` and `--token`, and gives the command a `Client` as its first argument. A `job` it takes is the id or
    link that was meant."""
    return _with_client(command, changes=False)


def with_client_to_change(command: F) -> F:
    """The same for a command that changes something: a name that several jobs have is refused."""
    return _with_client(command, changes=True)


def _with_client(command: F, changes: bool) -> F:
    @click.option("--url", metavar="URL", help="The service. [env: JOBTAIL_URL; default: http://127.0.0.1:8484]")
    @click.option("--token", metavar="TOKEN", help="The access token. JOBTAIL_TOKEN is safer: others can't see it.")
    @wraps(command)
    def wrapped(url: str | None, token: str | None, **rest: Any) -> Any:
        with Client(url, token) as client:
            if "job" not in rest:
                return command(client, **rest)
            job = rest.pop("job")
            return on_job(client, job, lambda meant: command(client, job=meant, **rest), changes=changes)

    return wrapped  # type: ignore[return-value]


def choosing(command: F) -> F:
    """Adds the options that say which lines are shown, and how."""
    for option in reversed(_CHOOSING):
        command = option(command)
    return command


_COUNT = click.IntRange(0, 1_000_000)
_CHOOSING = (
    click.option("--since", type=Moment(), metavar="WHEN", help=f"Only lines of this time or later: {TAKES}."),
    click.option("--until", type=Moment(), metavar="WHEN", help="Only lines of this time or earlier."),
    click.option("--since-ms", type=click.IntRange(0), metavar="MS", help="--since in milliseconds since 1970."),
    click.option("-n", "--tail", type=_COUNT, metavar="N", help="Only the last N of those that are there."),
    click.option("--level", metavar="LEVEL", help="Only this level: error, warning, info, debug (several: a,b)."),
    click.option(
        "--grep", metavar="RE", help="Only lines that match this (RE2; case counts only if it has a capital letter)."
    ),
    click.option("--exclude", metavar="RE", help="Only lines that do not match this."),
    click.option("-A", "--after-context", type=click.IntRange(0, 1000), metavar="N", help="And N lines after each."),
    click.option("-B", "--before-context", type=click.IntRange(0, 1000), metavar="N", help="And N lines before each."),
    click.option("-C", "--context", type=click.IntRange(0, 1000), metavar="N", help="And N lines around each."),
    click.option("--stream", type=click.Choice(["stdout", "stderr"]), help="Only what a command wrote there."),
    click.option("--timestamps", is_flag=True, help="The time before each line."),
)
