from __future__ import annotations

import webbrowser

import click

from ..client.api import Client
from .options import job_argument, json_option, with_client
from .out import say, show_json


@click.command("open")
@job_argument
@json_option
@with_client
def command(client: Client, job: str, as_json: bool) -> None:
    """Open a job's page in the browser, and print its address.

    \b
    Examples:
      jobtail open @last
      jobtail open JOB --json | jq -r .url
    """
    client.status(job)  # so that a job that is not there is said here, and not by the page
    url = client.link(job)
    opened = webbrowser.open(url)
    if as_json:
        show_json({"url": url, "opened": opened})
    else:
        say(url)
