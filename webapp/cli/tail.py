from __future__ import annotations

import sys
from contextlib import closing
from typing import Any

import click

from ..client.api import Client
from ..states import exit_code_of
from .failure import OK
from .many import follow_all
from .options import choosing, complete_job, json_option, with_client
from .reader import JobReader, chosen
from .resolve import on_job
from .retrying import say_end, say_retrying


@click.command("tail")
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True, shell_complete=complete_job)
@click.option(
    "--refresh-seconds", default=1.0, show_default=True, type=click.FloatRange(0.1, 60), metavar="S",
    help="How often news are wanted.",
)  # fmt: skip
@click.option(
    "--sample-logs/--no-sample-logs", default=None,
    help="A sample where lines come fast, saying how many were left out; warnings and errors are kept. Without either: "
    "everything on a terminal that keeps up, else a sample. Filters turn it off.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(0), metavar="S", help="Stop after so many seconds, with exit code 124."
)
@click.option(
    "--get-logs-retries", default=1, show_default=True, type=click.IntRange(0), metavar="N",
    help="Additional attempts, of 60 s of unbroken failure each.",
)  # fmt: skip
@choosing
@click.option("-q", "--quiet", is_flag=True, help="Nothing of ours on standard error but errors.")
@json_option
@with_client
def command(client: Client, jobs: tuple[str, ...], sample_logs: bool | None, quiet: bool, refresh_seconds: float,
            timeout: float | None, get_logs_retries: int, **given: Any) -> int:  # fmt: skip
    """Print a job's log, and follow it until the job ends; of several jobs at once, each line with its job's name.

    Goes on where it was when the connection or the service breaks, without losing or repeating a line. Says at the
    end how and why the job ended. Exits with 0 when it is done, with 1 when it failed or was cancelled.

    \b
    Examples:
      jobtail tail @last
      jobtail tail http://127.0.0.1:8484/jobs/JOB -n 20 --timestamps
      jobtail tail JOB1 JOB2 --level error,warning
      jobtail tail JOB --json --no-sample-logs
    """
    choice = chosen(given)
    if sample_logs is None and (choice.as_json or not sys.stdout.isatty()):
        sample_logs = True
    how: dict[str, Any] = {
        "sample": sample_logs, "refresh_seconds": refresh_seconds, "timeout": timeout, "retries": get_logs_retries,
    }  # fmt: skip
    if len(jobs) > 1:
        return follow_all(client, jobs, choice, how, quiet)

    def follow(job: str) -> int:
        code = OK
        with closing(JobReader(client, job, choice, choice.printer(live=True)).follow(**how)) as events:
            for event in events:
                if event.kind == "retrying":
                    say_retrying(event)
                elif event.kind == "done":
                    code = exit_code_of(event.data.get("status") or {})
                    if not (choice.as_json or quiet):
                        say_end(event)
        return code

    return on_job(client, jobs[0], follow)
