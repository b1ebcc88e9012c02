from __future__ import annotations

import click

from ..client.api import Client
from .options import job_argument, json_option, with_client_to_change
from .out import say, show_json
from .words import state


@click.command("cancel")
@job_argument
@json_option
@with_client_to_change
def command(client: Client, job: str, as_json: bool) -> None:
    """Ask a job to end. One that has ended already stays as it is.

    \b
    Examples:
      jobtail cancel JOB
      jobtail cancel JOB && jobtail wait JOB
    """
    status = client.cancel(job)
    if as_json:
        show_json(status)
    else:
        say(state(status))
