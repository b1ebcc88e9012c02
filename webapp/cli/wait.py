from __future__ import annotations

import click

from ..client.api import Client
from ..states import exit_code_of
from .options import job_argument, json_option, with_client
from .out import say, show_json
from .statusline import StatusLine
from .words import reason, state


@click.command("wait")
@job_argument
@click.option(
    "--poll-interval-seconds", default=5.0, show_default=True, type=click.FloatRange(0.1), metavar="S",
    help="The pause between attempts while the service does not answer; the end itself is told at once.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(0), metavar="S", help="Stop after so many seconds, with exit code 124."
)
@json_option
@with_client
def command(client: Client, job: str, poll_interval_seconds: float, timeout: float | None, as_json: bool) -> int:
    """Wait until a job has ended. Exits with 0 when it is done, with 1 when it failed or was cancelled.

    \b
    Examples:
      jobtail wait JOB --timeout 3600 && ./publish
      jobtail wait JOB --json | jq .exit_code
    """
    with StatusLine(client, job, poll_interval_seconds):
        status = client.wait(job, timeout, pause=poll_interval_seconds)
    if as_json:
        show_json(status)
    else:
        why = reason(status)
        say(state(status), f" ({why})" if why else "")
    return exit_code_of(status)
