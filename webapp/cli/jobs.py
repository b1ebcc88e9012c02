from __future__ import annotations

import click

from ..client.api import Client
from .options import json_option, with_client
from .words import local, painted, printable, show_json


@click.command("jobs")
@click.option("-n", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option(
    "--skip", default=0, show_default=True, type=click.IntRange(0), help="How many of the newest to pass over."
)
@json_option
@with_client
def command(client: Client, n: int, skip: int, as_json: bool) -> None:
    """List the newest jobs, newest first.

    \b
    Examples:
      jobtail jobs
      jobtail jobs -n 100 --json | jq -r '.jobs[] | select(.job_status == "Failed").id'
    """
    found = client.job_list(n, skip)
    if as_json:
        show_json(found)
        return
    jobs = found.get("jobs") or []
    if not jobs:
        click.echo("No jobs yet. Start one: jobtail run -- CMD", err=True)
        return
    width = max(len(str(job["id"])) for job in jobs)
    click.echo(f"{'JOB':<{width}}  {'STATUS':<9}  {'STARTED':<19}  NAME")
    for job in jobs:
        state = painted(printable(str(job.get("job_status") or "-")), 9)
        name = printable(str(job.get("job_name") or ""))
        click.echo(f"{printable(str(job['id'])):<{width}}  {state}  {local(job.get('creation_date')):<19}  {name}")
