from __future__ import annotations

import sys

import click

from ..client.api import Client
from ..client.follow import Event
from .failure import OK, ended
from .options import job_argument, json_option, with_client
from .printer import JsonPrinter, LogPrinter


@click.command("tail")
@job_argument
@click.option(
    "--refresh-seconds", default=1.0, show_default=True, type=click.FloatRange(0.1, 60), metavar="S",
    help="How often news are wanted.",
)  # fmt: skip
@click.option(
    "--sample-logs/--no-sample-logs", default=True, show_default=True,
    help="A sample where lines come fast, saying how many were left out; warnings and errors are kept. "
    "--level and --grep turn it off.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(0), metavar="S", help="Stop after so many seconds, with exit code 124."
)
@click.option(
    "--get-logs-retries", default=1, show_default=True, type=click.IntRange(0), metavar="N",
    help="Additional attempts, of 60 s of unbroken failure each.",
)  # fmt: skip
@click.option(
    "--since-ms", type=click.IntRange(0), metavar="MS", help="Only lines of this time or later (ms since 1970)."
)
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Begin with the last N lines.")
@click.option("--level", metavar="LEVEL", help="Only this level: error, warning, info, debug (several: a,b).")
@click.option("--grep", metavar="TEXT", help="Only lines that hold this text.")
@click.option("--timestamps", is_flag=True, help="The time before each line.")
@json_option
@with_client
def command(
    client: Client,
    job: str,
    refresh_seconds: float,
    sample_logs: bool,
    timeout: float | None,
    get_logs_retries: int,
    since_ms: int | None,
    tail: int | None,
    level: str | None,
    grep: str | None,
    timestamps: bool,
    as_json: bool,
) -> int:
    """Print a job's log, and follow it until the job ends.

    Goes on where it was when the connection or the service breaks, without losing or repeating a line.
    Exits with 0 when the job is done, with 1 when it failed or was cancelled.

    \b
    Examples:
      jobtail tail JOB --no-sample-logs
      jobtail tail http://127.0.0.1:8484/jobs/JOB --tail 20 --timestamps
      jobtail tail JOB --level error,warning --json
    """
    wanted = {
        "refresh_seconds": refresh_seconds,
        "sample_logs": sample_logs and not (level or grep),
        "since_ms": since_ms,
        "tail": tail,
        "level": level,
        "q": grep,
        "format": "batch",
    }
    printer = JsonPrinter(sys.stdout) if as_json else LogPrinter(sys.stdout, timestamps=timestamps)
    code = OK
    for event in client.stream(job, wanted, timeout=timeout, retries=get_logs_retries):
        printer.event(event)
        if printer.full or not event.more:
            printer.flush()
        if event.kind == "retrying":
            _say_retrying(event)
        elif event.kind == "done" and isinstance(event.data.get("status"), dict):
            code = ended(event.data["status"])
    return code


def _say_retrying(event: Event) -> None:
    """Only to somebody who sees it: the log itself goes on as if nothing had been."""
    if sys.stderr.isatty():
        seconds = event.data.get("in_seconds", 0)
        click.echo(f"jobtail: {event.data.get('detail')}; trying again in {seconds:.0f} s", err=True)
