from __future__ import annotations

from typing import Any

import click

from ..client.api import Client
from .failure import OK
from .options import choosing, job_argument, json_option, with_client
from .reader import JobReader, chosen
from .retrying import say_end, say_retrying


@click.command("logs")
@job_argument
@choosing
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@json_option
@with_client
def command(client: Client, job: str, follow: bool, **given: Any) -> int:
    """Print a job's log so far.

    \b
    Examples:
      jobtail logs JOB
      jobtail logs @last -n 100 --timestamps
      jobtail logs JOB --since 10m --grep 'timed? ?out' --exclude healthz -C 2
      jobtail logs JOB --stream stderr -f
      jobtail logs JOB --level error --json | jq -r .message
    """
    choice = chosen(given)
    reader = JobReader(client, job, choice, choice.printer(live=follow))
    if not follow:
        reader.read()
        return OK
    for event in reader.follow(sample=False, retries=None):
        if event.kind == "retrying":
            say_retrying(event)
        elif event.kind == "done" and not choice.as_json:
            say_end(event)
    return OK
