from __future__ import annotations

import click

from ..client.api import Client
from .options import job_argument, json_option, with_client
from .out import show_json


@click.command("config")
@job_argument
@click.option("--steps", is_flag=True, help="The whole configuration, with every step.")
@json_option
@with_client
def command(client: Client, job: str, steps: bool, as_json: bool) -> None:
    """Show what a job runs: its one step, as JSON.

    \b
    Examples:
      jobtail config JOB
      jobtail config JOB --steps
    """
    show_json(client.steps_config(job) if steps else client.config(job))
