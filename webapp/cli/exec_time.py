from __future__ import annotations

from datetime import timedelta

import click

from ..client.api import Client
from ..client.errors import BadAnswer
from .options import job_argument, json_option, with_client
from .out import complain, say, show_json


@click.command("exec-time")
@job_argument
@json_option
@with_client
def command(client: Client, job: str, as_json: bool) -> None:
    """Show the time from a job's first line to its last.

    \b
    Examples:
      jobtail exec-time JOB
      jobtail exec-time JOB --json | jq .seconds
    """
    found = client.exec_time(job)
    if as_json:
        show_json(found)
        return
    try:
        say(timedelta(seconds=found["seconds"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadAnswer(f"{client.url} did not say how long the job took: is it a jobtail service?") from None
    if found.get("in_progress"):
        complain("it is still in progress: this is the time up to its newest line")
