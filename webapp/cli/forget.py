from __future__ import annotations

import click

from ..client.api import Client
from ..client.safe import plain
from .options import job_argument, json_option, with_client_to_change
from .out import say, show_json


@click.command("forget")
@job_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@with_client_to_change
def command(client: Client, job: str, yes: bool, as_json: bool) -> None:
    """Throw a job's lines away, for example when a secret got into them.

    Lines of an upstream are fetched anew if somebody looks and it still has them; those of a command of this machine
    are gone.

    \b
    Examples:
      jobtail forget JOB
      jobtail forget JOB --yes
    """
    name = str(client.status(job).get("job_name") or job)
    if not yes:
        click.confirm(f"Throw all lines of {plain(name)} away?", abort=True, err=True)
    client.forget(job)
    if as_json:
        show_json({"job": job, "forgotten": True})
    else:
        say("forgotten")
