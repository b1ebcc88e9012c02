from __future__ import annotations

import sys

import click

from ..client.api import Client
from .options import job_argument, json_option, with_client
from .printer import JsonPrinter, LogPrinter


@click.command("logs")
@job_argument
@click.option(
    "--since-ms", type=click.IntRange(0), metavar="MS", help="Only lines of this time or later (ms since 1970)."
)
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Only the last N.")
@click.option("--level", metavar="LEVEL", help="Only this level: error, warning, info, debug (several: a,b).")
@click.option("--grep", metavar="TEXT", help="Only lines that hold this text.")
@click.option("--timestamps", is_flag=True, help="The time before each line.")
@json_option
@with_client
def command(
    client: Client,
    job: str,
    since_ms: int | None,
    tail: int | None,
    level: str | None,
    grep: str | None,
    timestamps: bool,
    as_json: bool,
) -> None:
    """Print a job's log so far.

    \b
    Examples:
      jobtail logs JOB
      jobtail logs JOB --tail 100 --timestamps
      jobtail logs JOB --level error --json | jq -r .message
    """
    wanted = {"since_ms": since_ms, "tail": tail, "level": level, "q": grep}
    printer = JsonPrinter(sys.stdout) if as_json else LogPrinter(sys.stdout, timestamps=timestamps)
    for line in client.lines(job, **wanted):
        printer.line(line)
        if printer.full:
            printer.flush()
    printer.flush()
